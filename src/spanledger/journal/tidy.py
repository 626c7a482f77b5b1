"""What is done to the journal besides writing: vanished runs are ended, old ones dropped, users forgotten."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from typing import Final

from .file import transaction
from .process import Process, alive

__all__ = ["STALE_SECONDS", "delete_user", "drop_old", "end_vanished", "runs_of_user"]

STALE_SECONDS: Final = 30.0
"""How old the heartbeat of a going-on run may be where nobody can see its process, e.g. that of another host."""
BATCH: Final = 200
"""Runs dropped per transaction: others must not wait long."""


def end_vanished(connection: sqlite3.Connection, *, now: int | None = None, stale: float = STALE_SECONDS) -> int:
    """End the runs whose process is gone as ``abandoned``, at their last heartbeat; give back how many."""
    now = time.time_ns() if now is None else now
    known: dict[Process, bool | None] = {}
    vanished = []
    for row in connection.execute("SELECT run_id, pid, host, process, heartbeat FROM runs WHERE ended IS NULL"):
        process = Process(row["pid"], row["host"], row["process"])
        if process not in known:
            known[process] = alive(process)
        there = known[process]
        if there is False or (there is None and now - row["heartbeat"] > stale * 1e9):
            vanished.append((row["run_id"], row["heartbeat"]))
    if vanished:
        with transaction(connection):
            connection.executemany(
                "UPDATE runs SET ended = max(started, heartbeat), stop_reason = 'abandoned', status = 'failure' "
                "WHERE run_id = ? AND heartbeat = ? AND ended IS NULL",
                vanished,
            )
    return len(vanished)


def drop_old(connection: sqlite3.Connection, days: int, *, now: int | None = None) -> int:
    """Drop the runs that ended more than *days* days ago, with their spans; give back how many runs."""
    before = (time.time_ns() if now is None else now) - days * 86_400 * 10**9
    dropped = 0
    while True:
        old = "SELECT run_id FROM runs WHERE ended < ? ORDER BY ended LIMIT ?"
        ids = [row["run_id"] for row in connection.execute(old, (before, BATCH))]
        if not ids:
            break
        _drop(connection, ids)
        dropped += len(ids)
    lost = "SELECT DISTINCT run_id FROM spans WHERE ended < ? AND run_id NOT IN (SELECT run_id FROM runs) LIMIT ?"
    _drop(connection, [row["run_id"] for row in connection.execute(lost, (before, BATCH))])
    with transaction(connection):
        connection.execute("DELETE FROM unsent WHERE last < ?", (before,))
    connection.execute("PRAGMA incremental_vacuum").fetchall()
    return dropped


def runs_of_user(connection: sqlite3.Connection, users: Sequence[str]) -> list[str]:
    """The ids of every run of this user, who may be spelled in several ways, and of the runs inside them."""
    marks = ", ".join("?" * len(users))
    rows = connection.execute(
        f"""
        WITH RECURSIVE theirs (run_id) AS (
            SELECT run_id FROM runs WHERE user_id IN ({marks})
            UNION SELECT run_id FROM spans WHERE user_id IN ({marks})
            UNION SELECT runs.run_id FROM runs JOIN theirs ON theirs.run_id IN (runs.parent_id, runs.called_by)
        )
        SELECT run_id FROM theirs
        """,  # noqa: S608 - question marks
        (*users, *users),
    )
    return [row["run_id"] for row in rows]


def delete_user(connection: sqlite3.Connection, users: Sequence[str]) -> tuple[int, int]:
    """
    Delete every run of this user, the runs inside them, and all of their spans; give back both counts.

    What was there is overwritten in the file, and nothing stays behind in the write-ahead log.
    """
    runs, spans = _drop(connection, runs_of_user(connection, users))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return runs, spans


def _drop(connection: sqlite3.Connection, ids: list[str]) -> tuple[int, int]:
    if not ids:
        return 0, 0
    keys = [(run_id,) for run_id in ids]
    with transaction(connection):
        spans = connection.executemany("DELETE FROM spans WHERE run_id = ?", keys).rowcount
        connection.executemany("DELETE FROM unsent WHERE run_id = ?", keys)
        connection.executemany("DELETE FROM shares WHERE run_id = ?", keys)
        runs = connection.executemany("DELETE FROM runs WHERE run_id = ?", keys).rowcount
    return runs, spans
