"""
Run, step and session on their way to another process and back, in the W3C's form: `traceparent` and `baggage`.

Who the user is stays here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from opentelemetry import baggage
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context, get_current
from opentelemetry.propagate import extract
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from ..runs import KEYS, MAX_LENGTH, current, packed

__all__ = ["CARRIED", "carried", "received", "told"]

CARRIED: Final = ("traceparent", "tracestate", "baggage")
"""What things are called on their way, in ``_meta`` as in HTTP headers."""


def carried() -> dict[str, str]:
    """What to send along with a call that leaves this process from here."""
    found: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(found)
    context = get_current()
    placement = current()
    if placement is not None:
        context = packed(placement.run, placement.number, context)
    W3CBaggagePropagator().inject(found, context)
    return found


def received(carrier: Mapping[str, Any]) -> Context:
    """The context that a call came from, by what it carries."""
    texts = {name: value for name, value in carrier.items() if isinstance(value, str)}
    return W3CBaggagePropagator().extract(texts, extract(texts))


def told(context: Context) -> dict[str, str]:
    """Run, step and session of the caller, as attributes."""
    found = {name: baggage.get_baggage(name, context) for name in KEYS}
    return {name: value for name, value in found.items() if isinstance(value, str) and len(value) <= MAX_LENGTH}
