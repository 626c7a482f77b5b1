"""
Claude Agent SDK: a request to the Claude Code process is a run, each answer of the model a step, each tool a tool call.

A tool that lives in this process, in an MCP server of the SDK, is measured; the others are known by their results.
https://github.com/anthropics/claude-agent-sdk-python
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

import wrapt
from opentelemetry import context as otel_context

from .. import runs
from ..runs import decorate
from ..shield import shield
from ._baggage import carried
from ._claude import Conversation
from ._framework import Framework, Hook, argument, around
from ._mcp_calls import Called
from ._scopes import FrameworkRun

__all__ = ["FRAMEWORK"]

_RUN: Final = otel_context.create_key("spanledger-claude-run")


class _Run(FrameworkRun):
    """The run of a `query`; the connection that is opened inside is its own."""

    taken = False

    def open(self) -> None:
        """Begin."""
        super().open()
        if self.context is not None:
            self.context = otel_context.set_value(_RUN, self, self.context)


def _query(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Run:  # noqa: ARG001
    return _Run("claude", session_id=getattr(argument(args, kwargs, 1, "options"), "resume", None))


class _Transport(wrapt.ObjectProxy):  # type: ignore[type-arg]
    """What messages come in by, with somebody reading along."""

    def __init__(self, wrapped: Any, conversation: Conversation) -> None:
        super().__init__(wrapped)
        self._self_conversation = conversation

    async def read_messages(self) -> AsyncIterator[Any]:
        """Each message of the process."""
        async for message in self.__wrapped__.read_messages():
            with shield("reading a message of Claude Code"):
                self._self_conversation.saw(message)
            yield message


def _connection(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    result = wrapped(*args, **kwargs)
    with shield("reading along with Claude Code"):
        scope = otel_context.get_value(_RUN)
        if not isinstance(scope, _Run) or scope.taken:
            scope = None
        else:
            scope.taken = True
        instance.transport = _Transport(instance.transport, Conversation(scope))
    return result


def _conversation(query: Any) -> Conversation | None:
    found = getattr(getattr(query, "transport", None), "_self_conversation", None)
    return found if isinstance(found, Conversation) else None


async def _asked(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A client's request: a run from here to its result."""
    with shield("opening a run of Claude Code"):
        if (conversation := _conversation(getattr(instance, "_query", None))) is not None:
            conversation.begin()
    return await wrapped(*args, **kwargs)


async def _closed(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        return await wrapped(*args, **kwargs)
    finally:
        with shield("closing a run of Claude Code"):
            if (conversation := _conversation(instance)) is not None:
                conversation.end(GeneratorExit())


class _Tool(Called):
    def close(self, error: BaseException | None, result: Any = None) -> None:
        """End the call; the result is in the protocol's envelope."""
        if isinstance(result, dict):
            if "error" in result:
                self.error_class = self.error_class or "error_payload"
            result = result.get("result", result.get("error"))
        super().close(error, result)


async def _tool(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A request of the process to an MCP server that lives here."""
    server, message = argument(args, kwargs, 0, "server_name"), argument(args, kwargs, 1, "message")
    conversation = _conversation(instance)
    context = conversation.scope.context if conversation is not None and conversation.scope is not None else None
    if context is None or message.get("method") != "tools/call":
        return await wrapped(*args, **kwargs)

    async def call() -> Any:
        with shield("sending a run along with an MCP call"):
            params["_meta"] = {**(params.get("_meta") or {}), **carried()}
        return await wrapped(*args, **kwargs)

    params = message.get("params") or {}
    scope = _Tool(f"mcp__{server}__{params.get('name')}", params.get("arguments") or {})
    previous = runs.attach(context)
    try:
        return await decorate(call, lambda *_: scope)()
    finally:
        runs.restore(context, previous)


_QUERY: Final = "claude_agent_sdk._internal.query"

FRAMEWORK: Final = Framework("claude-agent-sdk", "0.2", (
    Hook("claude_agent_sdk._internal.client", ("InternalClient.process_query",), around(_query)),
    Hook("claude_agent_sdk.client", ("ClaudeSDKClient.query",), _asked),
    Hook(_QUERY, ("Query.__init__",), _connection),
    Hook(_QUERY, ("Query.close",), _closed),
    Hook(_QUERY, ("Query._handle_sdk_mcp_request",), _tool),
))  # fmt: skip
