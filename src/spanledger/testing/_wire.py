"""What the dialects of the scripted server have in common: a request as it was understood, an answer to spell."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from .scenario import Failure, Spend, Turn

__all__ = ["CREATED", "Answer", "Asked", "Dialect", "Event", "numbered", "pieces", "said", "understood", "vector"]

CREATED: Final = 1_767_225_600
"""When everything here was made: 1 January 2026, so that answers are the same every time."""
ARGUMENT_PIECE: Final = 16

Event = tuple[str | None, Any]
"""A server-sent event: its name, if the dialect names them, and its data; text goes out as it is."""


@dataclass(slots=True, kw_only=True)
class Asked:
    """A request, as far as a script cares."""

    model: str
    stream: bool
    first_user: str
    last_user: str
    last_tool: str | None
    """The tool results that the request ends on."""
    answers: int
    """How many answers of the model it carries."""
    sent: str
    """All texts that were sent; what tokens are counted by."""
    previous: str | None = None
    include_usage: bool = True


@dataclass(slots=True, kw_only=True)
class Answer:
    """What to spell: a turn, with its number among all answers of this server."""

    turn: Turn
    number: int
    model: str
    usage: Spend | None
    asked: Asked
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def call_ids(self) -> list[str]:
        """One id for each tool call."""
        return [f"call_{self.number:06d}_{n}" for n in range(len(self.turn.tool_calls))]


class Dialect(Protocol):
    """How one API writes requests and answers."""

    def read(self, body: Mapping[str, Any], path: str) -> Asked:
        """Understand a request."""

    def reply(self, answer: Answer) -> Any:
        """The answer in one piece."""

    def events(self, answer: Answer) -> Iterator[Event]:
        """The answer as a stream."""

    def failure(self, failure: Failure) -> Any:
        """The body of an error status."""

    def stream_failure(self, failure: Failure) -> Event:
        """The event that ends a stream with an error."""


def understood(
    turns: Iterable[tuple[str, str]], *, model: str, stream: bool, sent: Any, previous: str | None = None
) -> Asked:
    """A request from its *turns*: ``user``, ``model`` or ``tool`` and the text, in order."""
    turns = list(turns)
    users = [text for who, text in turns if who == "user"]
    tools: list[str] = []
    for who, text in reversed(turns):
        if who != "tool":
            break
        tools.insert(0, text)
    return Asked(
        model=model,
        stream=stream,
        first_user=users[0] if users else "",
        last_user=users[-1] if users else "",
        last_tool="\n".join(tools) if tools else None,
        answers=sum(who == "model" and (n == 0 or turns[n - 1][0] != "model") for n, (who, _) in enumerate(turns)),
        sent=said(sent),
        previous=previous,
    )


def said(value: Any) -> str:
    """All texts in *value*, one after the other."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return "".join(said(item) for item in value.values())
    if isinstance(value, list):
        return "".join(said(item) for item in value)
    return ""


def text_of(content: Any) -> str:
    """The text of a message's content: a text, or parts that have one."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = (part if isinstance(part, str) else part.get("text") for part in content)
        return "".join(part for part in parts if isinstance(part, str))
    return "" if content is None else json.dumps(content)


def pieces(text: str) -> list[str]:
    """*text* word by word, as models stream it."""
    return re.findall(r"\S+\s*|\s+", text)


def argument_pieces(text: str) -> list[str]:
    """JSON text in pieces of a few characters, as models stream arguments."""
    return [text[start : start + ARGUMENT_PIECE] for start in range(0, len(text), ARGUMENT_PIECE)]


def numbered(prefix: str, number: int) -> str:
    """An id that is the same every time."""
    return f"{prefix}{number:024d}"


def vector(text: str, size: int) -> list[float]:
    """A vector that only depends on *text*."""
    found: list[float] = []
    while len(found) < size:
        digest = hashlib.sha256(f"{len(found)}:{text}".encode()).digest()
        found += [(byte - 128) / 128 for byte in digest]
    return found[:size]
