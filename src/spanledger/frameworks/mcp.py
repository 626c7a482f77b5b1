"""
MCP: a tool call that goes through it is one tool call, and knows its run on the other side.

From 2.0 the SDK makes spans itself: those are completed.  Before, all of them are ours.
https://github.com/modelcontextprotocol/python-sdk
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.context import get_current

from .. import runs
from ..outcomes import classify_payload
from ..runs import decorate, shared_tool
from ..shield import shield
from ._baggage import carried, received, told
from ._framework import Framework, Hook, argument
from ._scopes import FrameworkTool

__all__ = ["FRAMEWORK"]


class _Called(FrameworkTool):
    """A tool call over MCP; its result is read as what the tool said, without the protocol's wrapping."""

    def close(self, error: BaseException | None, result: Any = None) -> None:
        """End the call; ``isError`` is a failure."""
        result = self.result if result is None else result
        self.error_class = self.error_class or (classify_payload(result) if error is None else None)
        super().close(error, _plain(result))


class _Served(_Called):
    """A tool call that somebody else's run asked this server for."""

    def _place(self) -> None:
        self._placement = None


def _plain(result: Any) -> Any:
    structured = getattr(result, "structured_content", getattr(result, "structuredContent", None))
    if structured is not None:
        return structured
    content = getattr(result, "content", None)
    if not isinstance(content, list):
        return result
    texts = [getattr(part, "text", None) for part in content]
    return texts[0] if len(texts) == 1 and texts[0] is not None else content


async def _call_tool(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    async def call() -> Any:
        with shield("sending a run along with an MCP call"):
            if "meta" in inspect.signature(wrapped).parameters:
                kwargs["meta"] = {**carried(), **(kwargs.get("meta") or {})}
        return await wrapped(*args, **kwargs)

    name = argument(args, kwargs, 0, "name")
    scope = _Called(str(name), argument(args, kwargs, 1, "arguments") or {})
    return await decorate(call, lambda *_: scope)()


def _span(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    """The SDK's client span of a tool call: the tool call's own, where that is open."""
    attributes = kwargs.get("attributes") or {}
    here, scope = trace.get_current_span(), shared_tool()
    if scope is None or scope.context is None or attributes.get("mcp.method.name") != "tools/call":
        return wrapped(*args, **kwargs)
    return _same(here, attributes) if here is trace.get_current_span(scope.context) else wrapped(*args, **kwargs)


@contextmanager
def _same(span: trace.Span, attributes: Mapping[str, Any]) -> Iterator[trace.Span]:
    span.set_attributes(attributes)
    yield span


def _server(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    result = wrapped(*args, **kwargs)
    if isinstance(chain := getattr(instance, "middleware", None), list):
        chain.append(_middleware)
    return result


async def _middleware(context: Any, call_next: Any) -> Any:
    """Inside the SDK's own span of a request."""
    if context.method != "tools/call":
        return await call_next(context)
    params = context.params or {}
    return await _serve(params.get("name"), params.get("arguments"), context.meta, lambda: call_next(context))


async def _handle(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    """Version 1: a request from its arrival to its answer."""
    request = argument(args, kwargs, 1, "req")
    if type(request).__name__ != "CallToolRequest":
        return await wrapped(*args, **kwargs)
    params = request.params
    meta = params.meta.model_dump() if params.meta is not None else None
    return await _serve(params.name, params.arguments, meta, lambda: wrapped(*args, **kwargs), parent=True)


async def _respond(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    scope = shared_tool()
    if isinstance(scope, _Served):
        response = argument(args, kwargs, 0, "response")
        scope.result = getattr(response, "root", response)
    return await wrapped(*args, **kwargs)


async def _serve(name: Any, arguments: Any, meta: Any, call: Any, *, parent: bool = False) -> Any:
    scope = _Served(str(name), arguments or {})
    context = previous = get_current()
    known: dict[str, str] = {}
    with shield("reading what an MCP call carries"):
        context = received(meta if isinstance(meta, Mapping) else {})
        known = told(context)

    async def serve() -> Any:
        trace.get_current_span().set_attributes(known)
        return await call()

    if not parent or not trace.get_current_span(context).get_span_context().is_valid:
        return await decorate(serve, lambda *_: scope)()
    runs.attach(context)
    try:
        return await decorate(serve, lambda *_: scope)()
    finally:
        runs.restore(context, previous)


FRAMEWORK: Final = Framework("mcp", "1.20", (
    Hook("mcp.client.session", ("ClientSession.call_tool",), _call_tool),
    Hook("mcp.shared.jsonrpc_dispatcher", ("otel_span",), _span),
    Hook("mcp.server.lowlevel.server", ("Server.__init__",), _server),
    Hook("mcp.server.lowlevel.server", ("Server._handle_request",), _handle, needed=False),
    Hook("mcp.shared.session", ("RequestResponder.respond",), _respond, needed=False),
))  # fmt: skip
