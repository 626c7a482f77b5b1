"""
Spans that Google ADK makes for what our run or tool call stands for already: it is given ours in their place.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, Final

import wrapt
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context

from .. import semconv
from ..runs import complete, ours, provider
from ..shield import shield
from ._framework import argument

__all__ = ["RUN", "merged", "opened", "opened_here"]

RUN: Final = otel_context.create_key("spanledger-adk-run")
"""Where the run is whose agents are at work; a tool's inside is no agent's work."""


class _Kept(wrapt.ObjectProxy):  # type: ignore[type-arg]
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


def _standing(tracer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The span of the run here, where *tracer* is about to make one for the very same thing."""
    context: Context | None = argument(args, kwargs, 1, "context")
    scope: Any
    scope, span = otel_context.get_value(RUN, context), trace.get_current_span(context)
    run = getattr(scope, "run", None)
    if run is None or not ours(span) or span.get_span_context() != run.span_context or not _same_way(tracer):
        return None
    what, _, name = str(argument(args, kwargs, 0, "name")).partition(" ")
    if what in ("invocation", "invoke_workflow"):
        if what in scope.stands_for:
            return None  # a workflow inside of one
        scope.stands_for.add(what)
    elif what not in ("invoke_agent", "agent_run") or name.strip("[]") != run.name:
        return None
    complete(span, argument(args, kwargs, 3, "attributes") or {})
    return _Kept(getattr(span, "__wrapped__", span))


def _same_way(tracer: Any) -> bool:
    """Whether the spans of *tracer* go where ours go: in another backend a trace without them has a hole."""
    theirs = getattr(getattr(tracer, "_tracer", tracer), "span_processor", None)
    return theirs is not None and theirs is getattr(provider(), "_active_span_processor", None)


def opened(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Around what starts a span."""
    with shield("looking at a framework's span"):
        if (span := _standing(instance, args, kwargs)) is not None:
            return span
    return wrapped(*args, **kwargs)


def opened_here(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Around what starts a span for a block; ours is current there already."""
    with shield("looking at a framework's span"):
        if (span := _standing(instance, args, kwargs)) is not None:
            return nullcontext(span)
    return wrapped(*args, **kwargs)


def merged(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    """Around what describes the span of several calls' answers put together, each of which has its own span."""
    result = wrapped(*args, **kwargs)
    with shield("looking at a framework's span"):
        trace.get_current_span().set_attribute(semconv.OPERATION, "merge_tool_results")
    return result
