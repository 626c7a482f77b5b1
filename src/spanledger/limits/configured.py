"""
The limits that the settings ask for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ..budget import Budget
from ..config import Settings, state_directory
from ..errors import ConfigurationError
from .limits import Limits
from .store import Store

__all__ = ["configured", "kill_store"]

_VALID: Final = "memory, sqlite, sqlite:PATH or redis://HOST:PORT/DB"


def configured(settings: Settings) -> Limits:
    """The `Limits` of *settings*; `ConfigurationError` when the store or the time zone is none."""
    budgets = list(settings.budgets)
    if any(
        limit is not None
        for limit in (
            settings.budget_usd, settings.budget_tokens, settings.budget_steps, settings.budget_tool_calls,
            settings.budget_retries, settings.budget_seconds,
        )
    ):  # fmt: skip
        own = Budget(
            usd=settings.budget_usd, tokens=settings.budget_tokens, steps=settings.budget_steps,
            tool_calls=settings.budget_tool_calls, retries=settings.budget_retries, seconds=settings.budget_seconds,
            warn_at=settings.budget_warn_at, action=settings.budget_action,
        )  # fmt: skip
        budgets.insert(0, own)
    return Limits(
        budgets, rules=settings.rules, loops=settings.loops, store=_store(settings.limits_store),
        kills=_machine(None), when_down=settings.limits_down, zone=settings.day_zone,
    )  # fmt: skip


def kill_store(settings: Settings) -> Store:
    """Where to write whom to stop, so that the processes with these settings see it."""
    return _store(settings.limits_store) or _machine(None)


def _store(name: str) -> Store | None:
    kind, _, rest = name.partition(":")
    if name == "memory":
        return None
    if kind == "sqlite":
        return _machine(rest or None)
    if kind in ("redis", "rediss", "unix"):
        from .redis import RedisStore  # noqa: PLC0415 - one of three

        return RedisStore(name)
    raise ConfigurationError(f"limits_store is {name!r}; valid: {_VALID}")


def _machine(path: str | None) -> Store:
    from .sqlite import SqliteStore  # noqa: PLC0415 - one of three

    return SqliteStore(Path(path).expanduser() if path else state_directory() / "limits.db")
