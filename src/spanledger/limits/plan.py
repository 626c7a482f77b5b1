"""
Who pays for a run: the counters of every budget that is for it.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any, Final, NamedTuple

from ..budget import Budget
from ..errors import ConfigurationError
from ..ledger import Run
from .decision import PICO

__all__ = ["Days", "Line", "Plan", "Slot", "lineage"]

RUN_SECONDS: Final = 7 * 86_400
"""How long a shared store keeps the counters of a run."""
UNITS: Final = ("usd", "tokens", "steps", "tool_calls", "retries")
WARNED: Final = 1
PASSED: Final = 2
_watching = threading.RLock()


class Days:
    """Days in a time zone: the one that it is now, and when it ends."""

    def __init__(self, zone: str = "UTC") -> None:
        self._zone: dt.tzinfo = dt.timezone.utc
        if zone.upper() != "UTC":
            from zoneinfo import ZoneInfo  # noqa: PLC0415 - reads files

            try:
                self._zone = ZoneInfo(zone)
            except (KeyError, ValueError, OSError) as error:
                raise ConfigurationError(
                    f"day_zone: {zone!r} is no time zone; give one such as 'Europe/Berlin', or 'UTC'"
                ) from error
        self._name, self._until = "", 0.0

    def at(self, now: float) -> tuple[str, float]:
        """The day at *now* (seconds since the epoch), e.g. ``2026-11-20``, and the second at which it ends."""
        if not self._until - 90_000 < now < self._until or self._name == "":
            day = dt.datetime.fromtimestamp(now, self._zone).date()
            midnight = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), self._zone)
            self._name, self._until = day.isoformat(), midnight.timestamp()
        return self._name, self._until


class Line(NamedTuple):
    """One limit of one budget."""

    budget: Budget
    maximum: int
    subject: str


class Slot:
    """One counter that a run pays into, and the limits on it."""

    __slots__ = ("expires", "holds", "key", "levels", "limit", "lines", "name", "unit", "watch")

    def __init__(self, key: str, unit: str, expires: int) -> None:
        self.key = key
        self.unit = unit
        self.name = (key, unit)
        self.expires = expires
        self.lines: list[Line] = []
        self.levels: list[int] = []
        self.limit: int | None = None
        self.holds = False
        self.watch = 0

    def add(self, line: Line) -> None:
        """Put another limit on this counter."""
        self.lines.append(line)
        self.levels.append(0)
        if line.budget.action == "stop":
            counted = self.unit in ("steps", "tool_calls", "retries")
            worst = counted or line.budget.reserve == "worst"
            limit = line.maximum if worst else line.maximum - 1
            self.limit = limit if self.limit is None else min(limit, self.limit)
            self.holds = self.holds or (worst and not counted)
        self._watch()

    def _watch(self) -> None:
        marks = [
            line.maximum * line.budget.warn_at if level == 0 else line.maximum
            for line, level in zip(self.lines, self.levels, strict=True)
            if level < PASSED
        ]
        self.watch = int(min(marks, default=1 << 62))

    def passed(self, spent: int) -> list[tuple[Line, int]]:
        """The limits that *spent* reaches for the first time: `WARNED` at their share, `PASSED` beyond themselves."""
        found = []
        with _watching:
            for index, line in enumerate(self.lines):
                level = PASSED if spent > line.maximum else WARNED if spent >= line.maximum * line.budget.warn_at else 0
                if level > self.levels[index]:
                    self.levels[index] = level
                    found.append((line, level))
            self._watch()
        return found


class Plan:
    """The counters of one run, good until *until* (seconds since the epoch)."""

    __slots__ = ("counted", "models", "money", "retries", "seconds", "slots", "steps", "tools", "unpriced", "until")

    def __init__(self, run: Run, budgets: Sequence[Budget], days: Days, now: float) -> None:
        day, self.until = days.at(now)
        slots: dict[tuple[str, str], Slot] = {}
        self.seconds: list[tuple[Budget, str]] = []
        for budget in budgets:
            for key, subject, own in _keys(run, budget, day):
                expires = int(self.until) + 86_400 if budget.per == "day" else run.started // 10**9 + RUN_SECONDS
                if budget.seconds is not None and own:
                    self.seconds.append((budget, subject))
                for unit, maximum in _maxima(budget):
                    if own or unit != "steps":  # a step of a run inside is not one of the run around it
                        slot = slots.get((key, unit)) or slots.setdefault((key, unit), Slot(key, unit, expires))
                        slot.add(Line(budget, maximum, subject))
        self.slots = list(slots.values())
        self.steps = [s for s in self.slots if s.unit == "steps"]
        self.tools = [s for s in self.slots if s.unit == "tool_calls"]
        self.retries = [s for s in self.slots if s.unit == "retries"]
        self.models = [s for s in self.slots if s.unit in ("usd", "tokens")]
        self.money = [s for s in self.slots if s.unit == "usd"]
        self.counted = [s for s in self.models if s.limit is not None]
        order = {"observe": 0, "warn": 1, "stop": 2}
        actions = {line.budget.unpriced for slot in self.money for line in slot.lines}
        self.unpriced = max(actions, key=order.__getitem__, default="observe")


def lineage(run: Run) -> Iterator[Run]:
    """*run*, the run that it was started in, and so on."""
    seen: Run | None = run
    while seen is not None:
        yield seen
        seen = seen.parent


def _subject(run: Run, scope: str) -> str | None:
    if scope == "user":
        return run.user_id
    if scope == "session":
        return run.session_id
    return run.name if scope == "agent" else run.labels.get("team")


def _keys(run: Run, budget: Budget, day: str) -> Iterator[tuple[str, str, bool]]:
    """(key, subject, whether it is for *run* itself rather than for a run around it)."""
    paid = set()
    for one in lineage(run):
        subject = one.id if budget.scope == "run" else _subject(one, budget.scope)
        if subject is None or (budget.scope != "run" and not fnmatchcase(subject, budget.name)):
            continue
        key = f"run:{one.id}" if budget.per == "run" else f"{budget.scope}:{subject}:{day}"
        if key not in paid:
            paid.add(key)
            yield key, subject, budget.per == "day" or one is run
        if budget.per == "day" and budget.scope != "agent":
            return  # a run inside is of the same user, session and team as the one around it


def _maxima(budget: Budget) -> Iterator[tuple[str, int]]:
    if isinstance(budget.usd, Decimal):
        yield "usd", int(budget.usd * PICO)
    for unit in UNITS[1:]:
        value: Any = getattr(budget, unit)
        if value is not None:
            yield unit, value
