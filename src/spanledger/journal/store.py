"""
Writing the journal.  What can't be written is counted and forgotten: the agent goes on.

One `Journal` per process and file; threads share it, a forked child opens the file anew.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..errors import JournalError
from ..forks import closes
from ..shield import failures
from .rows import RunRow, SpanRow

if TYPE_CHECKING:
    import sqlite3

__all__ = ["Journal"]

logger = logging.getLogger("spanledger")

TIDY_SECONDS: Final = 3600.0
"""How often vanished and old runs are looked for, besides at the beginning."""

_journals: weakref.WeakSet[Journal] = weakref.WeakSet()
_watching_forks = False
_warned: list[str] = []
"""The files that a journal of this process has warned about: spans and runs are written by one each."""
MAX_WARNED: Final = 100


def _after_fork() -> None:
    for journal in list(_journals):
        journal._forget_parent()  # noqa: SLF001 - its own module


class Journal:
    """
    The file that runs and spans are written to.  No method raises.

    *days* is how long ended runs are kept, *busy* how many seconds to wait for other processes, *retry* how many
    seconds to leave a file alone that could not be written.
    """

    def __init__(self, path: Path, *, days: int = 30, busy: float = 3.0, retry: float = 5.0) -> None:
        global _watching_forks  # noqa: PLW0603 - a fork hook can't be taken back, so there is one
        self.path = path
        self.lost: Counter[str] = Counter()
        """How many ``runs`` and ``spans`` could not be written since the process started."""
        self.trouble: str | None = None
        """Why nothing can be written now, or `None`."""
        self._days, self._busy, self._retry = days, busy, retry
        self._untold: Counter[str] = Counter()
        self._connection: sqlite3.Connection | None = None
        self._left_behind: list[Any] = []
        self.lock = threading.RLock()
        """Held while the file is used."""
        self._off = self._warned = False
        self._not_before = self._tidied = float("-inf")
        _journals.add(self)
        closes(self)
        if not _watching_forks and hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_after_fork)
            _watching_forks = True

    def write_spans(self, rows: Sequence[SpanRow], runs: Sequence[RunRow] = ()) -> bool:
        """Store finished spans, and those of *runs* that nobody stored yet; whether that worked."""
        from .tables import add_runs, put_spans  # noqa: PLC0415 - SQLite is loaded with the first write

        def work(connection: sqlite3.Connection) -> None:
            put_spans(connection, rows)
            add_runs(connection, runs)

        return self._write("spans", len(rows), work)

    def write_runs(
        self, rows: Sequence[RunRow], *, shares: Sequence[RunRow] = (), alive: Sequence[str] = (),
        now: int | None = None,
    ) -> bool:  # fmt: skip
        """
        Store runs as they stand, and a heartbeat for the runs *alive*; whether that worked.

        *shares* are what this process, a forked child, used of runs of its parent's.
        """
        from .tables import put_runs, put_shares  # noqa: PLC0415 - as above

        beat = time.time_ns() if now is None else now

        def work(connection: sqlite3.Connection) -> None:
            put_runs(connection, rows)
            put_shares(connection, shares)
            connection.executemany(
                "UPDATE runs SET heartbeat = ? WHERE run_id = ? AND ended IS NULL", ((beat, run_id) for run_id in alive)
            )

        return self._write("runs", len(rows), work, anyway=bool(alive or shares))

    def end_with(self, unsent: Sequence[Mapping[str, Mapping[str, int]]]) -> None:
        """Remember what exporters did not take, each exporter to run id to how many spans, and give the file back."""
        from .tables import add_unsent  # noqa: PLC0415 - as above

        def work(connection: sqlite3.Connection) -> None:
            for each in unsent:
                add_unsent(connection, each, time.time_ns())

        self._write("unsent", 1, work)
        self.close()

    def close(self) -> None:
        """Give the file back; a later write opens it again."""
        with self.lock:
            self._drop_connection()

    def __del__(self) -> None:
        if getattr(self, "_connection", None) is not None:
            self.close()

    def _write(
        self, kind: str, count: int, work: Callable[[sqlite3.Connection], None], *, anyway: bool = False
    ) -> bool:
        if not count and not anyway:
            return True
        with self.lock:
            if not self._off and time.monotonic() >= self._not_before and self._try(work):
                return True
            self.lost[kind] += count
            self._untold[kind] += count
            failures["writing the journal"] += 1
            return False

    def _try(self, work: Callable[[sqlite3.Connection], None]) -> bool:
        import sqlite3  # noqa: PLC0415 - as above

        from .file import damaged, set_aside, transaction  # noqa: PLC0415 - as above

        for again in (True, True, False):
            try:
                connection = self._open()
                with transaction(connection):
                    work(connection)
                    self._tell_losses(connection)
                self._untold.clear()
                self._tidy(connection)
            except JournalError as error:  # noqa: PERF203 - three times at most
                self._off = True
                self._fail(str(error))
                return False
            except (sqlite3.Error, OSError, OverflowError) as error:
                self._drop_connection()
                if again and damaged(error) and self._put_aside(set_aside):
                    continue
                self._not_before = time.monotonic() + self._retry
                self._fail(f"can't write the journal {self.path}: {error}")
                return False
            else:
                self.trouble = None
                return True
        return False

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            from .file import open_to_write  # noqa: PLC0415 - as above

            self._connection = open_to_write(self.path, busy=self._busy)
        return self._connection

    def _put_aside(self, set_aside: Callable[[Path], Path | None]) -> bool:
        import sqlite3  # noqa: PLC0415 - as above

        try:
            aside = set_aside(self.path)
        except (sqlite3.Error, OSError):
            return False
        if aside:
            logger.warning("the journal %s was damaged; it is now %s, and a new one was begun", self.path, aside)
        return True

    def _tidy(self, connection: sqlite3.Connection) -> None:
        if time.monotonic() - self._tidied > TIDY_SECONDS:
            from .tidy import drop_old, end_vanished  # noqa: PLC0415 - as above

            self._tidied = time.monotonic()
            end_vanished(connection)
            drop_old(connection, self._days)

    def _tell_losses(self, connection: sqlite3.Connection) -> None:
        """Leave word for `doctor` of what was lost before this write worked."""
        connection.executemany(
            "INSERT INTO counters VALUES ('lost_' || ?, ?, ?, ?) "
            "ON CONFLICT (name) DO UPDATE SET value = value + excluded.value, reason = excluded.reason, "
            "last = excluded.last",
            [(kind, count, self.trouble, time.time_ns()) for kind, count in self._untold.items()],
        )

    def _fail(self, trouble: str) -> None:
        self.trouble = trouble
        if not self._warned and str(self.path) not in _warned:
            self._warned = True
            _warned[:] = [*_warned[-MAX_WARNED:], str(self.path)]
            logger.warning("%s; the program goes on, and what is not recorded is counted", trouble)

    def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _forget_parent(self) -> None:
        """In a forked child: leave a connection alone that the fork did not wait for, unclosed."""
        if self._connection is not None:
            self._left_behind.append(self._connection)
            self._connection = None
        self.lost.clear()
        self._untold.clear()
