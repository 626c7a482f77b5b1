"""Runs as a table for a terminal, newest first, with what they come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from rich.table import Table
from rich.text import Text

from ..journal import RunRow, Sum
from ..limits import Kill
from .decisions import in_short, kill_of
from .text import STYLES
from .words import age, clean, duration, outcome, seconds_of, spent, tokens

__all__ = ["table_of", "totals_line"]

ID_SHOWN: Final = 12
"""Digits of a run id in the table: enough to name it to the other commands."""


def table_of(runs: Sequence[RunRow], *, now: int, kills: Mapping[str, Kill] | None = None) -> Table:
    """A table of *runs*; with *kills*, by target, it says what each did last, and what was decided about it."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column, where in (
        ("RUN", "left"), ("AGENT", "left"), ("STATUS", "left"), ("STEPS", "right"), ("CALLS", "right"),
        ("TOOLS", "right"), ("TOKENS", "right"), ("COST", "right"), ("TOOK", "right"), ("STARTED", "left"),
    ):  # fmt: skip
        table.add_column(column, justify="right" if where == "right" else "left", no_wrap=column == "RUN")
    for column in ("LAST TOOL", "LAST SEEN", "DECIDED") if kills is not None else ():
        table.add_column(column)
    for run in runs:
        cells: list[str | Text] = [
            run.run_id[:ID_SHOWN], clean(run.name or "-"), Text(outcome(run), STYLES.get(run.status, "")),
            str(run.steps), str(run.model_calls), str(run.tool_calls), _tokens(run),
            spent(run.cost, run.unpriced, run.model_calls), duration(seconds_of(run)), age(run.started, now),
        ]  # fmt: skip
        if kills is not None:
            decided = clean(in_short(run, kill_of(run, kills), now))
            cells += [clean(run.last_tool or "-"), age(run.heartbeat, now), decided]
        table.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in cells))
    return table


def _tokens(run: RunRow) -> str:
    known = run.input_tokens + run.output_tokens
    if not run.unknown_usage:
        return f"{known:,}"
    return f"{known:,} + ?" if known else "?"


def totals_line(found: Sum) -> str:
    """What the listed runs come to, in one line."""
    statuses = ", ".join(f"{count} {status}" for status, count in sorted(found.by_status.items()))
    money = spent(found.cost, found.unpriced, found.unpriced)
    noun = "run" if found.runs == 1 else "runs"
    used = tokens(found.input_tokens, found.output_tokens, missing=found.unknown_usage)
    return f"{found.runs} {noun}: {statuses}; {used}; {money}"
