"""
Calls that were answered by another model than the one that was asked first.

Whoever tries several models in turn is watched in `frameworks`; where a client or a gateway does it inside of one call,
the request names the others, and the answer says who gave it.
"""

from __future__ import annotations

from typing import Any

from .. import runs, semconv
from ..shield import shield
from ._calls import Call

__all__ = ["note_fallback"]


def note_fallback(call: Call) -> None:
    """Say of a call that has ended which model it stands in for, if it does."""
    made, body = call.model_call, call.found.body
    if made is None:
        return
    group = runs.fallbacks(call.context) if runs.Fallbacks.opened else None
    others = (body.get("models") or body.get("fallbacks")) if type(body) is dict else None
    if group is None and not others:
        return
    with shield("telling a fallback"):
        asked = _inside(made.request_model, made.model, others) if others else None
        if group is not None:
            failed = made.error_class is not None
            asked = group.replaced(made.provider, made.request_model, failed=failed) or asked
        if asked is not None:
            made.fallback_for = asked
            if call.span.is_recording():
                call.span.set_attribute(semconv.FALLBACK_FOR, asked)


def _inside(asked: str | None, answered: str | None, others: Any) -> str | None:
    """The model that was asked first, when one of the *others* has answered."""
    names = [str(o.get("model") if isinstance(o, dict) else o) for o in others] if isinstance(others, list) else []
    first = asked or (names[0] if names else None)
    if first is None or not answered:
        return None
    known = [name for name in {first, *names} if _bare(answered).startswith(_bare(name))]
    closest = max(known, key=lambda name: len(_bare(name)), default=first)
    return first if _bare(closest) != _bare(first) else None


def _bare(model: str) -> str:
    return model.lower().rpartition("/")[2].partition(":")[0]
