"""
OpenAI chat completions and embeddings, as the scripted server speaks them.

Shapes: https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ._wire import CREATED, Answer, Asked, Event, argument_pieces, numbered, pieces, text_of, understood, vector
from .scenario import Failure, Spend, tokens

__all__ = ["Chat", "embeddings", "error_body"]

_WHO: Final = {"user": "user", "assistant": "model", "tool": "tool", "function": "tool"}
_ERROR_TYPES: Final = {
    400: "invalid_request_error", 401: "authentication_error", 404: "invalid_request_error", 429: "rate_limit_exceeded",
}  # fmt: skip


def error_body(failure: Failure) -> dict[str, Any]:
    """OpenAI's error object."""
    kind = _ERROR_TYPES.get(failure.status, "server_error")
    return {"error": {"message": failure.message, "type": kind, "param": None, "code": kind}}


def usage_of(usage: Spend) -> dict[str, Any]:
    """Tokens in the spelling of chat completions."""
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": (usage.input or 0) + (usage.output or 0),
        "prompt_tokens_details": {"cached_tokens": usage.cached, "cache_write_tokens": usage.cache_write},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }


class Chat:
    """``/v1/chat/completions``."""

    def read(self, body: Mapping[str, Any], path: str) -> Asked:  # noqa: ARG002 - all is in the body
        """Understand a request."""
        messages = body.get("messages") or []
        asked = understood(
            [(_WHO[m["role"]], text_of(m.get("content"))) for m in messages if m.get("role") in _WHO],
            model=str(body.get("model", "")),
            stream=bool(body.get("stream")),
            sent=[messages, body.get("tools")],
        )
        asked.include_usage = bool((body.get("stream_options") or {}).get("include_usage"))
        return asked

    def reply(self, answer: Answer) -> dict[str, Any]:
        """The answer in one piece."""
        turn = answer.turn
        message: dict[str, Any] = {"role": "assistant", "content": turn.text or None, "refusal": None}
        if turn.tool_calls:
            message["tool_calls"] = [
                {"id": id_, "type": "function", "function": {"name": call.name, "arguments": call.text}}
                for id_, call in zip(answer.call_ids, turn.tool_calls, strict=True)
            ]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": turn.finish_reason}
        body = {**self._head(answer, "chat.completion"), "choices": [choice]}
        if answer.usage:
            body["usage"] = usage_of(answer.usage)
        return body

    def events(self, answer: Answer) -> Iterator[Event]:
        """The answer as a stream."""
        head = self._head(answer, "chat.completion.chunk")
        turn = answer.turn

        def chunk(delta: Mapping[str, Any], finish: str | None = None) -> Event:
            return None, {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

        yield chunk({"role": "assistant", "content": ""})
        for piece in pieces(turn.text):
            yield chunk({"content": piece})
        for n, (id_, call) in enumerate(zip(answer.call_ids, turn.tool_calls, strict=True)):
            start = {"index": n, "id": id_, "type": "function", "function": {"name": call.name, "arguments": ""}}
            yield chunk({"tool_calls": [start]})
            for piece in argument_pieces(call.text):
                yield chunk({"tool_calls": [{"index": n, "function": {"arguments": piece}}]})
        yield chunk({}, turn.finish_reason)
        if answer.usage and answer.asked.include_usage:
            yield None, {**head, "choices": [], "usage": usage_of(answer.usage)}
        yield None, "[DONE]"

    def failure(self, failure: Failure) -> Any:
        """The body of an error status."""
        return error_body(failure)

    def stream_failure(self, failure: Failure) -> Event:
        """The event that ends a stream with an error."""
        return None, error_body(failure)

    @staticmethod
    def _head(answer: Answer, kind: str) -> dict[str, Any]:
        id_ = numbered("chatcmpl-", answer.number)
        return {"id": id_, "object": kind, "created": CREATED, "model": answer.model, "service_tier": "default"}


def embeddings(body: Mapping[str, Any], path: str, size: int) -> dict[str, Any]:  # noqa: ARG001 - all is in the body
    """The answer of ``/v1/embeddings``: vectors that depend on the text alone, as numbers or base64."""
    given = body.get("input")
    texts = [str(item) for item in given] if isinstance(given, list) else [str(given)]
    size = int(body.get("dimensions") or size)
    data: list[dict[str, Any]] = []
    for n, text in enumerate(texts):
        found: Any = vector(text, size)
        if body.get("encoding_format") == "base64":
            found = base64.b64encode(struct.pack(f"<{size}f", *found)).decode()
        data.append({"object": "embedding", "index": n, "embedding": found})
    count = sum(tokens(text) for text in texts)
    usage = {"prompt_tokens": count, "total_tokens": count}
    return {"object": "list", "data": data, "model": body.get("model"), "usage": usage}
