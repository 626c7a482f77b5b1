"""Watching calls: the only room that patches."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry._logs import LoggerProvider

from .. import runs
from ..config import Settings
from ..patching import Patches
from ..providers import ADAPTERS, Adapter
from ._brakes import Brakes
from ._calls import Call
from ._engine import Engine
from ._events import Events
from ._fallbacks import note_fallback
from ._native import watch_native
from ._official import speak_officially
from ._ownership import take_back
from ._retries import watch_retries
from ._threads import carry_into_threads
from ._tools import TOOLS, watch_tools
from ._watch import Watch

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["TOOLS", "Brakes", "Call", "Engine", "Instrumentation", "instrument"]


class Instrumentation:
    """What `instrument` did; `undo` takes it back, also at the end of a ``with`` block."""

    def __init__(self, patches: Patches, engine: Engine, quieted: dict[str, tuple[str, str | None]]) -> None:
        self.engine = engine
        self._patches = patches
        self._quieted = quieted

    @property
    def watched(self) -> list[str]:
        """What is wrapped, ``module:name``."""
        return list(self._patches.done)

    @property
    def missing(self) -> dict[str, str]:
        """What should be wrapped and could not be: ``module:name`` -> why."""
        return dict(self._patches.missing)

    def put_on(self, settings: Settings, adapters: Iterable[Adapter]) -> None:
        """Wrap what is there, and see to it that the rest is wrapped when it is imported."""
        for adapter in adapters:
            if adapter.quiet is not None:
                variable, value = adapter.quiet
                hush = partial(self._hush, variable, value)
                if not settings.native_spans and variable not in os.environ:
                    hush()
                watch_native(self.engine, adapter, self._patches, silent=variable in self._quieted, hush=hush)
            for seam in adapter.seams:
                watch = Watch(self.engine, adapter, seam)
                if seam.sync:
                    self._patches.add(seam.module, seam.sync, watch.sync, optional=seam.optional)
                if seam.asyncio:
                    self._patches.add(seam.module, seam.asyncio, watch.asyncio, optional=seam.optional)
        take_back(self._patches)
        speak_officially(self.engine, self._patches)
        watch_retries(self._patches)
        self._patches.on_import("openai._httpx2", _whole_httpx2)
        self.engine.first = watch_tools(settings.tools, self._patches)
        if settings.carry_threads:
            carry_into_threads(self._patches)

    def _hush(self, variable: str, value: str) -> None:
        if variable not in self._quieted:
            self._quieted[variable] = (value, os.environ.get(variable))
            os.environ[variable] = value

    def undo(self) -> None:
        """Put back the very same objects, and end what is still streaming."""
        self.engine.active = False
        if self in _active:
            _active.remove(self)
        self._patches.undo()
        self.engine.end_streams()
        self.engine.history.forget()
        self.engine.tools.forget()
        for variable, (value, before) in self._quieted.items():
            if os.environ.get(variable) == value:
                del os.environ[variable]
                if before is not None:
                    os.environ[variable] = before

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.undo()


def _whole_httpx2(_: object) -> None:
    """
    Import httpx2 as a whole, for openai 2: it looks at what there is of it in each call.

    Our worker imports it with the price library; a call in the middle of that would find a module without its classes.
    """
    with suppress(ImportError):
        import_module("httpx2")


_active: list[Instrumentation] = []
"""What is on: one or nothing.  Two would see each call twice."""


def instrument(
    settings: Settings | None = None,
    *,
    tracer_provider: trace.TracerProvider | None = None,
    logger_provider: LoggerProvider | None = None,
    adapters: Iterable[Adapter] = ADAPTERS,
) -> Instrumentation:
    """
    Watch every call that the *adapters* know, every tool that *settings* name, and carry runs into threads.

    Clients that are not imported yet are watched as soon as they are.  Spans are made with *tracer_provider*, or the
    global one; events, when content goes there, with *logger_provider*.  What an earlier call watched is taken back
    first.
    """
    settings = settings or Settings.load()
    while _active:
        _active.pop().undo()
    if tracer_provider is not None:
        runs.use_provider(tracer_provider)
    made = Instrumentation(Patches(), Engine(content=settings.content != "no_content"), {})
    if settings.content in ("event_only", "span_and_event"):
        made.engine.events = Events(settings, logger_provider)
    made.engine.listeners.append(note_fallback)
    try:
        made.put_on(settings, adapters)
    except BaseException:
        made.undo()
        raise
    _active.append(made)
    return made
