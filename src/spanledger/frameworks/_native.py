"""
Spans that a framework makes itself for a run or a tool call that has ours already: it is given ours in their place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace

from .. import semconv
from ..runs import complete, ours
from ..shield import shield

__all__ = ["Joining", "instead", "same"]

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
