"""
What was decided, what is held for a call, and how a budget stands: plain data.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

__all__ = ["PICO", "Decision", "Reservation", "Standing", "shown"]

PICO = 10**12
"""How many of the units that budgets count money in make a US dollar."""


@dataclass(frozen=True, slots=True)
class Decision:
    """
    One answer of a limit, other than a plain yes.

    *outcome* is ``allow`` (the limit is passed and its action is `observe`), ``warn`` or ``stop``.  *limit* is ``usd``,
    ``tokens``, ``steps``, ``tool_calls``, ``retries``, ``seconds``, ``loop``, ``context``, ``drift``, ``tool``,
    ``model``, ``unknown_tool``, ``kill``, ``unpriced`` or ``store``.  *value* and *maximum* are in the limit's unit.
    """

    outcome: str
    limit: str
    scope: str
    subject: str
    value: Decimal | float | None
    maximum: Decimal | float | None
    step: int
    reason: str
    wasted: Decimal | None = None
    """What the calls since the loop began cost, USD; `None` when nobody knows."""
    time: int = field(default_factory=time.time_ns)
    """Nanoseconds since the epoch."""
    by: str | None = None
    """Who wanted it: who pulled the plug, or the rule that does not allow it."""
    why: str | None = None
    """Their words."""
    since: int | None = None
    """When they said so, nanoseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How one limit of a budget stands: *spent*, *held* by calls under way, and *left* of *maximum*."""

    limit: str
    scope: str
    subject: str
    spent: Decimal | float
    held: Decimal | float
    maximum: Decimal | float
    action: str

    @property
    def left(self) -> Decimal | float:
        """What the next call may use; never negative."""
        left: Any = self.maximum - self.spent - self.held  # type: ignore[operator]
        return left if left > 0 else left * 0  # type: ignore[no-any-return]

    @property
    def share(self) -> float:
        """Spent and held as a share of the maximum."""
        return float(self.spent + self.held) / float(self.maximum) if self.maximum else 1.0  # type: ignore[operator]


class Reservation:
    """What is held for one call until it is settled or released."""

    __slots__ = ("entry", "held", "hold", "open", "plan", "request")

    def __init__(
        self, plan: Any, hold: Any = None, held: Sequence[tuple[Any, int, bool]] = (), entry: Any = None
    ) -> None:
        self.plan = plan
        """Who pays, as it was when the call began."""
        self.hold = hold
        """The store's name for it; `None` when nothing is held there."""
        self.held = held
        """(slot of the plan, amount, whether it is held rather than spent)."""
        self.entry = entry
        """The tool call in the run's history."""
        self.request: str | None = None
        """The hash of what is asked, where its last call failed."""
        self.open = True


def shown(unit: str, amount: float) -> Decimal | float:
    """*amount* as budgets count it, in the limit's own unit: US dollars as a `Decimal`."""
    return Decimal(int(amount)).scaleb(-12).normalize() if unit == "usd" else amount
