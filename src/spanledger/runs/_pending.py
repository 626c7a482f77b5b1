"""
The tool calls that models asked for and whose results have not come back: what joins a later call to its run.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..hashing import hasher
from ..ledger import Run
from ..model import Request, Response, ToolCall, ToolResult

__all__ = [
    "Pending", "asked_by_name", "forget", "note_asked", "paired", "pending_of", "run_that_waits", "settle", "waiting",
]  # fmt: skip

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


waiting: Final[OrderedDict[Pending, None]] = OrderedDict()
"""The oldest first."""
_by_id: Final[dict[str, list[Pending]]] = {}
"""Several by one id: some providers count from nought in every conversation."""
_lock = threading.RLock()


def note_asked(run: Run, step: int, response: Response) -> list[Pending]:
    """Remember the tool calls that the model asked for."""
    asked = [Pending(run, step, call) for call in response.tool_calls]
    with _lock:
        for pending in asked:
            waiting[pending] = None
            if pending.call.id:
                _by_id.setdefault(pending.call.id, []).append(pending)
        while len(waiting) > MAX_PENDING:
            settle(next(iter(waiting)))
    return asked


def paired(results: Sequence[ToolResult], asked: Sequence[ToolCall]) -> list[tuple[ToolResult, ToolCall | None]]:
    """Each result with the call that it answers as the request repeats it; in order where only names tell."""
    left, found = list(asked), []
    for item in results:
        said = next((c for c in left if (c.id == item.id if item.id else item.name in (None, c.name))), None)
        if said is not None:
            left.remove(said)
        found.append((item, said))
    return found


def pending_of(run: Run, item: ToolResult, said: ToolCall | None = None) -> Pending | None:
    """The tool call of *run* that *item* answers; of several the one with the arguments that *said* has."""
    return next(iter(_answered(item, said, run)), None)


def run_that_waits(request: Request, here: Run | None) -> Run | None:
    """The run that goes on with *request*: that whose tool calls it answers, or repeats; *here* before others."""
    pairs: list[tuple[Any, ToolCall | None]] = [*paired(request.results, request.asked)]
    for item, said in [*pairs, *((call, call) for call in request.asked)]:
        runs = [pending.run for pending in _answered(item, said, None) if pending.run.ended is None]
        if runs:
            return next((run for run in runs if run is here), runs[0])
    return None


def _answered(item: Any, said: ToolCall | None, run: Run | None) -> list[Pending]:
    """The calls that *item* (a result, or a call itself) may be about: by its id, by its name where it carries none."""
    if item.id:
        found = [p for p in _by_id.get(item.id, ()) if run is None or p.run is run]
    else:
        found = asked_by_name(item.name, run, seen=True) if item.name else []
    if len(found) > 1 and said is not None:
        arguments = hasher().hash(said.arguments, "tool-args").text
        same = [p for p in found if hasher().hash(p.call.arguments, "tool-args").text == arguments]
        return same or found
    return found


def asked_by_name(name: str, run: Run | None, *, seen: bool = False) -> list[Pending]:
    """The tool calls named *name* that are waiting to be carried out (or *seen* already), the oldest first."""
    with _lock:
        return [
            p for p in waiting
            if (seen or not p.seen) and p.call.name == name and (run is None or p.run is run)
        ]  # fmt: skip


def settle(*answered: Pending) -> None:
    """The results of these calls came back, or will not: they are waited for no longer."""
    with _lock:
        for pending in answered:
            if pending not in waiting:
                continue
            del waiting[pending]
            if same := _by_id.get(pending.call.id or ""):
                same.remove(pending)
                if not same:
                    del _by_id[pending.call.id or ""]


def forget() -> None:
    """Forget everything, a lock that somebody held included."""
    global _lock  # noqa: PLW0603 - somebody in the parent may have held it
    _lock = threading.RLock()
    waiting.clear()
    _by_id.clear()
