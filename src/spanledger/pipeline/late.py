"""
Providers of metrics and logs, and propagators of baggage, that a program sets after us: protected as they are set.

The API keeps one function that all ways of setting a global provider come through, even where a program imported the
public one before us; ours stands in its place.  Of propagators it keeps none: one that is set through a name from
before us is caught where it is asked for, by `inject` or by name of the module.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from opentelemetry import propagate
from opentelemetry._logs import _internal as logs
from opentelemetry.metrics import _internal as metrics

from spanledger.shield import logger, shield

__all__ = ["MARK", "watch_setting"]

Undo: TypeAlias = Callable[[], None]
Protect: TypeAlias = Callable[[Any], Undo]
MARK: Final = "_spanledger_protects"
"""On functions of ours that stand in somebody else's place."""


def watch_setting(protect_metrics: Protect, protect_logs: Protect, protect_baggage: Callable[[], Undo]) -> Undo:
    """Protect each provider and propagator that is set from now on; what is given back undoes it all."""
    made: list[Undo] = []

    def baggage_set(_propagator: Any) -> Undo:
        return protect_baggage()

    undo = [
        _around_asking(propagate, "get_global_textmap", protect_baggage, made),
        _around(metrics, "_set_meter_provider", "metrics", protect_metrics, made),
        _around(logs, "_set_logger_provider", "log records", protect_logs, made),
        _around(propagate, "set_global_textmap", "baggage", baggage_set, made, first=False),
    ]

    def all_of_it() -> None:
        for each in (*undo, *reversed(made)):
            each()

    return all_of_it


def _around(module: Any, name: str, what: str, protect: Protect, made: list[Undo], *, first: bool = True) -> Undo:
    """Stand in the place of the setter *name* and protect what is set: *first*, or once it is set."""
    setter = getattr(module, name, None)
    if setter is None:
        logger.error("%s of a provider that is set later are NOT protected: this API moved", what)
        return _nothing
    if getattr(setter, MARK, False):
        return _nothing

    def setting(given: Any, *more: Any, **named: Any) -> Any:
        if first:
            with shield(f"protecting {what}"):
                made.append(protect(given))
            return setter(given, *more, **named)
        result = setter(given, *more, **named)
        with shield(f"protecting {what}"):
            made.append(protect(given))
        return result

    return _stand_in(module, name, setter, setting)


def _around_asking(module: Any, name: str, protect: Callable[[], Undo], made: list[Undo]) -> Undo:
    """Stand in the place of the getter *name*: what it gives is protected before anybody gets it."""
    getter = getattr(module, name)
    if getattr(getter, MARK, False):
        return _nothing
    known = getter()

    def asking() -> Any:
        nonlocal known
        if getter() is not known:
            with shield("protecting baggage"):
                made.append(protect())
                known = getter()
        return getter()

    return _stand_in(module, name, getter, asking)


def _stand_in(module: Any, name: str, theirs: Any, ours: Any) -> Undo:
    """Put *ours* in the place of *theirs*; gives back what takes that back."""
    setattr(ours, MARK, True)
    setattr(module, name, ours)

    def undo() -> None:
        if getattr(module, name) is ours:
            setattr(module, name, theirs)

    return undo


def _nothing() -> None:
    """Nothing was done."""
