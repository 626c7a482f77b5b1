"""
Starting a span that is our own, and writing many attributes at once.

The SDK looks at each value again to clean it, which costs more than all the rest of a span.  Ours are clean; so where
the SDK's span is built as we know it they are put straight in, and else given to it the public way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind

from .. import semconv
from ._place import tracer

__all__ = ["note_decisions", "start_span", "write", "write_late"]

_SDK: Final = ("opentelemetry.sdk.trace", "opentelemetry.sdk.trace.export", "opentelemetry.sdk.trace.sampling")
"""Where nobody looks at what a span that starts has on it."""
_seen: tuple[Any, Any, bool] = (None, None, True)
"""A sampler, a provider's processors, and whether one of them looks."""

_probe = vars(BoundedAttributes(immutable=False))
_KNOWN: Final = type(_probe.get("_dict")) is dict and {"_immutable", "max_value_len", "maxlen"} <= _probe.keys()
"""Whether the SDK keeps a span's attributes as we know it."""
_CLEAN: Final = frozenset((str, int, float, bool, tuple))
"""What needs no second look; tuples are our own, and of clean things: others give lists."""


def start_span(
    name: str, context: Context | None, kind: SpanKind, attributes: Mapping[str, Any], start_time: int | None = None
) -> Span:
    """Start a span that has *attributes* from the beginning, for samplers and processors that look."""
    made_by = tracer()
    sampler = getattr(made_by, "sampler", None)
    processors = getattr(getattr(made_by, "span_processor", None), "_span_processors", None)
    known = _seen
    if known[2] if known[0] is sampler and known[1] is processors else _looks(sampler, processors):
        return made_by.start_span(name, context, kind, attributes, (), start_time)  # type: ignore[no-any-return]
    span: Span = made_by.start_span(name, context, kind, None, (), start_time)
    if span.is_recording():
        write(span, attributes)
    return span


def _looks(sampler: Any, processors: Any) -> bool:
    """Whether one of them may look at a span's first attributes: all that are not known not to."""
    global _seen  # noqa: PLW0603 - what was found for the last provider
    looks = not isinstance(processors, tuple) or _asks(sampler) or any(
        getattr(one.on_start, "__module__", None) not in _SDK and getattr(one, "looks_at_start", True)
        for one in processors
    )  # fmt: skip
    _seen = (sampler, processors, looks)
    return looks


def _asks(sampler: Any) -> bool:
    """Whether *sampler* is not the SDK's own, or asks one that is not."""
    if getattr(getattr(sampler, "should_sample", None), "__module__", None) not in _SDK:
        return True
    return any(_asks(one) for one in vars(sampler).values() if hasattr(one, "should_sample"))


def write(span: Span, attributes: Mapping[str, Any]) -> None:
    """Set *attributes* on *span*, which is recording."""
    held = getattr(span, "_attributes", None)
    if type(held) is not BoundedAttributes or not _KNOWN or held._immutable or held.max_value_len is not None:  # noqa: SLF001
        span.set_attributes(attributes)
        return
    inside = held._dict  # noqa: SLF001
    if held.maxlen is not None and len(inside) + len(attributes) > held.maxlen:
        span.set_attributes(attributes)
    elif _CLEAN.issuperset(map(type, attributes.values())):
        inside.update(attributes)
    else:
        for name, value in attributes.items():
            if type(value) in _CLEAN:
                inside[name] = value
            else:
                span.set_attribute(name, value)


def write_late(span: Span, attributes: Mapping[str, Any]) -> None:
    """Set those of *attributes* that *span* lacks, which is ending; where the SDK is not one that we know, none."""
    held = getattr(span, "_attributes", None)
    if type(held) is BoundedAttributes and _KNOWN:
        inside = held._dict  # noqa: SLF001 - no public way leads to a span that is ending
        inside.update({name: value for name, value in attributes.items() if name not in inside})


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
