"""
Conversations and tools that were written down before: an agent sends its whole history and all its tools each time.

What came is compared, as bytes, with what the last calls sent; only what is new is read again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from ..canonical import plain_bytes, to_json
from ..hashing import Hasher, hasher
from ..providers import Endpoint

__all__ = ["Defined", "History", "Tools"]

MAX_KEPT: Final = 64
"""How many conversations are remembered; beyond, the one that was not asked for longest is forgotten."""
MAX_BYTES: Final = 8 << 20
"""How much all of them may hold together, as they came and as they are written."""
MAX_SHARE: Final = MAX_BYTES // 8
"""How much one of them may hold; what is longer is read anew each time."""
MAX_TOOLS: Final = 16
"""How many sets of tools are remembered."""
FEW: Final = 4
"""So few messages are read faster than compared."""


@dataclass(slots=True, frozen=True, eq=False)
class _Known:
    """*came* lacks the bracket that closes the list; *written* is whole."""

    endpoint: Endpoint
    came: bytes
    count: int
    written: str

    @property
    def size(self) -> int:
        return len(self.came) + len(self.written)


class History:
    """The input messages of calls as JSON text, read from where the last call's ended."""

    def __init__(self) -> None:
        self._known: tuple[_Known, ...] = ()

    def forget(self) -> None:
        """Let go of all that was kept."""
        self._known = ()

    def messages(self, endpoint: Endpoint, body: Any) -> str | None:
        """The input messages of *body*, or `None` where they have to be read as a whole."""
        items = body.get(endpoint.history) if type(body) is dict else None
        if type(items) is not list or len(items) < FEW or (data := plain_bytes(items)) is None:
            return None
        known = self._known
        for at, last in enumerate(known):  # noqa: B007 - it is, after the loop
            if data.startswith(last.came) and data[len(last.came)] in b",]" and last.endpoint is endpoint:
                break
        else:
            return self._keep(endpoint, data, items, "[]", 0, known)
        if last.count == len(items):
            if at:
                self._known = (last, *known[:at], *known[at + 1 :])
            return last.written
        return self._keep(endpoint, data, items, last.written, last.count, (*known[:at], *known[at + 1 :]))

    def _keep(
        self, endpoint: Endpoint, data: bytes, items: list[Any], written: str, count: int, others: tuple[_Known, ...]
    ) -> str:
        _, messages = endpoint.read_messages({endpoint.history: items[count:]})
        new = to_json(messages)
        if written == "[]":
            written = new
        elif new != "[]":
            written = f"{written[:-1]},{new[1:]}"
        kept = _Known(endpoint, data[:-1], len(items), written)
        room = MAX_BYTES - kept.size
        if kept.size <= MAX_SHARE:
            fitting = [kept]
            for other in others[: MAX_KEPT - 1]:
                if (room := room - other.size) < 0:
                    break
                fitting.append(other)
            self._known = tuple(fitting)
        return written


@dataclass(slots=True, eq=False)
class Defined:
    """Tools as they came, their hash by a hasher, and their definitions as JSON text once that was asked for."""

    endpoint: Endpoint
    came: bytes
    by: Hasher
    hashed: str
    written: str | None = None


class Tools:
    """The tools of calls: their hash, and their definitions as JSON text."""

    def __init__(self) -> None:
        self._known: tuple[Defined, ...] = ()

    def forget(self) -> None:
        """Let go of all that was kept."""
        self._known = ()

    def find(self, endpoint: Endpoint, tools: Any) -> Defined:
        """What is known of *tools*, as the wire holds them; their hash above all."""
        by, data = hasher(), plain_bytes(tools)  # NaN is null here, but no client can send it
        for one in self._known:
            if one.came == data and one.endpoint is endpoint and one.by is by:
                return one
        found = Defined(endpoint, data or b"", by, by.hash(tools, "tools").text)
        if data is not None and len(data) <= MAX_SHARE:
            self._known = (found, *self._known[: MAX_TOOLS - 1])
        return found
