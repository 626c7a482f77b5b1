"""
Where a call belongs: the run and step of the code that is running.

An entered run or step travels in the OpenTelemetry context, so it goes wherever that goes.  A run that nobody entered
travels in a context variable of our own: no context is attached that the user's code did not enter.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.trace import (
    INVALID_SPAN,
    Span,
    TracerProvider,
    get_tracer,
    get_tracer_provider,
    set_span_in_context,
)

from .. import semconv
from ..ledger import Run
from ..version import SCOPE, __version__

__all__ = [
    "Attached", "Placement", "around", "attach", "attempts", "attributes_of", "carry", "current", "implicit",
    "provider", "restore", "stamp", "tracer", "use_provider",
]  # fmt: skip

_KEY: Final = otel_context.create_key("spanledger-placement")
_ATTEMPTS: Final = otel_context.create_key("spanledger-attempts")
(_SPAN,) = set_span_in_context(INVALID_SPAN, Context())
"""The key that the API keeps the current span under."""


@dataclass(slots=True)
class Placement:
    """A run, and the step when an explicit one was entered; else the run's latest step counts."""

    run: Run
    step: int | None = None
    span: Span | None = None
    """Of the step, when one was entered."""

    @property
    def number(self) -> int:
        """The step's number, from 1; 0 before the first step."""
        return self.run.steps if self.step is None else self.step


_here: ContextVar[Context] | None = getattr(getattr(otel_context, "_RUNTIME_CONTEXT", None), "_current_context", None)
if not isinstance(_here, ContextVar):
    _here = None
"""The variable that the API keeps its context in, where it is built as we know it: four calls less for each look."""

implicit: ContextVar[Placement | None] = ContextVar("spanledger-implicit-run", default=None)
"""The run that nobody entered and that the code running here opened."""

_tracer = get_tracer(SCOPE, __version__)
_provider: TracerProvider | None = None


def use_provider(provider: TracerProvider | None) -> None:
    """Make spans with *provider* from now on; `None` is the global one."""
    global _tracer, _provider  # noqa: PLW0603 - one tracer for the process
    _provider = provider
    _tracer = get_tracer(SCOPE, __version__, provider)


def provider() -> TracerProvider:
    """What our spans are made with: what `use_provider` was given, or the global one."""
    return _provider or get_tracer_provider()


def tracer() -> Any:
    """The tracer that makes our spans."""
    return _tracer


def entered(context: Context | None = None) -> Placement | None:
    """The run that was entered around this code, if any."""
    found = (otel_context.get_current() if context is None else context).get(_KEY)
    if not isinstance(found, Placement) or (found.run.implicit and found.run.ended is not None):
        return None
    return found


def current(context: Context | None = None) -> Placement | None:
    """The run and step that code running here belongs to."""
    if (found := entered(context)) is not None:
        return found
    found = implicit.get()
    return found if found is not None and found.run.ended is None else None


def placed(placement: Placement, context: Context) -> Context:
    """*context* with *placement* in it."""
    return otel_context.set_value(_KEY, placement, context)


def around(attempts: Any, span: Span, here: Context, placement: Placement | None) -> Context:
    """*here* with what belongs to a call while its client works: attempts, span, and its place when it has its own."""
    values = dict(here)
    values[_SPAN] = span
    values[_ATTEMPTS] = attempts
    if placement is not None:
        values[_KEY] = placement
    return Context(values)


def attempts() -> Any:
    """What notes the attempts of the call whose client is at work here, if any is."""
    return otel_context.get_current().get(_ATTEMPTS)


def attach(context: Context) -> Context:
    """Make *context* current and return the one before; no token is kept, so nothing can fail to be detached."""
    if _here is not None:
        previous = _here.get()
        _here.set(context)
    else:
        previous = otel_context.get_current()
        otel_context.attach(context)
    return previous


def restore(context: Context, previous: Context) -> None:
    """Go back to *previous* if *context* is still current here; elsewhere there is nothing to take back."""
    if _here is not None:
        if _here.get() is context:
            _here.set(previous)
    elif otel_context.get_current() is context:
        otel_context.attach(previous)


def carry(function: Callable[..., Any]) -> Callable[..., Any]:
    """*function*, to be called elsewhere as if it were called here: in the same run, step and span."""
    context, placement = otel_context.get_current(), implicit.get()
    if not context and placement is None:
        return function

    @functools.wraps(function, updated=())
    def carried(*args: Any, **kwargs: Any) -> Any:
        previous = attach(context)
        token = implicit.set(placement)
        try:
            return function(*args, **kwargs)
        finally:
            implicit.reset(token)
            restore(context, previous)

    return carried


class Attached:
    """What can be current for a while: around a block, or in the turns of a generator."""

    context: Context | None = None
    _inside: Context | None = None
    _previous: Context | None = None

    def resume(self) -> None:
        """Become current; in a generator, with what its code had made current when it last yielded."""
        if self.context is not None:
            self._previous = attach(self._inside or self.context)

    def pause(self) -> None:
        """Give back what was current before, at a generator's yield."""
        if self.context is not None and self._previous is not None:
            self._inside = otel_context.get_current()
            otel_context.attach(self._previous)

    def leave(self) -> None:
        """Give back what was current before, at the end of a block, which may be left elsewhere."""
        if self.context is not None and self._previous is not None:
            restore(self.context, self._previous)


def attributes_of(run: Run, number: int) -> dict[str, Any]:
    """What every span made inside *run* carries."""
    found: dict[str, Any] = {semconv.RUN_ID: run.id}
    if number:
        found[semconv.STEP_ID] = f"{run.id}.{number}"
        found[semconv.STEP_NUMBER] = number
    if run.session_id is not None:
        found[semconv.CONVERSATION_ID] = found[semconv.SESSION_ID] = run.session_id
    if run.user_id is not None:
        found[semconv.USER_ID] = run.user_id
    return found


def stamp(span: Span, parent_context: Context | None = None) -> None:
    """Write run, step, session and user on a span that starts; ours do so themselves."""
    scope = getattr(span, "instrumentation_scope", None)
    if scope is not None and scope.name == SCOPE:
        return
    placement = current(parent_context)
    if placement is None or not span.is_recording():
        return
    attributes = getattr(span, "attributes", None) or {}
    if semconv.RUN_ID in attributes:
        return
    found = attributes_of(placement.run, placement.number)
    span.set_attributes({name: value for name, value in found.items() if name not in attributes})
