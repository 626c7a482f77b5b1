"""
Writing many attributes at once on a span that is our own.

The SDK looks at each value again to clean it, which costs more than all the rest of a span.  Ours are clean; so where
the SDK's span is built as we know it they are put straight in, and else given to it the public way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.trace import Span

from .. import semconv

__all__ = ["note_decisions", "write"]

_CLEAN: Final = frozenset((str, int, float, bool, tuple))
"""What needs no second look; tuples are our own, and of clean things: others give lists."""


def write(span: Span, attributes: Mapping[str, Any]) -> None:
    """Set *attributes* on *span*, which is recording."""
    held = getattr(span, "_attributes", None)
    inside = getattr(held, "_dict", None)
    if (
        type(held) is not BoundedAttributes
        or type(inside) is not dict
        or held.max_value_len is not None
        or getattr(held, "_immutable", True)
        or (held.maxlen is not None and len(inside) + len(attributes) > held.maxlen)
    ):
        span.set_attributes(attributes)
        return
    if _CLEAN.issuperset(map(type, attributes.values())):
        inside.update(attributes)
        return
    for name, value in attributes.items():
        if type(value) in _CLEAN:
            inside[name] = value
        else:
            span.set_attribute(name, value)


def note_decisions(span: Span, decisions: Sequence[Any]) -> None:
    """Say on *span* what limits decided about its call: an event each, and the last outcome as attributes."""
    if not decisions or not span.is_recording():
        return
    for decision in decisions:
        said = {
            semconv.DECISION_OUTCOME: decision.outcome, semconv.DECISION_LIMIT: decision.limit,
            semconv.DECISION_SCOPE: decision.scope, semconv.DECISION_REASON: decision.reason,
        }  # fmt: skip
        if decision.by is not None:
            said[semconv.DECISION_BY] = decision.by
        if decision.why is not None:
            said[semconv.DECISION_WHY] = decision.why
        numbers = {
            semconv.DECISION_VALUE: decision.value, semconv.DECISION_MAXIMUM: decision.maximum,
            semconv.DECISION_WASTED: decision.wasted,
        }  # fmt: skip
        said.update({name: float(value) for name, value in numbers.items() if value is not None})
        span.add_event(semconv.DECISION, said)
    span.set_attributes({
        semconv.DECISION_OUTCOME: decisions[-1].outcome, semconv.DECISION_LIMIT: decisions[-1].limit,
        semconv.DECISION_SCOPE: decisions[-1].scope,
    })  # fmt: skip
