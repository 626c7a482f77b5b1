"""
Reading the journal, for commands and whoever else asks what happened.

Runs whose process vanished are ended first, so that nobody is told that they go on.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TypeVar

from ..errors import JournalError, RunNotFound
from ..pipeline.identity import spellings
from .file import open_to_read, unreadable
from .rows import RunRow, SpanRow
from .schema import format_version
from .tables import run_rows, span_row
from .tidy import delete_user, end_vanished, runs_of_user

__all__ = ["Archive", "Sum", "total"]

CANDIDATES: Final = 8
"""How many runs to name when one can't be found."""
LATEST: Final = "latest"
_Found = TypeVar("_Found")
_BY_AGE: Final = "ORDER BY started DESC, run_id"


@dataclass(slots=True)
class Sum:
    """What a set of runs comes to."""

    runs: int = 0
    by_status: Counter[str] = field(default_factory=Counter)
    by_stop_reason: Counter[str] = field(default_factory=Counter)
    input_tokens: int = 0
    output_tokens: int = 0
    unknown_usage: int = 0
    """Model calls whose tokens are not all known."""
    cost: Decimal = Decimal(0)
    unpriced: int = 0


class Archive:
    """
    What the journal knows.  A file that does not exist reads as an empty one; closing is the caller's job.

    Raises `JournalError` when the file can't be read, `JournalTooNew` when it is of a newer version.
    """

    def __init__(self, path: Path, *, busy: float = 3.0) -> None:
        self.path = path
        self._connection = open_to_read(path, busy=busy)
        try:
            with contextlib.suppress(sqlite3.OperationalError):  # busy or full: shown as going on
                end_vanished(self._connection)
        except sqlite3.Error as error:
            raise unreadable(path, error) from error

    def __enter__(self) -> Archive:  # noqa: PYI034 - `Self` is not in 3.10
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back."""
        self._connection.close()

    @property
    def format(self) -> int:
        """The version of the file's format."""
        return format_version(self._connection)

    def runs(
        self, *, agent: str | None = None, status: str | None = None, stop_reason: str | None = None,
        user: str | None = None, session: str | None = None, since: int | None = None, live: bool = False,
        limit: int | None = None,
    ) -> list[RunRow]:  # fmt: skip
        """
        The runs that match all filters, newest first.

        *since* is nanoseconds since the epoch and keeps runs that started then or later; *live* those going on.
        """
        wanted: dict[str, Any] = {"name": agent, "status": status, "stop_reason": stop_reason}
        conditions = [f"{column} = :{column}" for column, value in wanted.items() if value is not None]
        for purpose, given in (("user", user), ("session", session)):
            if given is not None:
                known = {f"{purpose}_{n}": spelled for n, spelled in enumerate(spellings(purpose, given))}
                conditions.append(f"{purpose}_id IN ({', '.join(f':{name}' for name in known)})")
                wanted |= known
        if since is not None:
            conditions.append("started >= :since")
        if live:
            conditions.append("ended IS NULL")
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        values = {**wanted, "since": since, "limit": -1 if limit is None else limit}
        sql = f"SELECT * FROM runs {where} {_BY_AGE} LIMIT :limit"  # noqa: S608 - columns are ours, values are bound
        return self._rows(sql, values)

    def count(self) -> int:
        """How many runs there are."""
        return int(self.ask("SELECT count(*) FROM runs", ())[0][0])

    def run(self, reference: str) -> RunRow:
        """The run with this id, the only one whose id begins with it, or the newest one for ``latest``."""
        if reference == LATEST:
            if newest := self.runs(limit=1):
                return newest[0]
            raise RunNotFound(f"there are no runs in {self.path} yet")
        sql = f"SELECT * FROM runs WHERE run_id = ? OR substr(run_id, 1, ?) = ? {_BY_AGE} LIMIT ?"  # noqa: S608 - a constant
        found = self._rows(sql, (reference, len(reference), reference, CANDIDATES + 1)) if reference else []
        exact = [run for run in found if run.run_id == reference]
        if exact or len(found) == 1:
            return (exact or found)[0]
        if found:
            raise RunNotFound(f"several runs begin with {reference!r}", [run.run_id for run in found[:CANDIDATES]])
        newest = self.runs(limit=CANDIDATES)
        raise RunNotFound(f"no run begins with {reference!r} in {self.path}", [run.run_id for run in newest])

    def spans(self, run_id: str) -> list[SpanRow]:
        """The finished spans of a run, in the order in which they began."""
        rows = self.ask("SELECT * FROM spans WHERE run_id = ? ORDER BY started, ended DESC, span_id", (run_id,))
        return [span_row(row) for row in rows]

    def children(self, run_id: str) -> list[RunRow]:
        """The runs that were started inside a run, or by a request that it sent to another process, oldest first."""
        sql = "SELECT * FROM runs WHERE parent_id = :run OR called_by = :run ORDER BY started, run_id"
        return self._rows(sql, {"run": run_id})

    def counters(self) -> dict[str, dict[str, Any]]:
        """What writers could not write, by name: how many, why, and when they last said so."""
        return {row["name"]: dict(row) for row in self.ask("SELECT * FROM counters ORDER BY name", ())}

    def of_user(self, user_id: str) -> tuple[list[RunRow], int]:
        """What `delete_user` would delete: the runs of this user and those inside them, and how many spans."""
        ids = self._guarded(lambda: runs_of_user(self._connection, spellings("user", user_id)))
        runs = [row for run_id in ids for row in self._rows("SELECT * FROM runs WHERE run_id = ?", (run_id,))]
        counts = [self.ask("SELECT count(*) FROM spans WHERE run_id = ?", (run_id,))[0][0] for run_id in ids]
        return sorted(runs, key=lambda run: -run.started), sum(counts)

    def unsent(self, run_id: str | None = None) -> dict[str, dict[str, int]]:
        """
        What exporters did not take, of a run or of all: by exporter, ``spans`` and ``last``, when that was said.

        Nothing in a journal that no program has written since this is kept.
        """
        which, values = ("WHERE run_id = ?", (run_id,)) if run_id is not None else ("", ())
        sql = f"SELECT exporter, sum(spans) AS spans, max(last) AS last FROM unsent {which} GROUP BY exporter"  # noqa: S608
        return {row["exporter"]: {"spans": row["spans"], "last": row["last"]} for row in self.ask(sql, values)}

    def delete_user(self, user_id: str) -> tuple[int, int]:
        """Delete all of a user's runs and spans, the id as given or as the journal spells it; give back both counts."""
        if self.path.exists() and not self._connection.execute("PRAGMA database_list").fetchone()["file"]:
            raise JournalError(f"can't write the journal {self.path}, so nothing was deleted")
        try:
            return delete_user(self._connection, spellings("user", user_id))
        except sqlite3.Error as error:
            raise JournalError(f"can't write the journal {self.path}: {error}") from error

    def ask(self, sql: str, values: Any = ()) -> list[sqlite3.Row]:
        """The rows that a question of your own finds; the tables are those of `schema`."""
        return self._guarded(lambda: self._connection.execute(sql, values).fetchall())

    def _rows(self, sql: str, values: Any) -> list[RunRow]:
        return self._guarded(lambda: run_rows(self._connection, self._connection.execute(sql, values).fetchall()))

    def _guarded(self, ask: Callable[[], _Found]) -> _Found:
        try:
            return ask()
        except sqlite3.Error as error:
            raise unreadable(self.path, error) from error


def total(runs: Sequence[RunRow]) -> Sum:
    """
    What *runs* come to.

    A run inside another one of the set counts as a run, but its tokens and money are already in the outer one's.
    """
    found = Sum(runs=len(runs))
    ids = {run.run_id for run in runs}
    for run in runs:
        found.by_status[run.status] += 1
        if run.stop_reason is not None and run.ended is not None:
            found.by_stop_reason[run.stop_reason] += 1
        if run.parent_id in ids:
            continue
        found.input_tokens += run.input_tokens
        found.output_tokens += run.output_tokens
        found.unknown_usage += run.unknown_usage
        found.cost += run.cost
        found.unpriced += run.unpriced
    return found
