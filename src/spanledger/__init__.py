"""A flight recorder with brakes for LLM agents, built on OpenTelemetry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .config import Settings
    from .errors import (
        BudgetExceeded,
        ConfigurationError,
        Denied,
        Killed,
        LimitExceeded,
        LoopDetected,
        SpanledgerError,
    )
    from .pipeline import LedgerSpanProcessor
    from .runs import ActiveRun, carry, current_run, run, tool
    from .setup import Spanledger, configure
    from .version import __version__

__all__ = [
    "ActiveRun",
    "BudgetExceeded",
    "ConfigurationError",
    "Denied",
    "Killed",
    "LedgerSpanProcessor",
    "LimitExceeded",
    "LoopDetected",
    "Settings",
    "Spanledger",
    "SpanledgerError",
    "__version__",
    "carry",
    "configure",
    "current_run",
    "run",
    "tool",
]

_HOMES = {
    "config": ("Settings",),
    "errors": (
        "BudgetExceeded", "ConfigurationError", "Denied", "Killed", "LimitExceeded", "LoopDetected", "SpanledgerError",
    ),
    "pipeline": ("LedgerSpanProcessor",),
    "runs": ("ActiveRun", "carry", "current_run", "run", "tool"),
    "setup": ("Spanledger", "configure"),
    "version": ("__version__",),
}  # fmt: skip
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: importing the package costs next to nothing."""
    if name not in _HOME_OF:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module  # noqa: PLC0415 - only when a name is asked for

    found = getattr(import_module(f".{_HOME_OF[name]}", __name__), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
