"""
Spans that a framework makes itself for a run or a tool call that has ours already: it is given ours in their place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import wrapt
from opentelemetry import trace
from opentelemetry.context import Context

from .. import semconv
from ..ledger import Run
from ..runs import complete, ours, provider
from ..shield import shield

__all__ = ["Joining", "Kept", "instead", "kept", "same"]

Reads = Callable[[tuple[Any, ...], dict[str, Any]], "Mapping[str, Any]"]
"""From the arguments of what opens a span to the attributes that the span would have."""


@contextmanager
def same(span: trace.Span, attributes: Mapping[str, Any]) -> Iterator[trace.Span]:
    """*span* for a block that meant to make one of its own with *attributes*; its owner ends it."""
    complete(span, attributes)
    yield span


def _standing(attributes: Mapping[str, Any]) -> trace.Span | None:
    """Our current span when it is for the very agent or tool that *attributes* name."""
    span = trace.get_current_span()
    said = getattr(span, "attributes", None) or {}
    operation = attributes.get(semconv.OPERATION)
    name = semconv.TOOL_NAME if operation == "execute_tool" else semconv.AGENT_NAME
    if operation not in ("invoke_agent", "execute_tool") or not ours(span):
        return None
    return span if said.get(semconv.OPERATION) == operation and said.get(name) == attributes.get(name) else None


def instead(reads: Reads) -> Callable[..., Any]:
    """A wrapper around what opens a span as a context manager; where ours is for the same thing, ours is given."""

    def wrapper(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
        with shield("looking at a framework's span"):
            attributes = reads(args, kwargs)
            if (span := _standing(attributes)) is not None:
                return same(span, attributes)
        return wrapped(*args, **kwargs)

    return wrapper


class Joining:
    """A framework's tracer, whose spans for what has ours already are ours."""

    def __init__(self, tracer: Any, reads: Reads) -> None:
        self._tracer = tracer
        self._open = instead(reads)

    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Any:
        """Open a span, or give ours."""
        return self._open(self._tracer.start_as_current_span, self, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tracer, name)


class Kept(wrapt.ObjectProxy):  # type: ignore[type-arg]
    """The run's span, for one who may add to it, and does not end it or say how it ended."""

    def end(self, *args: Any, **kwargs: Any) -> None:
        """Leave it open."""

    def record_exception(self, *args: Any, **kwargs: Any) -> None:
        """Leave it to the run, which sees the exception too if nobody stops it."""

    def set_status(self, *args: Any, **kwargs: Any) -> None:
        """Leave it to the run."""

    def set_attribute(self, key: str, value: Any) -> None:
        """Add what the run has not said."""
        complete(self.__wrapped__, {key: value})

    def set_attributes(self, attributes: Any) -> None:
        """Add what the run has not said."""
        complete(self.__wrapped__, attributes)


def kept(run: Run, tracer: Any, context: Context | None = None) -> Kept | None:
    """The span of *run* where it is current and *tracer* is about to make one for the same thing."""
    span = trace.get_current_span(context)
    if not ours(span) or span.get_span_context() != run.span_context or not _same_way(tracer):
        return None
    return Kept(getattr(span, "__wrapped__", span))


def _same_way(tracer: Any) -> bool:
    """Whether the spans of *tracer* go where ours go: in another backend a trace without them has a hole."""
    theirs = getattr(getattr(tracer, "_tracer", tracer), "span_processor", None)
    return theirs is not None and theirs is getattr(provider(), "_active_span_processor", None)
