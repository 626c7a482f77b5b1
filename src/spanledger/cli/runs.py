"""`spanledger runs`: what is running, and what ran."""

from __future__ import annotations

import time
from typing import Final

import click

from ..journal import total
from ..outcomes import STOP_REASONS
from ..report.as_json import runs_json
from ..report.listing import table_of, totals_line
from ._shared import JSON, SINCE, archive, console, put_json
from .kill import standing_kills

__all__ = ["command"]

_MOST: Final = 1_000_000_000


@click.command("runs")
@click.option("--live", is_flag=True, help="Only runs that are going on, and what they did last.")
@click.option("--agent", metavar="NAME", help="Only runs of this agent.")
@click.option("--status", type=click.Choice(["running", "success", "failure", "timeout"]), help="Only this status.")
@click.option("--stop-reason", metavar="REASON", type=click.Choice(STOP_REASONS), help="Only runs that ended for it.")
@click.option("--user", metavar="ID", help="Only runs of this user, the id as given or as the journal spells it.")
@click.option("--session", metavar="ID", help="Only runs of this session.")
@click.option("--since", type=SINCE, help="Only runs that began since: 30m, 2h, 7d, 2026-01-31T09:00 (UTC).")
@click.option("--limit", type=click.IntRange(1, _MOST), default=20, show_default=True, help="The newest so many.")
@JSON
def command(as_json: bool, limit: int, **filters: object) -> None:
    """List runs, newest first."""
    with archive() as found:
        rows = found.runs(limit=limit + 1, **filters)  # type: ignore[arg-type]
        where = found.path
    rows, more = rows[:limit], len(rows) > limit
    sums = total(rows)
    kills = {kill.target: kill for kill in standing_kills()} if filters["live"] else None
    if as_json:
        put_json({**runs_json(rows, sums, kills), "more": more})
    elif not rows:
        wanted = any(filters.values())
        click.echo(f"no runs {'match' if wanted else 'yet'} in {where}")
    else:
        out = console()
        out.print(table_of(rows, now=time.time_ns(), kills=kills))
        out.print(f"{'the newest ' if more else ''}{totals_line(sums)}", style="dim")
        if more:
            out.print("there are more: --limit", style="dim")
