"""
What a run, user, session, agent or team may use, and what is a loop: plain data, checked where it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeAlias, TypeVar

from .errors import ConfigurationError
from .spelling import hint, nearest

__all__ = ["ACTIONS", "SCOPES", "Budget", "Loops", "Refuse", "Rule", "read_budgets", "read_loops", "read_rules"]

ACTIONS: Final = ("observe", "warn", "stop")
"""What happens at a limit: it is recorded, somebody is told, the next call is refused."""
SCOPES: Final = ("run", "user", "session", "agent", "team")

_COUNTS: Final = ("tokens", "steps", "tool_calls", "retries")

T = TypeVar("T", bound="Budget | Rule | Loops")


_SELECTORS: Final = ("scope", "name", "per", "agent")
"""What says whom a limit is for: without it, it would be for others."""

Refuse: TypeAlias = Callable[[ConfigurationError], None]
"""Where to tell what is wrong, to go on with the rest."""


def _one_of(place: str, name: str, value: Any, valid: Sequence[str]) -> None:
    if value not in valid:
        raise ConfigurationError(f"{place}: {name} is {value!r}; {hint(value, valid)}", name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """
    What may be used, by whom, in which time.  A limit that is `None` is none.

        Budget(usd="0.50", steps=15, action="stop")                       # every run
        Budget(scope="user", usd=5, action="warn")                        # every user, per day
        Budget(scope="agent", name="plan*", per="run", tokens=100_000)    # runs of some agents
    """

    scope: str = "run"
    """``run``, ``user``, ``session``, ``agent`` or ``team`` (the run's label of that name)."""
    name: str = "*"
    """Pattern for the user, session, agent or team that this is for."""
    per: str | None = None
    """``run`` or ``day``; unset means per run for runs, per day for all others."""
    usd: Decimal | float | str | None = None
    tokens: int | None = None
    """Input and output tokens."""
    steps: int | None = None
    tool_calls: int | None = None
    retries: int | None = None
    """Attempts at model calls after the first, by the client or by whoever calls it."""
    seconds: float | None = None
    """Wall time since the run began; only per run."""
    action: str = "observe"
    """``observe``, ``warn`` or ``stop``."""
    warn_at: float = 0.7
    """The share at which somebody is told beforehand."""
    reserve: str = "worst"
    """``worst``: a call must fit in at the most that it can use.  ``none``: calls go on until the limit is spent."""
    unpriced: str = "warn"
    """What to do with a call that has no price under a budget in USD: ``observe``, ``warn`` or ``stop``."""

    def __post_init__(self) -> None:
        place = f"budget of scope {self.scope!r}"
        _one_of("budget", "scope", self.scope, SCOPES)
        if self.per is None:
            object.__setattr__(self, "per", "run" if self.scope == "run" else "day")
        _one_of(place, "per", self.per, ("run",) if self.scope == "run" else ("run", "day"))
        _one_of(place, "action", self.action, ACTIONS)
        _one_of(place, "reserve", self.reserve, ("worst", "none"))
        _one_of(place, "unpriced", self.unpriced, ACTIONS)
        if self.usd is not None:
            object.__setattr__(self, "usd", _amount(place, self.usd))
        for name in _COUNTS:
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
                raise ConfigurationError(f"{place}: {name} is {value!r}; it must be a whole number, not negative", name)
        if self.seconds is not None:
            _number(place, "seconds", self.seconds)
            if self.per != "run":
                raise ConfigurationError(f"{place}: seconds counts per run; say per: run", "seconds")
        if not 0 < _number(place, "warn_at", self.warn_at) <= 1:
            raise ConfigurationError(
                f"{place}: warn_at is {self.warn_at!r}; it must be a share above 0, up to 1", "warn_at"
            )
        if all(getattr(self, name) is None for name in ("usd", "seconds", *_COUNTS)):
            raise ConfigurationError(f"{place} has no limit; give one of usd, seconds, {', '.join(_COUNTS)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """
    Which tools and models agents may use; patterns.  A name must match the allowed ones, and none of the denied.

        Rule(agent="support", tools=("search", "mail.*"), deny_models=("*-pro",), why="SEC-12")
    """

    agent: str = "*"
    tools: tuple[str, ...] = ("*",)
    deny_tools: tuple[str, ...] = ()
    models: tuple[str, ...] = ("*",)
    deny_models: tuple[str, ...] = ()
    action: str = "stop"
    why: str = ""
    """Said wherever the rule says no."""

    def __post_init__(self) -> None:
        _one_of(f"rule for agent {self.agent!r}", "action", self.action, ACTIONS)
        for name in ("tools", "deny_tools", "models", "deny_models"):
            value = getattr(self, name)
            if isinstance(value, str) or not all(isinstance(item, str) for item in value):
                raise ConfigurationError(
                    f"rule for agent {self.agent!r}: {name} is {value!r}; it must be a list of texts", name
                )
            object.__setattr__(self, name, tuple(value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Loops:
    """What counts as a loop.  Each number is the call that is one too many."""

    action: str = "observe"
    repeats: int = 5
    """The same tool with the same arguments, whatever it answers."""
    same_result: int = 3
    """The same again, though it answered the same each time."""
    retries: int = 4
    """The same again, though it failed each time."""
    failing: int = 4
    """Failures among the last six calls of one tool that is asked ever new things."""
    cycles: int = 3
    """Rounds of the same sequence of calls."""
    longest_cycle: int = 8
    window: int = 16
    """How many of the run's last calls repeats are looked for in."""

    def __post_init__(self) -> None:
        _one_of("loops", "action", self.action, ACTIONS)
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name != "action" and (isinstance(value, bool) or not isinstance(value, int) or value < 2):  # noqa: PLR2004
                raise ConfigurationError(
                    f"loops: {item.name} is {value!r}; it must be a whole number, 2 or more", item.name
                )


def _number(place: str, name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
        raise ConfigurationError(f"{place}: {name} is {value!r}; it must be a number, not negative", name)
    return float(value)


def _amount(place: str, value: Any) -> Decimal:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("NaN")
    if isinstance(value, bool) or not amount.is_finite() or not 0 <= amount <= 1_000_000:  # noqa: PLR2004
        raise ConfigurationError(f"{place}: usd is {value!r}; it must be an amount from 0 to 1,000,000", "usd")
    return amount


def _read(kind: type[T], value: Any, what: str) -> T:
    if isinstance(value, kind):
        return value
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{what} is {value!r}; it must be a mapping")
    words = [item.name for item in fields(kind)]
    for word in value:
        if word not in words:
            raise ConfigurationError(f"{what}: a key is {word!r}; {hint(word, words)}", str(word))
    return kind(**value)


def _read_all(kind: type[T], value: Any, what: str, refuse: Refuse | None) -> tuple[T, ...]:
    if isinstance(value, (str, Mapping)) or not isinstance(value, Sequence):
        raise ConfigurationError(f"{what} is {value!r}; it must be a list")
    if refuse is None:
        return tuple(_read(kind, entry, f"number {n} of {what}") for n, entry in enumerate(value, 1))
    found = [_what_is_left(kind, entry, f"number {n} of {what}", refuse) for n, entry in enumerate(value, 1)]
    return tuple(entry for entry in found if entry is not None)


def _what_is_left(kind: type[T], value: Any, what: str, refuse: Refuse) -> T | None:
    """
    *value* without its keys that mean nothing; `None` where it would be for others than was meant, or say nothing.

    A limit whose action means nothing warns: neither is it silent nor does it stop what nobody said it should.
    """
    left = dict(value) if isinstance(value, Mapping) else value
    words = [item.name for item in fields(kind)]
    while True:
        try:
            return _read(kind, left, what)
        except (ConfigurationError, TypeError, ValueError) as error:
            wrong = error if isinstance(error, ConfigurationError) else ConfigurationError(f"{what}: {error}")
            refuse(wrong)
        if not isinstance(left, dict) or wrong.key not in left:
            return None
        meant = wrong.key if wrong.key in words else nearest(wrong.key, words)
        if meant is None or meant in _SELECTORS:
            return None
        del left[wrong.key]
        if meant == "action":
            left.setdefault("action", "warn")


def read_budgets(value: Any, refuse: Refuse | None = None) -> tuple[Budget, ...]:
    """The section ``budgets`` of a configuration file; what is wrong goes to *refuse*, else is raised."""
    return _read_all(Budget, value, "budgets", refuse)


def read_rules(value: Any, refuse: Refuse | None = None) -> tuple[Rule, ...]:
    """The section ``rules`` of a configuration file; what is wrong goes to *refuse*, else is raised."""
    return _read_all(Rule, value, "rules", refuse)


def read_loops(value: Any, refuse: Refuse | None = None) -> Loops:
    """The section ``loops`` of a configuration file; what is wrong goes to *refuse*, else is raised."""
    if refuse is None:
        return _read(Loops, value, "loops")
    return _what_is_left(Loops, value, "loops", refuse) or Loops()
