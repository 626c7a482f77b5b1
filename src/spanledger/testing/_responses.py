"""
OpenAI responses, as the scripted server speaks them.

Shapes: https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ._chat import error_body
from ._wire import CREATED, Answer, Asked, Event, argument_pieces, numbered, pieces, text_of, understood
from .scenario import Failure, Spend

__all__ = ["Responses"]


def usage_of(usage: Spend) -> dict[str, Any]:
    """Tokens in the spelling of responses."""
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.cached, "cache_write_tokens": usage.cache_write},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": (usage.input or 0) + (usage.output or 0),
    }


def _turns(given: Any) -> Iterator[tuple[str, str]]:
    if isinstance(given, str):
        yield "user", given
        return
    for item in given or []:
        role, kind = item.get("role"), item.get("type", "message")
        if kind == "message" and role in ("system", "developer"):
            continue
        if kind == "message" and role == "user":
            yield "user", text_of(item.get("content"))
        elif kind.endswith("_output"):
            yield "tool", text_of(item.get("output"))
        else:
            yield "model", ""


class Responses:
    """``/v1/responses``."""

    def read(self, body: Mapping[str, Any], path: str) -> Asked:  # noqa: ARG002 - all is in the body
        """Understand a request."""
        given = body.get("input")
        return understood(
            _turns(given),
            model=str(body.get("model", "")),
            stream=bool(body.get("stream")),
            sent=[body.get("instructions"), given, body.get("tools")],
            previous=body.get("previous_response_id"),
        )

    def reply(self, answer: Answer) -> dict[str, Any]:
        """The answer in one piece."""
        return self._response(answer, self._output(answer))

    def events(self, answer: Answer) -> Iterator[Event]:
        """The answer as a stream."""
        for number, (name, data) in enumerate(self._events(answer)):
            yield name, {"type": name, "sequence_number": number, **data}

    def failure(self, failure: Failure) -> Any:
        """The body of an error status."""
        return error_body(failure)

    def stream_failure(self, failure: Failure) -> Event:
        """The event that ends a stream with an error."""
        code = error_body(failure)["error"]["code"]
        data = {"type": "error", "code": code, "message": failure.message, "param": None, "sequence_number": 0}
        return "error", data

    def _events(self, answer: Answer) -> Iterator[tuple[str, dict[str, Any]]]:
        begun = {**self._response(answer, []), "status": "in_progress", "usage": None, "incomplete_details": None}
        yield "response.created", {"response": begun}
        yield "response.in_progress", {"response": begun}
        output = self._output(answer)
        for index, item in enumerate(output):
            empty: dict[str, Any] = {"content": []} if item["type"] == "message" else {"arguments": ""}
            started = {**item, **empty, "status": "in_progress"}
            yield "response.output_item.added", {"output_index": index, "item": started}
            yield from _message_events(item, index) if item["type"] == "message" else _call_events(item, index)
            yield "response.output_item.done", {"output_index": index, "item": item}
        response = self._response(answer, output)
        yield f"response.{response['status']}", {"response": response}

    @staticmethod
    def _output(answer: Answer) -> list[dict[str, Any]]:
        output: list[dict[str, Any]] = []
        turn = answer.turn
        if turn.text or not turn.tool_calls:
            part = {"type": "output_text", "text": turn.text, "annotations": [], "logprobs": []}
            id_ = numbered("msg_", answer.number)
            message = {"type": "message", "id": id_, "status": "completed", "role": "assistant", "content": [part]}
            output.append(message)
        for n, (id_, call) in enumerate(zip(answer.call_ids, turn.tool_calls, strict=True)):
            output.append({
                "type": "function_call", "id": f"fc_{answer.number:06d}_{n}", "call_id": id_, "name": call.name,
                "arguments": call.text, "status": "completed",
            })  # fmt: skip
        return output

    @staticmethod
    def _response(answer: Answer, output: list[dict[str, Any]]) -> dict[str, Any]:
        reasons = {"length": "max_output_tokens", "content_filter": "content_filter"}
        reason = reasons.get(answer.turn.finish_reason)
        body = answer.body
        return {
            "id": numbered("resp_", answer.number),
            "object": "response",
            "created_at": CREATED,
            "status": "incomplete" if reason else "completed",
            "error": None,
            "incomplete_details": {"reason": reason} if reason else None,
            "instructions": body.get("instructions"),
            "metadata": {},
            "model": answer.model,
            "output": output,
            "parallel_tool_calls": True,
            "previous_response_id": answer.asked.previous,
            "service_tier": "default",
            "temperature": 1.0,
            "text": body.get("text") or {"format": {"type": "text"}},
            "tool_choice": body.get("tool_choice") or "auto",
            "tools": body.get("tools") or [],
            "top_p": 1.0,
            "truncation": "disabled",
            "usage": usage_of(answer.usage) if answer.usage else None,
        }


def _message_events(item: Mapping[str, Any], index: int) -> Iterator[tuple[str, dict[str, Any]]]:
    spot = {"item_id": item["id"], "output_index": index, "content_index": 0}
    part = item["content"][0]
    yield "response.content_part.added", {**spot, "part": {**part, "text": ""}}
    for piece in pieces(part["text"]):
        yield "response.output_text.delta", {**spot, "delta": piece, "logprobs": []}
    yield "response.output_text.done", {**spot, "text": part["text"], "logprobs": []}
    yield "response.content_part.done", {**spot, "part": part}


def _call_events(item: Mapping[str, Any], index: int) -> Iterator[tuple[str, dict[str, Any]]]:
    spot = {"item_id": item["id"], "output_index": index}
    for piece in argument_pieces(item["arguments"]):
        yield "response.function_call_arguments.delta", {**spot, "delta": piece}
    done = {**spot, "name": item["name"], "arguments": item["arguments"]}
    yield "response.function_call_arguments.done", done
