"""
Where budgets are counted: what every store can do.

A counter is named by a key, e.g. ``user:alice:2026-11-20``, and a unit, e.g. ``usd``.  It knows what is *spent* and
what is *held* for calls under way, whole numbers both (money in millionths of a millionth of a dollar).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias

__all__ = ["HOLD_SECONDS", "Kill", "Refused", "Store", "StoreDown", "Want"]

HOLD_SECONDS = 900
"""How long a shared store keeps what a vanished process held."""


class StoreDown(Exception):
    """The store can't be asked now."""


class Counter(Protocol):
    """What is counted on: (key, unit), the limit on it, and when nobody asks for it any more."""

    @property
    def name(self) -> tuple[str, str]:
        """Key and unit."""

    @property
    def limit(self) -> int | None:
        """What it may reach; `None` counts without asking."""

    @property
    def expires(self) -> int:
        """The second since the epoch after which it may be forgotten."""


Want: TypeAlias = tuple[Counter, int, bool]
"""(counter, amount, hold): *amount* more on a counter; *hold* `False` spends at once."""


@dataclass(frozen=True, slots=True)
class Kill:
    """Somebody stopped *target*: ``run:ID``, ``agent:NAME`` or ``all``.  *at* is seconds since the epoch."""

    target: str
    by: str
    why: str
    at: float


class Refused(NamedTuple):
    """The want at *place* does not fit: *spent* and *held* are what stands there already."""

    place: int
    spent: int
    held: int


class Store(Protocol):
    """Counters and kills, atomic; any method may raise `StoreDown`."""

    shared: bool
    """Whether other processes see it."""

    def reserve(
        self, wants: Sequence[Want], targets: Sequence[str]
    ) -> tuple[Any, list[tuple[int, int]]] | Refused | Kill:
        """
        Take all *wants* or none: a hold and (spent, held) of each counter afterwards.

        `Refused` tells the first want that does not fit, `Kill` that one of *targets* is killed.
        """

    def settle(self, hold: Any, charges: Sequence[tuple[str, str, int, int, int]]) -> list[tuple[int, int]]:
        """
        Give back what *hold* holds, and spend: *charges* are (key, unit, held, spent, expires).

        Answers (spent, held) of each counter afterwards.  *hold* `None` holds nothing.
        """

    def read(self, counters: Sequence[tuple[str, str]]) -> list[tuple[int, int]]:
        """(spent, held) of each (key, unit)."""

    def killed(self, targets: Sequence[str]) -> Kill | None:
        """The first of *targets* that is killed."""

    def kill(self, kill: Kill) -> None:
        """Stop *kill.target* from its next call on, everywhere that this store is seen."""

    def revive(self, target: str) -> bool:
        """Let *target* go on; whether it was killed."""

    def kills(self) -> list[Kill]:
        """Everything that is killed."""

    def begin_anew(self) -> None:
        """Be a forked child's: locks are free, and what the parent's calls hold is the parent's."""

    def close(self) -> None:
        """Let go of files and connections; a later call opens them again."""
