"""
Budgets of one process, in its memory.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any, Final

from .plan import UNITS
from .store import Kill, Refused, Want

__all__ = ["MemoryStore"]

MAX_COUNTERS: Final = 100_000
"""How many counters are kept; beyond, those whose time is over go first, then the oldest."""


class MemoryStore:
    """Counters in a dictionary behind one lock."""

    shared = False

    def __init__(self, max_counters: int = MAX_COUNTERS) -> None:
        self._counters: dict[tuple[str, str], list[int]] = {}
        self.stopped: dict[str, Kill] = {}
        """What is killed, by target."""
        self._lock = threading.RLock()
        self._max = max_counters
        self.forgotten = 0
        """Counters that were dropped before their time."""

    def reserve(
        self, wants: Sequence[Want], targets: Sequence[str]
    ) -> tuple[Any, list[tuple[int, int]]] | Refused | Kill:
        """See `Store.reserve`."""
        counters = self._counters
        with self._lock:
            if self.stopped and (kill := self._killed(targets)) is not None:
                return kill
            rows: list[list[int]] = []
            after = []
            for counter, amount, _ in wants:
                row = counters.get(counter.name)
                if row is None:
                    row = counters[counter.name] = [0, 0, counter.expires]
                if counter.limit is not None and row[0] + row[1] + amount > counter.limit:
                    return Refused(len(rows), row[0], row[1])
                rows.append(row)
            for row, (_, amount, hold) in zip(rows, wants, strict=True):
                row[1 if hold else 0] += amount
                after.append((row[0], row[1]))
            if len(counters) > self._max:
                self._shrink()
        return True, after

    def settle(self, hold: Any, charges: Sequence[tuple[str, str, int, int, int]]) -> list[tuple[int, int]]:
        """See `Store.settle`."""
        after = []
        with self._lock:
            for key, unit, held, spent, expires in charges:
                row = self._counters.get((key, unit))
                if row is None:
                    row = self._counters[key, unit] = [0, 0, expires]
                if hold is not None:
                    row[1] = max(0, row[1] - held)
                row[0] += spent
                after.append((row[0], row[1]))
        return after

    def read(self, counters: Sequence[tuple[str, str]]) -> list[tuple[int, int]]:
        """See `Store.read`."""
        with self._lock:
            rows = [self._counters.get(counter, (0, 0)) for counter in counters]
            return [(row[0], row[1]) for row in rows]

    def _shrink(self) -> None:
        now = int(time.time())
        for counter in [c for c, row in self._counters.items() if row[2] < now]:
            del self._counters[counter]
        while len(self._counters) > self._max:
            del self._counters[next(iter(self._counters))]
            self.forgotten += 1

    def forget(self, key: str) -> None:
        """Drop the counters of *key*: its run has ended."""
        with self._lock:
            for unit in UNITS:
                self._counters.pop((key, unit), None)

    def _killed(self, targets: Sequence[str]) -> Kill | None:
        return next((self.stopped[t] for t in targets if t in self.stopped), None)

    def killed(self, targets: Sequence[str]) -> Kill | None:
        """See `Store.killed`."""
        return self._killed(targets) if self.stopped else None

    def kill(self, kill: Kill) -> None:
        """See `Store.kill`."""
        self.stopped[kill.target] = kill

    def revive(self, target: str) -> bool:
        """See `Store.revive`."""
        return self.stopped.pop(target, None) is not None

    def kills(self) -> list[Kill]:
        """See `Store.kills`."""
        return list(self.stopped.values())

    def begin_anew(self) -> None:
        """See `Store.begin_anew`."""
        self._lock = threading.RLock()
        for row in self._counters.values():
            row[1] = 0

    def close(self) -> None:
        """Nothing to let go of."""
