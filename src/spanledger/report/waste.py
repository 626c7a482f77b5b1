"""
Which calls bought nothing: those of failed runs, those that failed, those that led nowhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

__all__ = ["WASTE", "Call", "mark_waste"]

WASTE: Final = ("failed_runs", "failed_calls", "retries", "duplicates")
"""What money is wasted on; see `mark_waste`."""


@dataclass(slots=True)
class Call:
    """A model or tool call, as far as money is concerned; *cost* is USD, `None` without a price."""

    run_id: str
    step: int | None
    model: str | None
    tool: str | None
    cost: Decimal | None
    failed: bool
    args: str | None = None
    result: str | None = None
    wasted: str = ""
    """One of `WASTE`, or nothing."""


def mark_waste(calls: Sequence[Call], failed: set[str]) -> None:
    """
    Say of each of *calls* what it is wasted on, if it is; they are in the order in which they began, by run.

    ``failed_runs``: its run is among the *failed*.  ``failed_calls``: a model call that failed.  ``duplicates``: a tool
    was asked what it had been asked before and said the same.  ``retries``: a tool failed once more in a row, whatever
    it was asked.  A model call is wasted when all tool calls of its step are.
    """
    seen: set[tuple[str, str, str | None, str | None]] = set()
    failing: set[tuple[str, str]] = set()
    steps: dict[tuple[str, int | None], list[str]] = defaultdict(list)
    for call in calls:
        if call.tool is None:
            continue
        tool, same = (call.run_id, call.tool), (call.run_id, call.tool, call.args, call.result)
        if call.args is not None and call.result is not None and same in seen:
            call.wasted = "duplicates"
        if call.failed and tool in failing:
            call.wasted = "retries"
        seen.add(same)
        (failing.add if call.failed else failing.discard)(tool)
        steps[call.run_id, call.step].append(call.wasted)
    for call in calls:
        if call.run_id in failed:
            call.wasted = "failed_runs" if call.tool is None else call.wasted
        elif call.tool is None:
            known = steps.get((call.run_id, call.step), [])
            call.wasted = "failed_calls" if call.failed else known[0] if known and all(known) else ""
