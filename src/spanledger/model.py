"""
What was said in a call, in our own words.

Plain data, nothing else: no OpenTelemetry, no client.  Messages and their parts are dictionaries in the shape of the
GenAI conventions (``{"role": "user", "parts": [{"type": "text", "content": "hi"}]}``), because that is what is
written to the span.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

__all__ = ["Draft", "Message", "Part", "Request", "Response", "ToolCall", "ToolResult", "Usage"]

Part: TypeAlias = dict[str, Any]
"""One piece of a message, e.g. ``{"type": "text", "content": "hi"}``."""

Message: TypeAlias = dict[str, Any]
"""``{"role": str, "parts": [Part, ...]}``; an output message also has ``finish_reason``."""


@dataclass(slots=True)
class Usage:
    """
    Token counts of one call in disjoint buckets; `None` is "the provider did not say".

    The input is `uncached` + `cache_read` + `cache_write`; the whole output, reasoning included, is `output`.  The
    `of which` fields are parts of a bucket and never added on top of it.
    """

    uncached: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    output: int | None = None
    # of which
    cache_write_1h: int | None = None
    reasoning: int | None = None
    input_audio: int | None = None
    input_image: int | None = None
    cache_read_audio: int | None = None
    output_audio: int | None = None
    output_image: int | None = None
    # not tokens
    requests: Mapping[str, int] = field(default_factory=dict)
    """Server-side tool uses that are billed by count, e.g. ``{"web_search": 2}``."""
    cost: float | None = None
    """What the provider itself says the call cost, USD (OpenRouter, gateways)."""

    @property
    def input(self) -> int | None:
        """All input tokens, cached ones included."""
        if self.uncached is None and self.cache_read is None and self.cache_write is None:
            return None
        return (self.uncached or 0) + (self.cache_read or 0) + (self.cache_write or 0)

    @property
    def total(self) -> int | None:
        """Input and output; `None` when neither is known."""
        if self.input is None and self.output is None:
            return None
        return (self.input or 0) + (self.output or 0)

    @property
    def known(self) -> bool:
        """Whether the provider said anything at all."""
        return self.input is not None or self.output is not None


@dataclass(slots=True)
class ToolCall:
    """A tool call that a model asked for.  *arguments* is what the wire held: a JSON string or a mapping."""

    id: str | None
    name: str | None
    arguments: Any = None


@dataclass(slots=True)
class ToolResult:
    """A tool result that a request carries back to the model."""

    id: str | None
    name: str | None
    content: Any = None
    is_error: bool = False


@dataclass(slots=True)
class Request:
    """
    One request, as far as every call needs it.  Messages are read apart, and only when content is captured.

    *settings* are GenAI attributes (``gen_ai.request.temperature`` ...), ready for the span.  *results* are the tool
    results after the last assistant turn, *asked* the tool calls of that turn.
    """

    model: str | None = None
    stream: bool = False
    settings: dict[str, Any] = field(default_factory=dict)
    system: Any = None
    """System instructions as the wire holds them; hashed, never stored as they are."""
    tools: Any = None
    """Tool definitions as the wire holds them; hashed, stored only with content."""
    results: list[ToolResult] = field(default_factory=list)
    asked: list[ToolCall] = field(default_factory=list)
    previous_response_id: str | None = None
    conversation_id: str | None = None


@dataclass(slots=True)
class Response:
    """What came back.  *messages* are output messages, present only when content was asked for."""

    id: str | None = None
    model: str | None = None
    finish_reasons: list[str] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    tool_calls: list[ToolCall] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)
    """Provider attributes, ready for the span (``openai.response.service_tier`` ...)."""
    error: str | None = None
    """An error that came inside a 200: the `error.type` to record."""


class Draft:
    """
    A response that is still arriving.

    Providers write into it, batch by batch; `build` turns it into a `Response`.  Text and tool-call pieces are kept
    per index; what a provider never sent stays unknown.
    """

    __slots__ = (
        "_calls", "_reasoning", "_text", "error", "extra", "finish_reasons", "id", "model", "parts", "usage",
    )  # fmt: skip

    def __init__(self) -> None:
        self.id: str | None = None
        self.model: str | None = None
        self.usage: Usage | None = None
        self.finish_reasons: dict[int, str] = {}
        self.extra: dict[str, Any] = {}
        self.error: str | None = None
        self.parts: dict[int, list[Part]] = {}
        self._text: dict[int, list[str]] = {}
        self._reasoning: dict[int, list[str]] = {}
        self._calls: dict[tuple[int, Any], tuple[list[str | None], list[str]]] = {}

    def text(self, index: int) -> list[str]:
        """The text pieces of choice *index*; append to it."""
        return self._text.setdefault(index, [])

    def reasoning(self, index: int) -> list[str]:
        """The reasoning pieces of choice *index*; append to it."""
        return self._reasoning.setdefault(index, [])

    def tool_call(self, index: int, key: Any, id: str | None, name: str | None, piece: str | None) -> None:  # noqa: A002
        """Add a piece of the tool call *key* of choice *index*."""
        head, pieces = self._calls.setdefault((index, key), ([None, None], []))
        if id and not head[0]:
            head[0] = id
        if name and not head[1]:
            head[1] = name
        if piece:
            pieces.append(piece)

    def build(self) -> Response:
        """The response as far as it arrived."""
        calls: dict[int, list[ToolCall]] = {}
        for (index, _), (head, pieces) in self._calls.items():
            calls.setdefault(index, []).append(ToolCall(head[0], head[1], "".join(pieces)))
        messages: list[Message] = []
        started = self._text.keys() | calls.keys() | self.parts.keys() | self._reasoning.keys()
        indices = sorted(started | self.finish_reasons.keys())
        for index in indices:
            parts: list[Part] = []
            if thought := "".join(self._reasoning.get(index, ())):
                parts.append({"type": "reasoning", "content": thought})
            if text := "".join(self._text.get(index, ())):
                parts.append({"type": "text", "content": text})
            parts += self.parts.get(index, ())
            parts += [
                {"type": "tool_call", "id": c.id, "name": c.name, "arguments": c.arguments}
                for c in calls.get(index, ())
            ]
            if parts:
                reason = self.finish_reasons.get(index, "error")
                messages.append({"role": "assistant", "parts": parts, "finish_reason": reason})
        return Response(
            id=self.id,
            model=self.model,
            finish_reasons=[self.finish_reasons.get(index, "error") for index in indices],
            usage=self.usage or Usage(),
            tool_calls=[call for index in sorted(calls) for call in calls[index]],
            messages=messages,
            extra=self.extra,
            error=self.error,
        )
