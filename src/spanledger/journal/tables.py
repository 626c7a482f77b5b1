"""Rows to SQL and back.  The only place that knows which columns are JSON, decimals or booleans."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Any, Final

from .rows import RunRow, SpanRow
from .shares import COLUMNS, whole

__all__ = ["add_runs", "add_unsent", "put_runs", "put_shares", "put_spans", "run_rows", "span_row"]

_JSON: Final = frozenset({"labels", "models", "decisions", "attributes", "events", "links"})
_RUN: Final = tuple(f.name for f in fields(RunRow))
_SPAN: Final = tuple(f.name for f in fields(SpanRow))


def _insert(table: str, columns: tuple[str, ...]) -> str:
    return f"INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


_PUT_SPAN: Final = f"INSERT OR REPLACE {_insert('spans', _SPAN)}"
_ADD_RUN: Final = f"INSERT {_insert('runs', _RUN)} ON CONFLICT (run_id) DO "
_PUT_RUN: Final = f"{_ADD_RUN} UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _RUN[1:])}"

_PUT_SHARE: Final = f"INSERT OR REPLACE {_insert('shares', COLUMNS)}"
_SHARES: Final = "SELECT * FROM shares WHERE run_id IN (SELECT value FROM json_each(?))"


def _value(name: str, value: Any) -> Any:
    if name in _JSON:
        return json.dumps(value, separators=(",", ":"))
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, str):  # half a surrogate pair is no text for SQLite
        return value.encode("utf-8", "replace").decode("utf-8")
    return value


def put_spans(connection: sqlite3.Connection, rows: Iterable[SpanRow]) -> None:
    """Store *rows*; a span that is there already is replaced."""
    connection.executemany(_PUT_SPAN, ([_value(n, getattr(row, n)) for n in _SPAN] for row in rows))


def put_runs(connection: sqlite3.Connection, rows: Iterable[RunRow]) -> None:
    """Store *rows* as they stand now, over what was known of the same runs."""
    connection.executemany(_PUT_RUN, ([_value(n, getattr(row, n)) for n in _RUN] for row in rows))


def add_runs(connection: sqlite3.Connection, rows: Iterable[RunRow]) -> None:
    """Store those *rows* whose run is not known yet."""
    connection.executemany(_ADD_RUN + "NOTHING", ([_value(n, getattr(row, n)) for n in _RUN] for row in rows))


def put_shares(connection: sqlite3.Connection, rows: Iterable[RunRow]) -> None:
    """Store what this process used of runs of its parent's."""
    connection.executemany(_PUT_SHARE, ([_value(n, getattr(row, n)) for n in COLUMNS] for row in rows))


def add_unsent(connection: sqlite3.Connection, unsent: Mapping[str, Mapping[str, int]], now: int) -> None:
    """Add to what is known of spans that an exporter did not take: exporter to run id to how many."""
    connection.executemany(
        "INSERT INTO unsent VALUES (?, ?, ?, ?) ON CONFLICT (run_id, exporter) DO "
        "UPDATE SET spans = spans + excluded.spans, last = excluded.last",
        [(run, _value("", name), spans, now) for name, runs in unsent.items() for run, spans in runs.items()],
    )


def run_rows(connection: sqlite3.Connection, rows: Sequence[sqlite3.Row]) -> list[RunRow]:
    """Runs as they were stored, each with what forked children used of it."""
    shares: dict[str, list[RunRow]] = {}
    for row in connection.execute(_SHARES, (json.dumps([row["run_id"] for row in rows]),)):
        shares.setdefault(row["run_id"], []).append(RunRow(started=0, **_fields(row, COLUMNS)))
    return [whole(RunRow(**_fields(row, _RUN)), shares.get(row["run_id"], ())) for row in rows]


def _fields(row: sqlite3.Row, names: tuple[str, ...]) -> dict[str, Any]:
    found = {n: json.loads(row[n]) if n in _JSON else row[n] for n in names}
    found["cost"] = Decimal(found["cost"])
    if "implicit" in found:
        found["implicit"] = bool(found["implicit"])
    return found


def span_row(row: sqlite3.Row) -> SpanRow:
    """A span as it was stored."""
    return SpanRow(**{n: json.loads(row[n]) if n in _JSON else row[n] for n in _SPAN})
