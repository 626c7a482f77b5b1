"""
The same thing again and again, seen while it happens.

One `History` per run remembers its last tool calls by name and hash of the arguments, no content, and says what the
next call would be one too many of.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from dataclasses import dataclass
from itertools import islice
from typing import Final

from ..budget import Loops

__all__ = ["Entry", "History", "Loop"]

_RECENT: Final = 6
"""How many of a tool's last calls are looked at for failures."""
_DISTINCT: Final = 3
"""How many different arguments among them make it a search for a query that works."""
_MAX_TOOLS: Final = 64


@dataclass(slots=True, eq=False)
class Entry:
    """A tool call in the history; *spent* is what the run had bought when it began, see `RunState.mark`."""

    name: str
    args_hash: str | None
    spent: int
    done: bool = False
    error_class: str | None = None
    result_hash: str | None = None
    tries: int = 1
    """Which try it is of a call that failed."""


@dataclass(frozen=True, slots=True)
class Loop:
    """
    What repeats: *kind* is ``repeat``, ``same_result``, ``retry_storm``, ``failing_queries`` or ``cycle``.

    *count* is how often, *since* what the run had bought when it began, see `RunState.mark`.
    """

    kind: str
    tool: str
    count: int
    since: int
    period: int = 1

    def __str__(self) -> str:
        what = {
            "repeat": f"{self.tool} with the same arguments, {self.count} times",
            "same_result": f"{self.tool} with the same arguments and the same result, {self.count} times",
            "retry_storm": f"{self.tool}, the same again after {self.count - 1} failures",
            "failing_queries": f"{self.tool} with ever new arguments after {self.count} failures",
            "cycle": f"a round of {self.period} tool calls, {self.count} times",
        }
        return what[self.kind]


class History:
    """The last tool calls of one run."""

    __slots__ = ("_by_tool", "_entries", "_limits", "_lock", "calls")

    def __init__(self, limits: Loops) -> None:
        self._limits = limits
        self._entries: deque[Entry] = deque(maxlen=max(limits.window, limits.longest_cycle * limits.cycles))
        self._by_tool: OrderedDict[str, deque[Entry]] = OrderedDict()
        self._lock = threading.RLock()
        self.calls = 0

    def begin(self, name: str, args_hash: str | None, spent: int) -> tuple[Entry, Loop | None]:
        """Remember a call that is about to be made, and say what it repeats."""
        entry = Entry(name, args_hash, spent)
        with self._lock:
            self.calls += 1
            loop = self._repeated(entry) if args_hash is not None else None
            loop = loop or self._failing(entry)
            self._entries.append(entry)
            recent = self._by_tool.get(name)
            if recent and args_hash is not None:
                before = next((e for e in reversed(recent) if e.args_hash == args_hash), None)
                entry.tries = before.tries + 1 if before is not None and before.error_class else 1
            if recent is None:
                recent = self._by_tool[name] = deque(maxlen=_RECENT)
                if len(self._by_tool) > _MAX_TOOLS:
                    self._by_tool.popitem(last=False)
            recent.append(entry)
            if loop is None and args_hash is not None:
                loop = self._cycle()
        return entry, loop

    def retrying(self) -> int:
        """The most tries of a call that is under way and failed before; 1 when there is none."""
        with self._lock:
            return max((e.tries for e in self._entries if not e.done), default=1)

    @staticmethod
    def end(entry: Entry, error_class: str | None, result_hash: str | None) -> None:
        """Say how the call ended."""
        entry.error_class, entry.result_hash, entry.done = error_class, result_hash, True

    def _repeated(self, new: Entry) -> Loop | None:
        recent = self._by_tool.get(new.name)
        if recent is None or not any(e.args_hash == new.args_hash for e in recent):
            return None  # the quick way out for what is always new
        limits = self._limits
        late = islice(self._entries, max(0, len(self._entries) + 1 - limits.window), None)
        same = [e for e in late if e.args_hash == new.args_hash and e.name == new.name]
        answered = failed = 0
        for entry in reversed(same):
            if not entry.done or entry.error_class is None:
                break
            failed += 1
        if failed + 1 >= limits.retries:
            return Loop("retry_storm", new.name, failed + 1, same[-failed].spent)
        for entry in reversed(same):
            if not entry.done or entry.result_hash is None or entry.result_hash != same[-1].result_hash:
                break
            answered += 1
        if answered + 1 >= limits.same_result and not failed:
            return Loop("same_result", new.name, answered + 1, same[-answered].spent)
        if len(same) + 1 >= limits.repeats:
            return Loop("repeat", new.name, len(same) + 1, same[0].spent)
        return None

    def _failing(self, new: Entry) -> Loop | None:
        recent = self._by_tool.get(new.name)
        if recent is None:
            return None
        failed = [e for e in recent if e.error_class is not None]
        if len(failed) < self._limits.failing or len({e.args_hash for e in (*failed, new)}) < _DISTINCT:
            return None
        return Loop("failing_queries", new.name, len(failed), failed[0].spent)

    def _cycle(self) -> Loop | None:
        calls, rounds = self._entries, self._limits.cycles
        last, size = calls[-1], len(calls)
        for period in range(2, self._limits.longest_cycle + 1):
            if size < period * rounds:
                return None
            other = calls[-1 - period]
            if other.args_hash != last.args_hash or other.name != last.name:
                continue
            tail = [(e.name, e.args_hash) for e in list(calls)[-period * rounds :]]
            if all(tail[i] == tail[i + period] for i in range(len(tail) - period)) and len(set(tail[:period])) > 1:
                return Loop("cycle", last.name, rounds, calls[-period * rounds].spent, period)
        return None
