"""
Gemini's generateContent and embedContent, as the scripted server speaks them.

Shapes: https://ai.google.dev/api/generate-content
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ._wire import Answer, Asked, Event, numbered, pieces, text_of, understood, vector
from .scenario import Failure, Spend, tokens

__all__ = ["Gemini", "embeddings"]

_FINISH: Final = {"stop": "STOP", "tool_calls": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}
_STATUS: Final = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED",
}  # fmt: skip


def usage_of(usage: Spend) -> dict[str, Any]:
    """Tokens in Gemini's spelling, where the candidates leave out the thoughts."""
    return {
        "promptTokenCount": usage.input,
        "cachedContentTokenCount": usage.cached,
        "candidatesTokenCount": (usage.output or 0) - usage.reasoning,
        "thoughtsTokenCount": usage.reasoning,
        "totalTokenCount": (usage.input or 0) + (usage.output or 0),
    }


def _turns(contents: Any) -> Iterator[tuple[str, str]]:
    for content in contents or []:
        parts = content.get("parts") or []
        if content.get("role") == "model":
            yield "model", ""
            continue
        for part in parts:
            if "functionResponse" in part:
                yield "tool", json.dumps(part["functionResponse"].get("response"))
        if text := text_of(parts):
            yield "user", text


class Gemini:
    """``/v1beta/models/MODEL:generateContent`` and ``:streamGenerateContent``."""

    def read(self, body: Mapping[str, Any], path: str) -> Asked:
        """Understand a request; model and method stand in its path."""
        found = re.search(r"/models/([^/:]+):(\w+)$", path)
        return understood(
            _turns(body.get("contents")),
            model=found[1] if found else "",
            stream=bool(found and found[2].startswith("stream")),
            sent=[body.get("systemInstruction"), body.get("contents"), body.get("tools")],
        )

    def reply(self, answer: Answer) -> dict[str, Any]:
        """The answer in one piece."""
        turn = answer.turn
        parts: list[Any] = [{"text": turn.text}] if turn.text or not turn.tool_calls else []
        return self._chunk(answer, parts + self._calls(answer), last=True)

    def events(self, answer: Answer) -> Iterator[Event]:
        """The answer as a stream."""
        for piece in pieces(answer.turn.text):
            yield None, self._chunk(answer, [{"text": piece}], last=False)
        yield None, self._chunk(answer, self._calls(answer) or [{"text": ""}], last=True)

    def failure(self, failure: Failure) -> Any:
        """The body of an error status."""
        status = _STATUS.get(failure.status, "UNKNOWN")
        return {"error": {"code": failure.status, "message": failure.message, "status": status}}

    def stream_failure(self, failure: Failure) -> Event:
        """The event that ends a stream with an error: the bare object, which is what the client looks for."""
        return None, self.failure(failure)

    @staticmethod
    def _calls(answer: Answer) -> list[dict[str, Any]]:
        return [
            {"functionCall": {"id": id_, "name": call.name, "args": dict(call.arguments)}}
            for id_, call in zip(answer.call_ids, answer.turn.tool_calls, strict=True)
        ]

    @staticmethod
    def _chunk(answer: Answer, parts: list[Any], *, last: bool) -> dict[str, Any]:
        candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
        chunk: dict[str, Any] = {
            "candidates": [candidate],
            "modelVersion": answer.model,
            "responseId": numbered("gen-", answer.number),
        }
        if last:
            candidate["finishReason"] = _FINISH[answer.turn.finish_reason]
            if answer.usage:
                chunk["usageMetadata"] = usage_of(answer.usage)
        return chunk


def embeddings(body: Mapping[str, Any], path: str, size: int) -> dict[str, Any]:
    """The answer of ``:embedContent`` and ``:batchEmbedContents``."""
    many = path.endswith(":batchEmbedContents")
    requests = body.get("requests") if many else [body]
    found, count = [], 0
    for request in requests or []:
        text = text_of((request.get("content") or {}).get("parts"))
        config = request.get("embedContentConfig") or {}
        length = request.get("outputDimensionality") or config.get("outputDimensionality") or size
        found.append({"values": vector(text, int(length))})
        count += tokens(text)
    usage = {"promptTokenCount": count}
    return {"embeddings": found, "usageMetadata": usage} if many else {"embedding": found[0], "usageMetadata": usage}
