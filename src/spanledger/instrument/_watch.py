"""
The two wrappers that stand around clients' methods.  They differ by one word; everything else is neither.
"""

from __future__ import annotations

from typing import Any

from ..providers import Adapter, Seam
from ..shield import report
from ._calls import Call, covered
from ._engine import Engine
from ._native import adopts
from ._parsers import listen

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

    def _begin(self, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
        if not self.engine.active or covered.get():
            return None
        try:
            found = self.seam.recognize(instance, args, kwargs)
            if found is None:
                return None
            if self.engine.first is not None:
                self.engine.begin()
            call = Call(self.engine, self.seam, found)
            speaks = self.adapter.speaks_otel
            native = speaks is not None and self.engine.adopt and adopts(speaks(instance))
            call.begin(adopted=native)
            if native and self.adapter.package in self.engine.heard:
                call.expect()
            call.covers = self.adapter.covers
            if found.parser is not None:
                listen(call, *found.parser)
        except Exception as error:  # noqa: BLE001 - the user's call goes on without us
            report("reading a request", error)
            return None
        if self.engine.before is not None:
            call.ask(self.engine.before)
        return call
