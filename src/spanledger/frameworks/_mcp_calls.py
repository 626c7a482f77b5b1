"""
Tool calls over MCP: on the side that asks, on the side that answers, and where both are one process.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from opentelemetry import baggage, trace
from opentelemetry.context import Context, get_current

from .. import runs
from ..outcomes import classify_payload
from ..runs import ToolScope, decorate
from ..shield import shield
from ._baggage import CARRIED, received, told
from ._scopes import FrameworkTool

__all__ = ["Called", "Served", "answer_inside", "carrier", "local", "serve"]

_asked: Final[dict[int, ToolScope]] = {}
"""The calls that this process has asked for and that have no answer yet, by the id of their span."""


class Called(FrameworkTool):
    """A tool call over MCP; its result is read as what the tool said, without the protocol's wrapping."""

    _key = 0

    def open(self) -> None:
        """Begin, and be found by a server in this very process."""
        super().open()
        scope = self._outer or self  # a framework around may have opened this very call
        if scope.context is not None:
            self._key = trace.get_current_span(scope.context).get_span_context().span_id
            if self._key:
                _asked[self._key] = scope

    def close(self, error: BaseException | None, result: Any = None) -> None:
        """End the call; ``isError`` is a failure."""
        _asked.pop(self._key, None)
        result = self.result if result is None else result
        self.error_class = self.error_class or (classify_payload(result) if error is None else None)
        super().close(error, _plain(result))


class Served(Called):
    """A tool call that somebody else's run asked this server for."""

    def open(self) -> None:
        """Begin."""
        FrameworkTool.open(self)

    def _place(self) -> None:
        self._placement = None


def _plain(result: Any) -> Any:
    if isinstance(result, Mapping):
        structured, content = result.get("structuredContent"), result.get("content")
    else:
        structured = getattr(result, "structured_content", getattr(result, "structuredContent", None))
        content = getattr(result, "content", None)
    if structured is not None:
        return structured
    if not isinstance(content, list):
        return result
    texts = [part.get("text") if isinstance(part, Mapping) else getattr(part, "text", None) for part in content]
    return texts[0] if len(texts) == 1 and texts[0] is not None else content


def carrier(meta: Any, request: Any) -> dict[str, str]:
    """What a request brings along: in its ``_meta``, else in the headers of the HTTP request that it came in."""
    found: dict[str, Any] = {}
    with shield("reading what an MCP call carries"):
        headers = getattr(request, "headers", None) or {}
        found = {name: headers.get(name) for name in CARRIED}
        if not isinstance(meta, Mapping):
            meta = meta.model_dump() if hasattr(meta, "model_dump") else {}
        if "traceparent" in meta:
            found.pop("tracestate", None)
        found.update({name: meta.get(name, found.get(name)) for name in CARRIED})
    return {name: value for name, value in found.items() if isinstance(value, str)}


def local(context: Context | None) -> ToolScope | None:
    """The call of this very process that *context* comes from, while it waits for its answer."""
    found = _asked.get(trace.get_current_span(context).get_span_context().span_id) if _asked else None
    return found if found is not None and found.context is not None else None


def _inside(context: Context, *, parent: bool) -> Context:
    """The context to answer in: the caller's baggage, and its span as *parent* where no span is there for it yet."""
    here = get_current()
    inside = here
    if parent and trace.get_current_span(context).get_span_context().is_valid:
        inside = trace.set_span_in_context(trace.get_current_span(context), here)
    for name, value in baggage.get_all(context).items():
        if baggage.get_baggage(name, inside) != value:
            inside = baggage.set_baggage(name, value, inside)
    return inside


async def answer_inside(carried: Mapping[str, str], call: Any, *, parent: bool) -> Any:
    """Answer a request that is no tool call with *call*, in its sender's trace and with its baggage."""
    inside = previous = get_current()
    with shield("reading what an MCP request carries"):
        inside = _inside(received(carried), parent=parent)
    if inside is previous:
        return await call()
    runs.attach(inside)
    try:
        return await call()
    finally:
        runs.restore(inside, previous)


async def serve(name: Any, arguments: Any, carried: Mapping[str, str], call: Any, *, parent: bool = False) -> Any:
    """
    Answer a tool call with *call*; it knows whose it is.

    A call that this process itself has asked for is that one.
    """
    scope: Any = Served(str(name), arguments or {})
    inside = previous = get_current()
    known: dict[str, str] = {}
    asked = None
    with shield("reading what an MCP call carries"):
        context = received(carried)
        known, asked = told(context), local(context)
        inside = asked.context if asked is not None and asked.context is not None else _inside(context, parent=parent)

    async def answer() -> Any:
        with suppress(Exception):
            trace.get_current_span().set_attributes(known)
        return await call()

    if inside is not previous:
        runs.attach(inside)
    try:
        return await (call() if asked is not None else decorate(answer, lambda *_: scope)())
    finally:
        runs.restore(inside, previous)
