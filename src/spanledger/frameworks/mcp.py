"""
MCP: a tool call that goes through it is one tool call, and knows its run on the other side.

From 2.0 the SDK makes spans itself: those are completed.  Before, all of them are ours.
https://github.com/modelcontextprotocol/python-sdk
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, get_args

from opentelemetry import trace
from opentelemetry.context import get_current

from .. import runs
from ..runs import decorate, shared_tool
from ..shield import shield
from ._baggage import carried, received, told
from ._framework import Framework, Hook, argument
from ._mcp_calls import Called, Served, answer_inside, carrier, local, serve
from ._native import same

__all__ = ["FRAMEWORK"]

# --- the side that asks --------------------------------------------------------------------------------------------


async def _call_tool(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    async def call() -> Any:
        with shield("sending a run along with an MCP call"):
            if "meta" in inspect.signature(wrapped).parameters:
                kwargs["meta"] = {**carried(), **(kwargs.get("meta") or {})}
        return await wrapped(*args, **kwargs)

    name = argument(args, kwargs, 0, "name")
    scope = Called(str(name), argument(args, kwargs, 1, "arguments") or {})
    return await decorate(call, lambda *_: scope)()


def _span(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    """The SDK's client span of a tool call: the tool call's own, where that is open."""
    attributes = kwargs.get("attributes") or {}
    here, scope = trace.get_current_span(), shared_tool()
    if scope is None or scope.context is None or attributes.get("mcp.method.name") != "tools/call":
        return wrapped(*args, **kwargs)
    return same(here, attributes) if here is trace.get_current_span(scope.context) else wrapped(*args, **kwargs)


def _inject(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    """Version 2 writes a request's trace context here, whatever the request: the run goes along."""
    result = wrapped(*args, **kwargs)
    with shield("sending a run along with an MCP request"):
        meta = argument(args, kwargs, 0, "meta")
        for name, value in carried().items():
            meta.setdefault(name, value)
    return result


async def _send(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    """Version 1: any request, of either side; what its ``_meta`` says already stays."""
    with shield("sending a run along with an MCP request"):
        if more := carried():
            request = _with_meta(argument(args, kwargs, 0, "request"), more)
            args, kwargs = (request, *args[1:]), {name: value for name, value in kwargs.items() if name != "request"}
    return await wrapped(*args, **kwargs)


def _with_meta(request: Any, more: Mapping[str, str]) -> Any:
    """A copy of *request* that carries *more*; the user's own object stays as it is."""
    root = request.root
    params = root.params
    if params is None:  # the model that the request would have had for them
        allowed = get_args(type(root).model_fields["params"].annotation)
        params = next(kind for kind in allowed if hasattr(kind, "model_fields"))()
    said = params.meta.model_dump(exclude_none=True) if params.meta is not None else {}
    (kind,) = (kind for kind in get_args(type(params).model_fields["meta"].annotation) if hasattr(kind, "model_fields"))
    params = params.model_copy(update={"meta": kind(**{**more, **said})})
    return request.model_copy(update={"root": root.model_copy(update={"params": params})})


_sending: Final[ContextVar[Mapping[str, str] | None]] = ContextVar("spanledger-mcp-headers", default=None)


async def _post(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    """A message that leaves over HTTP: what its ``_meta`` carries goes into the headers, too."""
    headers: dict[str, str] = {}
    with shield("sending a run along with an MCP request"):
        message = argument(args, kwargs, 0, "ctx").session_message.message
        params = getattr(getattr(message, "root", message), "params", None)
        if isinstance(params, Mapping) and isinstance(params.get("_meta"), Mapping):
            headers = carrier(params["_meta"], None)
    token = _sending.set(headers)
    try:
        return await wrapped(*args, **kwargs)
    finally:
        _sending.reset(token)


def _headers(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    return {**(_sending.get() or {}), **wrapped(*args, **kwargs)}


# --- the side that answers -----------------------------------------------------------------------------------------


def _server(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    result = wrapped(*args, **kwargs)
    if isinstance(chain := getattr(instance, "middleware", None), list):
        chain.append(_middleware)
    return result


async def _native(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    """Around the SDK's own span of a request, which looks for its parent in ``_meta`` alone."""
    context = argument(args, kwargs, 0, "ctx")
    inside = previous = get_current()
    with shield("reading what an MCP request carries"):
        brought = carrier(context.meta, context.request)
        if "traceparent" in brought and "traceparent" not in (context.meta or {}):
            inside = received({name: value for name, value in brought.items() if name != "baggage"})
    if inside is previous:
        return await wrapped(*args, **kwargs)
    runs.attach(inside)
    try:
        return await wrapped(*args, **kwargs)
    finally:
        runs.restore(inside, previous)


def _served(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    """The SDK's server span of a tool call that this very process asked for: the call's own."""
    attributes = kwargs.get("attributes") or {}
    asked = local(kwargs.get("context"))
    if asked is None or asked.context is None or attributes.get("mcp.method.name") != "tools/call":
        return wrapped(*args, **kwargs)
    return _within(asked.context, attributes)


@contextmanager
def _within(context: Any, attributes: Mapping[str, Any]) -> Iterator[trace.Span]:
    previous = runs.attach(context)
    try:
        with same(trace.get_current_span(), attributes) as span:
            yield span
    finally:
        runs.restore(context, previous)


async def _middleware(context: Any, call_next: Any) -> Any:
    """Inside the SDK's own span of a request."""
    brought = carrier(context.meta, context.request)
    if context.method != "tools/call":
        with shield("reading what an MCP request carries"):
            trace.get_current_span().set_attributes(told(received(brought)))
        return await answer_inside(brought, lambda: call_next(context), parent=False)
    params = context.params or {}
    return await serve(params.get("name"), params.get("arguments"), brought, lambda: call_next(context))


async def _handle(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    """Version 1: a request from its arrival to its answer."""
    message, request = argument(args, kwargs, 0, "message"), argument(args, kwargs, 1, "req")
    params: Any = getattr(request, "params", None)
    http = getattr(getattr(message, "message_metadata", None), "request_context", None)
    brought = carrier(getattr(params, "meta", None), http)
    if type(request).__name__ != "CallToolRequest":
        return await answer_inside(brought, lambda: wrapped(*args, **kwargs), parent=True)
    return await serve(params.name, params.arguments, brought, lambda: wrapped(*args, **kwargs), parent=True)


async def _respond(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    scope = shared_tool()
    if isinstance(scope, Served):
        response = argument(args, kwargs, 0, "response")
        scope.result = getattr(response, "root", response)
    return await wrapped(*args, **kwargs)


_HTTP: Final = "mcp.client.streamable_http"

FRAMEWORK: Final = Framework("mcp", "1.20", (
    Hook("mcp.client.session", ("ClientSession.call_tool",), _call_tool),
    Hook("mcp.shared.session", ("BaseSession.send_request",), _send, needed=False),
    Hook("mcp.shared.jsonrpc_dispatcher", ("otel_span",), _span),
    Hook("mcp.shared.jsonrpc_dispatcher", ("inject_trace_context",), _inject),
    Hook(_HTTP, ("StreamableHTTPTransport._handle_post_request",), _post),
    Hook(_HTTP, ("StreamableHTTPTransport._prepare_headers",), _headers),
    Hook("mcp.server.lowlevel.server", ("Server.__init__",), _server),
    Hook("mcp.server._otel", ("OpenTelemetryMiddleware.__call__",), _native),
    Hook("mcp.server._otel", ("otel_span",), _served),
    Hook("mcp.server.lowlevel.server", ("Server._handle_request",), _handle, needed=False),
    Hook("mcp.shared.session", ("RequestResponder.respond",), _respond, needed=False),
))  # fmt: skip
