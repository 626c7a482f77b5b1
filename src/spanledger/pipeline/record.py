"""A finished span that may still be changed: steps work on it, and a new read-only span comes out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util import BoundedList
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceState

__all__ = ["EventRecord", "LinkRecord", "Record", "without_state"]


@dataclass(slots=True)
class EventRecord:
    """One event of a span."""

    name: str
    attributes: dict[str, Any]
    timestamp: int | None = None
    dropped: int = 0


@dataclass(slots=True)
class LinkRecord:
    """One link of a span."""

    context: SpanContext
    attributes: dict[str, Any]
    trace_state: dict[str, str] = field(default_factory=dict)
    dropped: int = 0


@dataclass(slots=True)
class Record:
    """
    A mutable copy of a finished span.

    Times are nanoseconds since the epoch.  `resource` and `scope` are shared with other spans: replace, never change
    them.
    """

    source: ReadableSpan
    name: str
    attributes: dict[str, Any]
    events: list[EventRecord]
    links: list[LinkRecord]
    code: StatusCode
    description: str | None
    trace_state: dict[str, str]
    resource: Resource
    scope: InstrumentationScope | None
    dropped: int = 0

    @classmethod
    def of(cls, span: ReadableSpan) -> Record:
        """Copy *span*; values that can be changed inside are replaced by the steps, never changed."""
        context = span.context
        return cls(
            source=span,
            name=span.name,
            attributes=dict(span.attributes or {}),
            events=[
                EventRecord(e.name, dict(e.attributes or {}), e.timestamp, _dropped(e)) for e in span.events
            ],
            links=[
                LinkRecord(ln.context, dict(ln.attributes or {}), dict(ln.context.trace_state or {}), _dropped(ln))
                for ln in span.links
            ],
            code=span.status.status_code,
            description=span.status.description,
            trace_state=dict(context.trace_state or {}) if context is not None else {},
            resource=span.resource,
            scope=span.instrumentation_scope,
            dropped=span.dropped_attributes,
        )  # fmt: skip

    def span(self) -> ReadableSpan:
        """The span that leaves."""
        source = self.source
        return ReadableSpan(
            name=self.name,
            context=_with_state(source.context, self.trace_state),
            parent=source.parent,
            resource=self.resource,
            attributes=_bounded(self.attributes, self.dropped),
            events=_listed(
                [Event(e.name, _bounded(e.attributes, e.dropped), e.timestamp) for e in self.events],
                source.dropped_events,
            ),
            links=_listed(
                [
                    Link(_with_state(ln.context, ln.trace_state) or ln.context, _bounded(ln.attributes, ln.dropped))
                    for ln in self.links
                ],
                source.dropped_links,
            ),
            kind=source.kind,
            status=_status(self.code, self.description),
            start_time=source.start_time,
            end_time=source.end_time,
            instrumentation_scope=self.scope,
        )


def _dropped(holder: Any) -> int:
    return getattr(holder, "dropped_attributes", 0)


def _status(code: StatusCode, description: str | None) -> Status:
    return Status(code, description if code is StatusCode.ERROR else None)


def _with_state(context: SpanContext | None, state: dict[str, str]) -> SpanContext | None:
    if context is None or dict(context.trace_state or {}) == state:
        return context
    return SpanContext(
        context.trace_id, context.span_id, context.is_remote, context.trace_flags, TraceState(list(state.items()))
    )


def without_state(context: SpanContext | None) -> SpanContext | None:
    """*context* without its trace state."""
    return _with_state(context, {})


def _bounded(attributes: dict[str, Any], dropped: int) -> Any:
    # The mapping itself is enough for an exporter; what was dropped is told by this class alone.
    if not dropped:
        return attributes
    bounded = BoundedAttributes(attributes=attributes)
    bounded.dropped += dropped
    return bounded


def _listed(items: list[Any], dropped: int) -> Any:
    if not dropped:
        return items
    bounded: BoundedList[Any] = BoundedList.from_seq(len(items), items)
    bounded.dropped = dropped
    return bounded
