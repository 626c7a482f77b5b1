"""
Anthropic messages, as the scripted server speaks them.

Shapes: https://docs.anthropic.com/en/docs/build-with-claude/streaming
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ._wire import Answer, Asked, Event, argument_pieces, numbered, pieces, text_of, understood
from .scenario import Failure, Spend

__all__ = ["Messages"]

_STOP: Final = {"stop": "end_turn", "tool_calls": "tool_use", "length": "max_tokens", "content_filter": "refusal"}
_ERROR_TYPES: Final = {
    400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error",
    413: "request_too_large", 429: "rate_limit_error", 504: "timeout_error", 529: "overloaded_error",
}  # fmt: skip


def usage_of(usage: Spend) -> dict[str, Any]:
    """Tokens in Anthropic's spelling, where the input leaves out what was cached."""
    return {
        "input_tokens": (usage.input or 0) - usage.cached - usage.cache_write,
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cached,
        "output_tokens": usage.output,
        "output_tokens_details": {"thinking_tokens": usage.reasoning},
        "service_tier": "standard",
    }


def _turns(messages: Any) -> Iterator[tuple[str, str]]:
    for message in messages or []:
        content = message.get("content")
        if message.get("role") == "assistant":
            yield "model", ""
        elif isinstance(content, str):
            yield "user", content
        else:
            for block in content or []:
                if block.get("type") == "tool_result":
                    yield "tool", text_of(block.get("content"))
                elif block.get("type") == "text":
                    yield "user", block.get("text", "")


class Messages:
    """``/v1/messages``."""

    def read(self, body: Mapping[str, Any], path: str) -> Asked:  # noqa: ARG002 - all is in the body
        """Understand a request."""
        messages = body.get("messages")
        return understood(
            _turns(messages),
            model=str(body.get("model", "")),
            stream=bool(body.get("stream")),
            sent=[body.get("system"), messages, body.get("tools")],
        )

    def reply(self, answer: Answer) -> dict[str, Any]:
        """The answer in one piece."""
        turn = answer.turn
        content: list[dict[str, Any]] = []
        if turn.text or not turn.tool_calls:
            content.append({"type": "text", "text": turn.text, "citations": None})
        for id_, call in zip(answer.call_ids, turn.tool_calls, strict=True):
            content.append({"type": "tool_use", "id": f"toolu_{id_}", "name": call.name, "input": dict(call.arguments)})
        return {
            "id": numbered("msg_", answer.number),
            "type": "message",
            "role": "assistant",
            "model": answer.model,
            "content": content,
            "stop_reason": _STOP[turn.finish_reason],
            "stop_sequence": None,
            "usage": usage_of(answer.usage or Spend(input=0, output=0)),
        }

    def events(self, answer: Answer) -> Iterator[Event]:
        """The answer as a stream."""
        for name, data in self._events(answer):
            yield name, {"type": name, **data}

    def failure(self, failure: Failure) -> Any:
        """The body of an error status."""
        kind = _ERROR_TYPES.get(failure.status, "api_error")
        return {"type": "error", "error": {"type": kind, "message": failure.message}, "request_id": None}

    def stream_failure(self, failure: Failure) -> Event:
        """The event that ends a stream with an error."""
        return "error", self.failure(failure)

    def _events(self, answer: Answer) -> Iterator[tuple[str, dict[str, Any]]]:
        whole = self.reply(answer)
        usage = whole["usage"]
        begun = {**whole, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
        yield "message_start", {"message": begun}
        for index, block in enumerate(whole["content"]):
            is_text = block["type"] == "text"
            empty: dict[str, Any] = {"text": ""} if is_text else {"input": {}}
            yield "content_block_start", {"index": index, "content_block": {**block, **empty}}
            if is_text:
                deltas = [{"type": "text_delta", "text": piece} for piece in pieces(block["text"])]
            else:
                call = answer.turn.tool_calls[index - len(whole["content"])]
                deltas = [{"type": "input_json_delta", "partial_json": p} for p in argument_pieces(call.text)]
            for delta in deltas:
                yield "content_block_delta", {"index": index, "delta": delta}
            yield "content_block_stop", {"index": index}
        end: dict[str, Any] = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
        yield "message_delta", {"delta": end, "usage": usage}
        yield "message_stop", {}
