"""
The tool calls that models asked for and whose results have not come back: what joins a later call to its run.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Final

from ..ledger import Run
from ..model import Response, ToolCall

__all__ = ["Pending", "asked_by_name", "forget", "note_asked", "pending_of", "settle", "waiting"]

MAX_PENDING: Final = 5_000
"""How many tool calls that were asked for are remembered; beyond, the oldest are forgotten."""


@dataclass(slots=True, eq=False)
class Pending:
    """A tool call that a model asked for and whose result has not come back yet."""

    run: Run
    step: int
    call: ToolCall
    seen: bool = False
    """Whether the call itself was watched, so that nothing has to be inferred."""
    unknown: bool = False
    """Whether nobody offered the model such a tool."""
    key: Any = field(default=None)


waiting: Final[OrderedDict[Any, Pending]] = OrderedDict()
"""By call id, or by name where a provider gives none; the oldest first."""
_lock = threading.RLock()


def _key(call: Any) -> Any:
    return call.id or ("by name", call.name)


def note_asked(run: Run, step: int, response: Response) -> list[Pending]:
    """Remember the tool calls that the model asked for."""
    asked = [Pending(run, step, call, key=_key(call)) for call in response.tool_calls]
    with _lock:
        for pending in asked:
            waiting[pending.key] = pending
        while len(waiting) > MAX_PENDING:
            waiting.popitem(last=False)
    return asked


def pending_of(run: Run | None, item: Any) -> Pending | None:
    """The tool call that *item* (a result, or a call by name) answers, if it was asked for in *run*."""
    found = waiting.get(_key(item))
    return found if found is not None and (run is None or found.run is run) else None


def asked_by_name(name: str, run: Run | None, *, seen: bool = False) -> list[Pending]:
    """The tool calls named *name* that are waiting to be carried out (or *seen* already), the oldest first."""
    with _lock:
        return [
            p for p in waiting.values()
            if (seen or not p.seen) and p.call.name == name and (run is None or p.run is run)
        ]  # fmt: skip


def settle(*answered: Pending) -> None:
    """The results of these calls came back, or will not: they are waited for no longer."""
    with _lock:
        for pending in answered:
            if waiting.get(pending.key) is pending:
                del waiting[pending.key]


def forget() -> None:
    """Forget everything, a lock that somebody held included."""
    global _lock  # noqa: PLW0603 - somebody in the parent may have held it
    _lock = threading.RLock()
    waiting.clear()
