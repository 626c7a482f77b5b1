"""`spanledger costs`: where the money went."""

from __future__ import annotations

import time
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import click
from rich.table import Table
from rich.text import Text

from ..config import Settings
from ..report.costs import BY, Costs, Group, Spend, read_costs
from ..report.words import clean, money, spent
from ._shared import JSON, SINCE, archive, console, put_json

__all__ = ["command"]

SCHEMA: Final = "spanledger.costs/1"
_SHOWN: Final = 30


@click.command("costs")
@click.option("--by", "by", type=click.Choice(BY), help="Group the spend.")
@click.option(
    "--since", type=SINCE, default="30d", show_default=True, help="Runs that began since: 2h, 7d, 2026-01-31."
)
@click.option("--until", type=SINCE, help="Runs that began before.")
@click.option(
    "--split", metavar="TIME|VERSION", help="Compare the runs before this time, or this version, with those after it."
)
@click.option("--agent", metavar="NAME", help="Only runs of this agent.")
@click.option("--user", metavar="ID", help="Only runs of this user, the id as given or as the journal spells it.")
@JSON
def command(
    as_json: bool, by: str | None, since: int, until: int | None, split: str | None, **filters: Any
) -> None:  # fmt: skip
    """
    Say where the money went, and how much of it was wasted.

    Wasted: all that failed runs cost; in the others, failed model calls, and steps whose tool calls all repeated
    others or failed once more.
    """
    now = time.time_ns()
    with archive() as found:
        costs = read_costs(found, since=since, until=until or now, zone=Settings.load().day_zone, **filters)
    groups = costs.split(_moment(split, costs)) if split is not None else costs.by(by) if by else []
    if as_json:
        put_json(_json(costs, now, by, groups))
        return
    out = console()
    if groups:
        out.print(_table("split" if split is not None else by or "", groups))
    total = costs.total()
    out.print(_line(total))
    if not groups:
        lately = ", ".join(f"last {name} {_cost(found)}" for name, found in costs.windows(now).items())
        out.print(lately)
    names, share = costs.top_tenth()
    if by == "user" and share is not None:
        shown = clean(", ".join(names[:_SHOWN]))
        out.print(f"the top tenth of the users ({shown}) is behind {share:.0%} of their spend")


def _moment(split: str, costs: Costs) -> int:
    """The time that *split* is, or that a version of this name began at."""
    if (began := costs.first_of(split)) is not None:
        return began
    try:
        return int(SINCE.convert(split, None, None))
    except click.BadParameter as error:
        raise click.UsageError(f"{split!r} is neither a time nor a version of these runs: {error.message}") from error


def _line(total: Spend) -> str:
    parts = [f"{total.runs} {'run' if total.runs == 1 else 'runs'}, {_cost(total)}"]
    if total.wasted_share is not None:
        parts.append(f"{money(total.wasted)} of it wasted ({total.wasted_share:.0%})")
        lost = {"on failed runs": "failed_runs", "on failed calls": "failed_calls", "on retries": "retries",
                "on duplicates": "duplicates"}  # fmt: skip
        said = ", ".join(f"{money(total.waste[key])} {words}" for words, key in lost.items() if total.waste[key])
        parts[-1] += f": {said}" if said else ""
    if total.per_success is not None:
        parts.append(f"{_per_success(total)} per successful run")
    return "; ".join(parts)


def _cost(spend: Spend) -> str:
    """What was spent, and that some of it is not known."""
    return spent(spend.cost, spend.unpriced, spend.unpriced)


def _per_success(spend: Spend) -> str:
    if spend.per_success is None:
        return "-"
    return f"{'>= ' if spend.unpriced else ''}{money(spend.per_success)}"


def _table(by: str, groups: Sequence[Group]) -> Table:
    per_call = by in ("model", "tool", "step")
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column(by.upper())
    ends = ("CALLS", "FAILED", "REPEATS", "IN DEAREST RUNS") if per_call else ("FAILED", "PER SUCCESS")
    columns = ["COST", "UNPRICED", "WASTED", "RUNS", *ends]
    for column in columns:
        table.add_column(column, justify="right")
    for group in groups[:_SHOWN]:
        cells = {
            "COST": "unknown" if group.known_cost is None else money(group.cost),
            "WASTED": money(group.wasted), "RUNS": str(group.runs),
            "CALLS": str(group.calls), "FAILED": str(group.errors), "REPEATS": str(group.repeats),
            "IN DEAREST RUNS": "-" if group.dear_runs is None else f"{group.dear_runs:.0%}",
            "PER SUCCESS": _per_success(group),
            "UNPRICED": str(group.unpriced),
        }  # fmt: skip
        table.add_row(Text(clean(group.name)), *(cells[column] for column in columns))
    if len(groups) > _SHOWN:
        table.add_row(Text(f"and {len(groups) - _SHOWN} more"))
    return table


def _json(costs: Costs, now: int, by: str | None, groups: Sequence[Group]) -> dict[str, Any]:
    found: dict[str, Any] = {"schema": SCHEMA, "currency": "USD", "total": _spend(costs.total()), "by": by}
    windows = costs.windows(now)
    found["windows"] = {name: _amount(each.known_cost) for name, each in windows.items()}
    found["windows_unpriced"] = {name: each.unpriced for name, each in windows.items()}
    found["top_tenth_of_users"], found["top_tenth_of_users_share"] = costs.top_tenth()
    found["groups"] = [{"name": g.name, **_spend(g), "share_of_dearest_runs": g.dear_runs} for g in groups]
    return found


def _amount(amount: Decimal | None) -> str | None:
    return None if amount is None else format(amount, "f")


def _spend(spend: Spend) -> dict[str, Any]:
    return {
        "cost": _amount(spend.known_cost), "wasted": format(spend.wasted, "f"), "wasted_share": spend.wasted_share,
        "wasted_on": {name: format(amount, "f") for name, amount in spend.waste.items()},
        "failed_runs_share": spend.failed_share,
        "per_successful_run": _amount(spend.per_success),
        "runs": spend.runs, "successful_runs": spend.successes, "calls": spend.calls, "failed": spend.errors,
        "repeats": spend.repeats, "unpriced": spend.unpriced,
    }  # fmt: skip
