"""Brakes: budgets, loops, rules and the kill switch, asked before the next call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..budget import Budget, Loops, Rule
from ..validation import validate, validator
from .configured import check_limits, configured, kill_store
from .decision import Decision, Reservation, Standing
from .limits import Limits
from .memory import MemoryStore
from .store import Kill, Store, StoreDown

if TYPE_CHECKING:
    from .redis import RedisStore
    from .sqlite import SqliteStore

__all__ = [
    "Budget", "Decision", "Kill", "Limits", "Loops", "MemoryStore", "RedisStore", "Reservation", "Rule", "SqliteStore",
    "Standing", "Store", "StoreDown", "check_limits", "configured", "kill_store", "validate", "validator",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "SqliteStore":  # what a store needs is loaded for those who use it
        from .sqlite import SqliteStore  # noqa: PLC0415

        return SqliteStore
    if name == "RedisStore":
        from .redis import RedisStore  # noqa: PLC0415

        return RedisStore
    raise AttributeError(f"module 'spanledger.limits' has no attribute {name!r}")
