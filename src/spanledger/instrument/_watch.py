"""
The two wrappers that stand around clients' methods.  They differ by one word; everything else is neither.
"""

from __future__ import annotations

from typing import Any

from opentelemetry import trace

from ..providers import Adapter, Seam
from ..shield import report
from ._calls import Call, covered
from ._engine import Engine

__all__ = ["Watch"]


class Watch:
    """Watches the calls that go through one seam."""

    __slots__ = ("adapter", "engine", "seam")

    def __init__(self, engine: Engine, adapter: Adapter, seam: Seam) -> None:
        self.engine = engine
        self.adapter = adapter
        self.seam = seam

    def sync(self, wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Watch a call."""
        call = self._begin(instance, args, kwargs)
        if call is None:
            return wrapped(*args, **kwargs)
        with call:
            return call.watch(wrapped(*args, **kwargs))

    async def asyncio(self, wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Watch a call."""
        call = self._begin(instance, args, kwargs)
        if call is None:
            return await wrapped(*args, **kwargs)
        with call:
            return call.watch(await wrapped(*args, **kwargs))

    def _adopts(self, instance: Any) -> bool:
        """Whether the client makes a span of its own for this call, that somebody will see."""
        speaks = self.adapter.speaks_otel
        if speaks is None or not self.engine.adopt or not speaks(instance):
            return False
        return hasattr(trace.get_tracer_provider(), "add_span_processor")  # an SDK's, not the API's placeholder

    def _begin(self, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
        if not self.engine.active or covered.get():
            return None
        try:
            found = self.seam.recognize(instance, args, kwargs)
            if found is None:
                return None
            call = Call(self.engine, self.seam, found)
            call.begin(adopted=self.adapter.speaks_otel is not None and self._adopts(instance))
            call.covers = self.adapter.covers
        except Exception as error:  # noqa: BLE001 - the user's call goes on without us
            report("reading a request", error)
            return None
        if self.engine.before is not None:
            call.ask(self.engine.before)
        return call
