"""
What was said in a call, in our own words.

Plain data, nothing else: no OpenTelemetry, no client.  Messages and their parts are dictionaries in the shape of the
GenAI conventions (``{"role": "user", "parts": [{"type": "text", "content": "hi"}]}``), because that is what is
written to the span.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from .finish import finished

try:
    import orjson
except ImportError:  # pragma: no cover - where no wheel exists
    orjson = None  # type: ignore[assignment]

__all__ = [
    "Draft", "Message", "Part", "Request", "Response", "ToolCall", "ToolResult", "Usage", "output_message", "parsed",
]  # fmt: skip

Part: TypeAlias = dict[str, Any]
"""One piece of a message, e.g. ``{"type": "text", "content": "hi"}``."""

Message: TypeAlias = dict[str, Any]
"""``{"role": str, "parts": [Part, ...]}``; an output message also has ``finish_reason``."""


def output_message(parts: list[Part], finish_reason: str | None) -> Message:
    """
    An output message of the model.

    Its finish reason is the convention's word for the provider's; ``error`` where none ever came.
    """
    return {"role": "assistant", "parts": parts, "finish_reason": finished(finish_reason)}


_LONG_NUMBER: Final = re.compile(r"\d{16}")


def parsed(arguments: Any) -> Any:
    """*arguments* as an object where they are a JSON string; as they are where they are not."""
    if isinstance(arguments, str):
        try:
            if orjson is not None and not _LONG_NUMBER.search(arguments):  # it makes floats of long integers
                return orjson.loads(arguments)
            return json.loads(arguments)
        except ValueError:
            return arguments
    return arguments


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
    # what the provider says it bills, where that is not what it counted
    billed_input: int | None = None
    billed_output: int | None = None
    # not tokens
    requests: Mapping[str, int] = field(default_factory=dict)
    """Server-side tool uses that are billed by count, e.g. ``{"web_search": 2}``."""
    cost: float | None = None
    """What the provider itself says the call cost, USD (OpenRouter, gateways)."""
    beside: tuple[int, ...] = field(default=(), compare=False, repr=False)
    """What a reader of running totals added to them; it must not be added again."""

    @property
    def input(self) -> int | None:
        """All input tokens, cached ones included."""
        uncached, read, write = self.uncached, self.cache_read, self.cache_write
        if uncached is None and read is None and write is None:
            return None
        return (uncached or 0) + (read or 0) + (write or 0)

    @property
    def total(self) -> int | None:
        """Input and output; `None` when neither is known."""
        if self.input is None and self.output is None:
            return None
        return (self.input or 0) + (self.output or 0)

    @property
    def known(self) -> bool:
        """Whether the provider said anything at all."""
        return self.output is not None or self.input is not None


@dataclass(slots=True)
class ToolCall:
    """A tool call that a model asked for.  *arguments* is what the wire held: a JSON string or a mapping."""

    id: str | None
    name: str | None
    arguments: Any = None

    def part(self) -> Part:
        """The call as a part of a message, its arguments parsed where they are JSON."""
        part: Part = {"type": "tool_call", "name": self.name, "arguments": parsed(self.arguments)}
        if self.id is not None:
            part["id"] = self.id
        return part


def _is_another(call: list[Any], name: str, piece: Any) -> bool:
    if call[1] is None or not isinstance(whole := parsed(said := "".join(call[3])), dict):
        return False
    return name != call[1] or (bool(whole) and piece != said and isinstance(parsed(piece), dict))


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

    @property
    def ended(self) -> bool:
        """Whether the provider said of each choice why it ended."""
        return bool(self.finish_reasons) and "error" not in self.finish_reasons


class Draft:
    """
    A response that is still arriving.

    Providers write into it, chunk by chunk; `build` turns it into a `Response`.  What is said is kept in blocks, in
    order of appearance, each known by its choice and a key of the provider's; what was never sent stays unknown.
    """

    __slots__ = ("_blocks", "_whole", "asked", "cut", "error", "extra", "finish_reasons", "id", "kept", "model",
                 "so_far", "usage", "words")  # fmt: skip

    def __init__(self) -> None:
        self.id: str | None = None
        self.model: str | None = None
        self.usage: Usage | None = None
        self.finish_reasons: dict[int, str] = {}
        self.extra: dict[str, Any] = {}
        self.error: str | None = None
        self.words: list[str] | None = None  # the text of choice 0, for readers in a hurry
        self.kept: dict[Any, Any] = {}  # what a reader has to find again, by its own key
        self.asked: set[tuple[str, str]] = set()  # tools of the provider, and what they were asked
        self.cut = b""  # of an event whose end has not come yet
        self.so_far: Callable[[], Response] | None = None  # reads what the client itself put together
        self._blocks: dict[tuple[int, str, Any], Any] = {}
        self._whole: Response | None = None

    def text(self, index: int, block: Any = 0) -> list[str]:
        """The text pieces of a block of choice *index*; append to it."""
        pieces: list[str] = self._blocks.setdefault((index, "text", block), [])
        return pieces

    def reasoning(self, index: int, block: Any = 0) -> list[str]:
        """The reasoning pieces of a block of choice *index*; append to it."""
        pieces: list[str] = self._blocks.setdefault((index, "reasoning", block), [])
        return pieces

    def part(self, index: int, block: Any, part: Part) -> None:
        """Keep a whole *part*, in place of what the same block held before; `None` is a block of its own."""
        self._blocks[(index, "part", ("own", len(self._blocks)) if block is None else block)] = part

    def tool_call(self, index: int, key: Any, id: str | None, name: str | None, piece: Any) -> None:  # noqa: A002
        """
        Add to the tool call *key* of choice *index*: a piece of JSON, or the arguments as a whole.

        Without a *key* it is a call of its own; so is one that has a name and another *id*, or no id where the call so
        far is whole (Gemini numbers all calls 0 in the shape of OpenAI's, and may leave the ids empty).
        """
        key = ("own", len(self._blocks)) if key is None else key
        place = (index, "tool_call", key)
        call: list[Any] = self._blocks.setdefault(place, [None, None, None, []])
        if name and (call[0] != id if id and call[0] else _is_another(call, name, piece)):
            self._blocks[index, "tool_call", ("before", len(self._blocks))] = self._blocks.pop(place)
            call = self._blocks[place] = [None, None, None, []]
        call[0] = call[0] or id or None
        call[1] = call[1] or name
        if isinstance(piece, str):
            call[3].append(piece)
        elif piece is not None:
            call[2] = piece

    def has_tool_call(self, index: int, key: Any) -> bool:
        """Whether the tool call *key* of choice *index* has begun."""
        return (index, "tool_call", key) in self._blocks

    def arguments(self, index: int) -> Any:
        """The arguments, given as a whole, of the last tool call of choice *index*."""
        calls = (call for (at, kind, _), call in reversed(self._blocks.items()) if at == index and kind == "tool_call")
        return next((call[2] for call in calls), None)

    def settle(self, response: Response) -> None:
        """Take over a *response* that arrived as a whole; its content wins over the pieces if it has any."""
        self.id = response.id or self.id
        self.model = response.model or self.model
        self.usage = response.usage if response.usage.known else self.usage
        self.finish_reasons = dict(enumerate(response.finish_reasons)) or self.finish_reasons
        self.extra.update(response.extra)
        self.error = response.error or self.error
        if response.messages or response.tool_calls:
            self._whole = response

    def build(self) -> Response:
        """The response as far as it arrived."""
        if self.so_far is not None:
            self.settle(self.so_far())
        calls, messages = self._assemble() if self._whole is None else (self._whole.tool_calls, self._whole.messages)
        return Response(
            self.id, self.model, self._reasons(), self.usage or Usage(), calls, messages, self.extra, self.error
        )

    def _reasons(self) -> list[str]:
        started = set() if self._whole is not None else {index for index, _, _ in self._blocks}
        return [self.finish_reasons.get(index, "error") for index in sorted(started | self.finish_reasons.keys())]

    def _assemble(self) -> tuple[list[ToolCall], list[Message]]:
        calls: list[tuple[int, ToolCall]] = []
        choices: dict[int, list[Part]] = {}
        for (index, kind, _), block in self._blocks.items():
            if kind == "part":
                part = block
            elif kind == "tool_call":
                pieces = "".join(block[3])  # Anthropic and Bedrock send none where the arguments are empty
                whole = block[2] if block[2] is not None or not block[3] else ""
                call = ToolCall(block[0], block[1], pieces or whole)
                calls.append((index, call))
                part = call.part()
            elif content := "".join(block):
                part = {"type": kind, "content": content}
            else:
                continue
            choices.setdefault(index, []).append(part)
        messages = [output_message(parts, self.finish_reasons.get(index)) for index, parts in sorted(choices.items())]
        return [call for _, call in sorted(calls, key=lambda pair: pair[0])], messages
