"""
Where clients begin spans of their own: silenced, or taken for the span of the call that is going on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

import wrapt
from opentelemetry import trace

from .. import runs
from ..patching import Patches
from ..providers import Adapter
from ..shield import shield
from ._adopting import Held
from ._engine import Engine

__all__ = ["adopts", "watch_native"]

if TYPE_CHECKING:
    Proxy = wrapt.ObjectProxy[Any]
else:
    Proxy = wrapt.ObjectProxy


def watch_native(engine: Engine, adapter: Adapter, patches: Patches, *, silent: bool, hush: Callable[[], None]) -> None:
    """
    See each span that *adapter*'s client begins; where it should be *silent*, also when it was imported before.

    Where a version begins them somewhere else, *hush* is called: ours takes their place.
    """
    for voice in adapter.voices:
        module, _, name = voice.partition(":")
        patches.on_import(module, partial(_listen, engine.heard, name, patches, silent=silent))
    if adapter.speaks:
        module, _, path = adapter.speaks.partition(":")
        patches.on_import(module, partial(_miss, engine.heard, path, hush))


def _miss(heard: set[str], path: str, hush: Callable[[], None], imported: ModuleType) -> None:
    kind, _, name = path.partition(".")
    if imported.__name__.partition(".")[0] not in heard and hasattr(getattr(imported, kind, None), name):
        hush()


def _listen(heard: set[str], name: str, patches: Patches, imported: ModuleType, *, silent: bool) -> None:
    voice = vars(imported).get(name)
    if voice is None or isinstance(voice, trace.NoOpTracer):
        return  # where we do not hear, their spans get run, step and cost all the same
    heard.add(imported.__name__.partition(".")[0])
    if not hasattr(voice, "start_as_current_span"):
        patches.replace(imported, name, wrapt.FunctionWrapper(voice, _begin))
    else:
        patches.replace(imported, name, trace.NoOpTracer() if silent else _Voice(voice))


class _Voice(Proxy):
    """A client's tracer whose spans are taken by the call that is going on."""

    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Any:
        """The span, current for a block, and the call's."""
        ends = {name: kwargs.pop(name, True) for name in ("end_on_exit", "record_exception", "set_status_on_exception")}
        span = _begin(self.__wrapped__.start_span, None, args, kwargs)
        if span is None:  # what stands for the call stays current, and is not written on
            span = trace.NonRecordingSpan(trace.get_current_span().get_span_context())
        return trace.use_span(span, **ends)


def _begin(make: Callable[..., Any], _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The span that *make* makes for the call that waits for it; `None` where the call has one already."""
    attempts = runs.attempts()
    call = getattr(attempts, "expecting", None)
    if call is None:
        return make(*args, **kwargs)
    attempts.expecting = None
    if call.theirs is not None:
        return None
    span = make(*args, **kwargs)
    with shield("adopting a client's span"):
        if span is None:  # no method of the client's own: it makes no span for those
            call.own()
        else:
            call.take(span, Held(span))
    return span


def adopts(tracer: Any) -> bool:
    """Whether the spans of a client's *tracer* go where ours go: an SDK's provider, not another backend's."""
    if tracer is None or tracer is False:
        return False
    theirs = getattr(getattr(tracer, "_tracer", tracer), "span_processor", None)
    mine = getattr(runs.provider(), "_active_span_processor", None)
    if theirs is not None and mine is not None:
        return theirs is mine
    return hasattr(trace.get_tracer_provider(), "add_span_processor")  # an SDK's, not the API's placeholder
