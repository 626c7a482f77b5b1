"""
All runs of this process: those that go on, the last ones that ended, and who is told what happens to them.

The truth that limits, metrics, journal and report read; what one run has used is in `spanledger.account`.
"""

from __future__ import annotations

import copy
import dataclasses
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

from .account import ModelCall, Run, ToolUse, Totals
from .shield import report

__all__ = ["Inherited", "Ledger", "ModelCall", "Run", "ToolUse", "Totals", "ledger", "settled_in_child"]

MAX_RUNS: Final = 10_000
"""How many runs are remembered, going on or ended; beyond, the oldest are forgotten and counted."""

Listener: TypeAlias = Callable[[Run], Any]


settled_in_child: Final[list[Listener]] = []
"""Called with a run of the parent's after something was settled in it here, on the caller's thread; must be quick."""


def _tell(run: Run) -> None:
    for listener in settled_in_child:
        listener(run)


class Inherited(Run):
    """
    In a forked child, a run that its parent was in: what is settled here is the child's share of that run.

    `before` is the run as it was at the fork.
    """

    before: Run

    @classmethod
    def make(cls, run: Run) -> Inherited:
        """Make *run* itself one, wherever the code of this child holds it."""
        found = copy.copy(run)
        found.__class__ = Run
        found.__dict__.pop("before", None)
        found.usage, found.models = dataclasses.replace(run.usage), dict(run.models)
        found.decisions, found._to_price = list(run.decisions), list(run._to_price)  # noqa: SLF001 - its own kind
        run.__class__ = cls
        assert isinstance(run, cls)  # noqa: S101 - told to mypy
        run.before = found
        return run

    def settle_model(self, call: ModelCall) -> None:
        """As for any run, and leave word."""
        super().settle_model(call)
        _tell(self)

    def learn(self, call: ModelCall, told: ModelCall) -> None:
        """As for any run, and leave word."""
        super().learn(call, told)
        _tell(self)

    def settle_tool(self, use: ToolUse) -> None:
        """As for any run, and leave word."""
        super().settle_tool(use)
        _tell(self)


class Ledger:
    """All runs of this process that are going on, and the last ones that ended."""

    def __init__(self, max_runs: int = MAX_RUNS) -> None:
        self._runs: OrderedDict[str, Run] = OrderedDict()
        self._open: dict[str, Run] = {}
        self._lock = threading.RLock()
        self._max = max_runs
        self.forgotten = 0
        self.inherited: dict[str, Inherited] = {}
        """The runs that went on in the parent when this process was forked."""
        self._started: tuple[Listener, ...] = ()
        self._ended: tuple[Listener, ...] = ()

    def open(self, run: Run, *, remember: bool = True) -> None:
        """Take in a run that begins; one that nobody will ask for afterwards need not be remembered."""
        if remember:
            with self._lock:
                self._runs[run.id] = self._open[run.id] = run
                while len(self._runs) > self._max:
                    old, _ = self._runs.popitem(last=False)
                    self._open.pop(old, None)
                    self.forgotten += 1
        else:
            self._open[run.id] = run
        for listener in self._started:
            try:
                listener(run)
            except Exception as error:  # noqa: BLE001, PERF203 - who looks on decides nothing
                report("telling of a run that began", error)

    def close(self, run: Run, stop_reason: str) -> bool:
        """End *run*; the first to say so decides, later ones are told `False`."""
        with run.lock:
            if run.ended is not None:
                return False
            run.stop_reason = run.stop_reason or stop_reason
            run.ended = time.time_ns()
        self._open.pop(run.id, None)
        for listener in self._ended:
            try:
                listener(run)
            except Exception as error:  # noqa: BLE001, PERF203 - as above
                report("telling of a run that ended", error)
        return True

    def listen(self, *, started: Listener | None = None, ended: Listener | None = None) -> None:
        """Call them with each run that begins or that ends, on the caller's thread; they must be quick."""
        if started is not None:
            self._started = (*self._started, started)
        if ended is not None:
            self._ended = (*self._ended, ended)

    def ignore(self, *listeners: Listener) -> None:
        """Call *listeners* no more."""
        self._started = tuple(one for one in self._started if one not in listeners)
        self._ended = tuple(one for one in self._ended if one not in listeners)

    def begin_anew(self) -> None:
        """Forget everything, locks that somebody held included: a forked child's runs are its own, or its parent's."""
        self._lock = threading.RLock()
        self.inherited = {run.id: Inherited.make(run) for run in (*self.inherited.values(), *self._open.values())}
        self._runs = OrderedDict()
        self._open = {}

    def get(self, run_id: str) -> Run | None:
        """The run with this id, if it is remembered."""
        return self._runs.get(run_id) or self._open.get(run_id)

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
