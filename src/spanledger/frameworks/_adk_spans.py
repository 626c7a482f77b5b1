"""
Spans that Google ADK makes for what our run or tool call stands for already: it is given ours in their place.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context

from .. import semconv
from ..shield import shield
from ._framework import argument
from ._native import kept
from ._scopes import TeamRun

__all__ = ["Invocation", "merged", "opened", "opened_here"]


class Invocation(TeamRun):
    """A run of ADK's, which stands for some of its spans."""

    def __init__(self, name: str | None, **fields: Any) -> None:
        super().__init__(name, **fields)
        self.stands_for: set[str] = set()


def _standing(tracer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The span of the run here, where *tracer* is about to make one for the very same thing."""
    context: Context | None = argument(args, kwargs, 1, "context")
    scope = Invocation.here(context)
    span = kept(scope.run, tracer, context) if scope is not None else None
    if scope is None or span is None:
        return None
    what, _, name = str(argument(args, kwargs, 0, "name")).partition(" ")
    if what in ("invocation", "invoke_workflow"):
        if what in scope.stands_for:
            return None  # a workflow inside of one
        scope.stands_for.add(what)
    elif what not in ("invoke_agent", "agent_run") or name.strip("[]") != scope.run.name:
        return None
    span.set_attributes(argument(args, kwargs, 3, "attributes") or {})
    return span


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
