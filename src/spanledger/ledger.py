"""
All runs of this process: those that go on, the last ones that ended, and who is told what happens to them.

The truth that limits, metrics, journal and report read; what one run has used is in `spanledger.account`.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

from .account import ModelCall, Run, ToolUse, Totals

__all__ = ["EVENTS", "Ledger", "ModelCall", "Run", "ToolUse", "Totals", "ledger"]

MAX_RUNS: Final = 10_000
"""How many runs are remembered, going on or ended; beyond, the oldest are forgotten and counted."""

EVENTS: Final = ("started", "call", "tool", "ended")
"""What happens to a run: it begins, a model call or a tool call of it is settled, it ends."""

Listener: TypeAlias = Callable[[Run], Any]


class Ledger:
    """All runs of this process that are going on, and the last ones that ended."""

    def __init__(self, max_runs: int = MAX_RUNS) -> None:
        self._runs: OrderedDict[str, Run] = OrderedDict()
        self._open: dict[str, Run] = {}
        self._lock = threading.RLock()
        self._max = max_runs
        self.forgotten = 0
        self._listeners: dict[str, tuple[Listener, ...]] = {}

    def open(self, run: Run) -> None:
        """Remember a run that begins."""
        with self._lock:
            self._runs[run.id] = run
            self._open[run.id] = run
            while len(self._runs) > self._max:
                old, _ = self._runs.popitem(last=False)
                self._open.pop(old, None)
                self.forgotten += 1
        self.tell("started", run)

    def close(self, run: Run, stop_reason: str, *, forget: bool = False) -> bool:
        """End *run*; the first to say so decides, later ones are told `False`.  *forget* it when nobody will ask."""
        with run.lock:
            if run.ended is not None:
                return False
            run.stop_reason = run.stop_reason or stop_reason
            run.ended = time.time_ns()
        with self._lock:
            self._open.pop(run.id, None)
            if forget:
                self._runs.pop(run.id, None)
        self.tell("ended", run)
        return True

    def listen(self, listener: Listener, *events: str) -> None:
        """Call *listener* with the run after each of *events* (`EVENTS`), on the caller's thread; must be quick."""
        for event in events:
            if event not in EVENTS:
                msg = f"{event!r} is no event of a run; one of: {', '.join(EVENTS)}"
                raise ValueError(msg)
            self._listeners[event] = (*self._listeners.get(event, ()), listener)

    def ignore(self, listener: Listener) -> None:
        """Call *listener* no more."""
        for event, listeners in self._listeners.items():
            self._listeners[event] = tuple(other for other in listeners if other != listener)

    def tell(self, event: str, run: Run) -> None:
        """Tell those who listen for *event* that it happened to *run*."""
        for listener in self._listeners.get(event, ()):
            listener(run)

    def begin_anew(self) -> None:
        """Forget everything, locks that somebody held included: a forked child's runs are its own."""
        self._lock = threading.RLock()
        self._runs = OrderedDict()
        self._open = {}

    def get(self, run_id: str) -> Run | None:
        """The run with this id, if it is remembered."""
        return self._runs.get(run_id)

    def going_on(self) -> list[Run]:
        """The runs that have not ended."""
        with self._lock:
            return list(self._open.values())

    def __iter__(self) -> Iterator[Run]:
        with self._lock:
            return iter(list(self._runs.values()))

    def __len__(self) -> int:
        return len(self._runs)


ledger = Ledger()
"""This process's ledger."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=ledger.begin_anew)
