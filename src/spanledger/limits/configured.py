"""
The limits that the settings ask for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ..config import Settings, state_directory
from ..errors import ConfigurationError
from .limits import Limits
from .plan import Days
from .store import Store

__all__ = ["check_limits", "configured", "kill_store"]

_VALID: Final = "memory, sqlite, sqlite:PATH or redis://HOST:PORT/DB"


def configured(settings: Settings) -> Limits:
    """The `Limits` of *settings*; `ConfigurationError` when the store or the time zone is none."""
    budgets = [*([settings.own_budget] if settings.own_budget is not None else []), *settings.budgets]
    return Limits(
        budgets, rules=settings.rules, loops=settings.loops, store=_store(settings.limits_store),
        kills=_machine(None), when_down=settings.limits_down, zone=settings.day_zone,
    )  # fmt: skip


def kill_store(settings: Settings) -> Store:
    """Where to write whom to stop, so that the processes with these settings see it."""
    return _store(settings.limits_store) or _machine(None)


def check_limits(settings: Settings, name: str) -> None:
    """Raise `ConfigurationError` when the setting *name*, ``limits_store`` or ``day_zone``, means nothing."""
    _ = Days(settings.day_zone) if name == "day_zone" else _store(settings.limits_store)


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
