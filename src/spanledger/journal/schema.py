"""
The journal's tables, as the steps that made them what they are.

A file knows how many of the steps it has seen (``PRAGMA user_version``); opening it for writing takes the rest.  A
step that has been released is never changed: append another one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Final

__all__ = ["APPLICATION_ID", "MIGRATIONS", "format_version", "migrate"]

APPLICATION_ID: Final = 0x53504C47
"""What SQLite's header calls our files by: ``SPLG``."""

MIGRATIONS: Final[list[Callable[[sqlite3.Connection], None]]] = []


def _migration(step: Callable[[sqlite3.Connection], None]) -> Callable[[sqlite3.Connection], None]:
    MIGRATIONS.append(step)
    return step


def format_version(connection: sqlite3.Connection) -> int:
    """How many migrations the file has seen."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, *, written_by: str) -> int:
    """
    Take the migrations that the file lacks, all or none, and give back how many there were.

    Safe with several processes at once: the version is read again inside the transaction.
    """
    if format_version(connection) >= len(MIGRATIONS):
        return 0
    connection.execute("BEGIN IMMEDIATE")
    try:
        lacking = MIGRATIONS[format_version(connection) :]
        for step in lacking:
            step(connection)
        if lacking:
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('written_by', ?)", (written_by,))
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return len(lacking)


@_migration
def _runs_and_spans(connection: sqlite3.Connection) -> None:
    """Times are nanoseconds since the epoch, money is a decimal as text, mappings and lists are JSON."""
    connection.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT)")
    connection.execute(
        """
        CREATE TABLE runs (
            run_id TEXT PRIMARY KEY, name TEXT, implicit INTEGER NOT NULL, parent_id TEXT,
            session_id TEXT, user_id TEXT, request_id TEXT, labels TEXT NOT NULL,
            agent_version TEXT, prompt_version TEXT, system_hash TEXT, tools_hash TEXT,
            service_name TEXT, service_version TEXT, commit_id TEXT,
            trace_id TEXT, span_id TEXT,
            started INTEGER NOT NULL, ended INTEGER, active INTEGER NOT NULL, heartbeat INTEGER NOT NULL,
            status TEXT NOT NULL, stop_reason TEXT, error_class TEXT,
            steps INTEGER NOT NULL, model_calls INTEGER NOT NULL, model_errors INTEGER NOT NULL,
            tool_calls INTEGER NOT NULL, tool_errors INTEGER NOT NULL, last_tool TEXT, models TEXT NOT NULL,
            input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cache_read_tokens INTEGER NOT NULL,
            cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL, unknown_usage INTEGER NOT NULL,
            cost TEXT NOT NULL, unpriced INTEGER NOT NULL,
            pid INTEGER NOT NULL, host TEXT NOT NULL, process TEXT NOT NULL
        )
        """
    )
    connection.execute("CREATE INDEX runs_started ON runs (started)")
    connection.execute("CREATE INDEX runs_user ON runs (user_id) WHERE user_id IS NOT NULL")
    connection.execute("CREATE INDEX runs_session ON runs (session_id) WHERE session_id IS NOT NULL")
    connection.execute("CREATE INDEX runs_parent ON runs (parent_id) WHERE parent_id IS NOT NULL")
    connection.execute("CREATE INDEX runs_going_on ON runs (pid) WHERE ended IS NULL")
    connection.execute(
        """
        CREATE TABLE spans (
            trace_id TEXT NOT NULL, span_id TEXT NOT NULL, parent_id TEXT, run_id TEXT NOT NULL, step INTEGER,
            name TEXT NOT NULL, operation TEXT, kind TEXT NOT NULL, scope TEXT,
            started INTEGER NOT NULL, ended INTEGER NOT NULL, status TEXT NOT NULL, description TEXT, user_id TEXT,
            attributes TEXT NOT NULL, events TEXT NOT NULL, links TEXT NOT NULL,
            PRIMARY KEY (trace_id, span_id)
        ) WITHOUT ROWID
        """
    )
    connection.execute("CREATE INDEX spans_run ON spans (run_id, started)")
    connection.execute("CREATE INDEX spans_user ON spans (user_id) WHERE user_id IS NOT NULL")


@_migration
def _counters(connection: sqlite3.Connection) -> None:
    """What could not be written, told by the next writer that could."""
    connection.execute(
        "CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL, reason TEXT, last INTEGER NOT NULL)"
    )


@_migration
def _decisions_and_retries(connection: sqlite3.Connection) -> None:
    """What limits decided, a JSON list; attempts at model calls after others that failed, and seconds between."""
    connection.execute("ALTER TABLE runs ADD COLUMN retries INTEGER NOT NULL DEFAULT 0")
    connection.execute("ALTER TABLE runs ADD COLUMN retry_wait REAL NOT NULL DEFAULT 0")
    connection.execute("ALTER TABLE runs ADD COLUMN decisions TEXT NOT NULL DEFAULT '[]'")


@_migration
def _unsent(connection: sqlite3.Connection) -> None:
    """How many spans of a run an exporter did not take; the empty run id has those of whom it is not known."""
    connection.execute(
        "CREATE TABLE unsent (run_id TEXT NOT NULL, exporter TEXT NOT NULL, spans INTEGER NOT NULL, "
        "last INTEGER NOT NULL, PRIMARY KEY (run_id, exporter)) WITHOUT ROWID"
    )


@_migration
def _other_processes(connection: sqlite3.Connection) -> None:
    """
    What forked children used of a run of their parent's, columns as in ``runs``, whose rows are without it.

    And the run of another process whose request a run answers; its row is without it, too.
    """
    connection.execute("ALTER TABLE runs ADD COLUMN called_by TEXT")
    connection.execute("CREATE INDEX runs_called_by ON runs (called_by) WHERE called_by IS NOT NULL")
    connection.execute(
        """
        CREATE TABLE shares (
            run_id TEXT NOT NULL, pid INTEGER NOT NULL, host TEXT NOT NULL, process TEXT NOT NULL,
            steps INTEGER NOT NULL, model_calls INTEGER NOT NULL, model_errors INTEGER NOT NULL,
            tool_calls INTEGER NOT NULL, tool_errors INTEGER NOT NULL, models TEXT NOT NULL,
            input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cache_read_tokens INTEGER NOT NULL,
            cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL, unknown_usage INTEGER NOT NULL,
            cost TEXT NOT NULL, unpriced INTEGER NOT NULL, retries INTEGER NOT NULL, retry_wait REAL NOT NULL,
            decisions TEXT NOT NULL,
            PRIMARY KEY (run_id, pid, host, process)
        ) WITHOUT ROWID
        """
    )
