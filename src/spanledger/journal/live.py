"""
What is running now, kept in the journal while it runs.

A thread of its own looks prices up and writes; the threads of the calls only leave word that a run began or ended.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any, Final

from .. import pricing
from ..account import after_the_end
from ..forks import undivided
from ..ledger import Inherited, Ledger, Run, settled_in_child
from ..shield import failures, shield
from .program import version_of_environment
from .rows import RunRow, Version
from .shares import share_of
from .store import Journal

__all__ = ["LiveRuns"]

MAX_ENDED: Final = 10_000
"""Ended runs that may wait to be written; beyond, the oldest are lost and counted."""

PAUSE: Final = 0.05
"""Seconds between two writings at least, so that a busy program's runs are written many at a time."""

_all: weakref.WeakSet[LiveRuns] = weakref.WeakSet()
_watching_forks = False


def _after_fork() -> None:
    for live in list(_all):
        live._begin_again()  # noqa: SLF001 - its own module


class LiveRuns:
    """
    Follows a ledger and keeps the journal's rows of its runs up to date.

    Rows are written every *interval* seconds while runs go on, and at once when one begins or ends.  *describe* may
    change a row before it is written (who may be named in it is a matter of policy); if it fails, the row is written
    without user, session, request and labels, and the first rows of a process are without any words until it is
    loaded.  *before* is called each time rows are about to be written.  The thread starts with the first run, and anew
    in a forked child, where the parent's runs are the parent's business; what the child uses of them is written as
    its share.
    """

    def __init__(
        self, journal: Journal, ledger: Ledger, interval: float = 1.0,
        describe: Callable[[RunRow], RunRow] | None = None, version: Version | None = None,
        before: Callable[[], Any] | None = None,
    ) -> None:  # fmt: skip
        global _watching_forks  # noqa: PLW0603 - a fork hook can't be taken back, so there is one
        self._journal, self._ledger, self._interval, self._describe = journal, ledger, interval, describe
        self._version, self._before = version, before
        self._inherited: dict[str, Inherited] = {}
        self._closed = False
        self._begin()
        ledger.listen(started=self._started, ended=self._ended_now)
        after_the_end.append(self._ended_now)
        settled_in_child.append(self._shared)
        _all.add(self)
        if not _watching_forks and hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_after_fork)
            _watching_forks = True

    def flush(self, deadline: float = 5.0) -> bool:
        """Write what there is to write now; whether that was done within *deadline* seconds."""
        with self._word:
            if self._thread is None or not self._thread.is_alive():
                alone = True
            else:
                alone = False
                self._asked += 1
                wanted = self._asked
                self._word.notify_all()
                done = self._word.wait_for(lambda: self._answered >= wanted, deadline)
        if alone:
            self._write()
            return True
        return done

    def close(self, deadline: float = 5.0) -> bool:
        """Stop following, write what is left; whether that was done within *deadline* seconds."""
        with shield("leaving the ledger"):
            self._ledger.ignore(self._started, self._ended_now)
            with contextlib.suppress(ValueError):
                after_the_end.remove(self._ended_now)
                settled_in_child.remove(self._shared)
        with self._word:
            self._closed = True
            thread = self._thread
            self._word.notify_all()
        if thread is not None and thread.is_alive():
            thread.join(deadline)
        else:
            self._write()
        done = thread is None or not thread.is_alive()
        if done:
            self._journal.close()
        return done

    @property
    def idle(self) -> bool:
        """Whether it was closed and has written what there was."""
        return self._closed and (self._thread is None or not self._thread.is_alive())

    def _begin(self) -> None:
        self._word = threading.Condition()
        self._thread: threading.Thread | None = None
        self._ended: dict[str, Run] = {}
        self._written: dict[str, tuple[object, ...]] = {}
        self._using: dict[str, Inherited] = {}
        self._used: dict[str, tuple[object, ...]] = {}
        self._used_lately = False
        self._asked = self._answered = 0
        self._urgent = False

    def _begin_again(self) -> None:
        self._begin()
        if self._ledger._open:  # noqa: SLF001 - its lock may be held by a thread that is no more
            self._ledger.begin_anew()
        self._inherited = self._ledger.inherited

    # the next three are on the caller's thread: they leave word, no more

    def _started(self, run: Run) -> None:
        if run.id not in self._inherited:
            with self._word:
                thread = self._wake()
            self._start(thread)

    def _ended_now(self, run: Run) -> None:
        if run.id in self._inherited:
            return
        with self._word:
            self._ended[run.id] = run
            if len(self._ended) > MAX_ENDED:
                del self._ended[next(iter(self._ended))]
                failures["keeping up with ended runs"] += 1
            thread = self._wake()
        self._start(thread)

    def _shared(self, run: Run) -> None:
        found = self._inherited.get(run.id)
        if found is None:
            return
        with self._word:
            self._using[run.id] = found
            thread = self._wake()
        self._start(thread)

    def _wake(self) -> threading.Thread | None:
        """Have what is new written; the thread to start for that, if there is none yet."""
        if self._urgent:
            return None
        self._urgent = True
        self._word.notify_all()
        if self._thread is not None or self._closed:
            return None
        self._thread = threading.Thread(target=self._work, name="spanledger-live", daemon=True)
        return self._thread

    def _start(self, thread: threading.Thread | None) -> None:
        """Start *thread*, without the lock: where threads are gevent's everybody else goes on first."""
        if thread is not None:
            with shield("starting the journal's thread"):
                thread.start()

    def _work(self) -> None:
        with undivided(), shield("loading SQLite"):
            from . import tables, tidy  # noqa: F401, PLC0415 - SQLite, at last
        self._note_beginning()
        with undivided(), shield("loading prices"):
            pricing.warm()
        while True:
            with self._word:
                idle = not self._written and not self._ended and not self._used_lately
                self._word.wait_for(self._wanted, None if idle else self._interval)
                self._urgent = False
                asked, closed = self._asked, self._closed
            if self._before is not None and not closed:
                with shield("ending runs that have their answer"):
                    self._before()
            self._write()
            with self._word:
                self._answered = asked
                self._word.notify_all()
                if closed:
                    return
                self._word.wait_for(self._hurried, PAUSE)

    def _note_beginning(self) -> None:
        """Write that what goes on has begun, before all that takes its time to load: who dies meanwhile leaves that."""
        with shield("writing live runs"):
            rows = [RunRow.of(run) for run in self._ledger.going_on()]
            self._journal.write_runs(rows if self._describe is None else [row.wordless() for row in rows])

    def _hurried(self) -> bool:
        return self._closed or self._asked > self._answered

    def _wanted(self) -> bool:
        return self._urgent or self._hurried()

    def _write(self) -> None:
        with shield("writing live runs"):
            if self._version is None:
                self._version = version_of_environment()
            with self._word:
                ended, self._ended = self._ended, {}
                using = list(self._using.values())
            now = time.time_ns()
            rows = [self._row(run) for run in ended.values()]
            going_on = self._ledger.going_on()
            written: dict[str, tuple[object, ...]] = {}
            for run in going_on:
                state = _state(run)
                if self._written.get(run.id) != state:
                    rows.append(self._row(run))
                written[run.id] = state
            used = {run.id: _used(run) for run in using}
            shares = [run for run in using if self._used.get(run.id) != used[run.id]]
            self._used_lately = bool(shares)  # what limits say of a call comes after it was settled
            shared = [share_of(run, self._row) for run in shares]
            if self._journal.write_runs(rows, shares=shared, alive=list(written), now=now):
                self._written, self._used = written, used
            else:  # what goes on is written anew when that is possible again
                self._written = dict.fromkeys(written, ())

    def _row(self, run: Run) -> RunRow:
        row = RunRow.of(run, self._version)
        if self._describe is None:
            return row
        try:
            return self._describe(row)
        except Exception:  # noqa: BLE001 - whatever the policy fails with, nobody is named
            failures["describing a run for the journal"] += 1
            return row.anonymous()


def _state(run: Run) -> tuple[object, ...]:
    return (
        run.active, run.steps, run.model_calls, run.tool_calls, run.stop_reason, run.name, run.user_id, run.session_id,
        run.system_hash, run.tools_hash, run.retries, len(run.decisions),
    )  # fmt: skip


def _used(run: Run) -> tuple[object, ...]:
    return (*_state(run), run.usage.total, run.usage.unknown)
