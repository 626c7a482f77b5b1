"""
Claude Agent SDK: a request to the Claude Code process is a run, each answer of the model a step, each tool a tool call.

A tool that lives in this process, in an MCP server of the SDK, is measured; the others are known by their results.  The
process is asked for the pieces of its answers, as `include_partial_messages` does: only they tell what an answer used.
https://github.com/anthropics/claude-agent-sdk-python
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Final

import wrapt
from opentelemetry import context as otel_context

from .. import runs
from ..runs import decorate
from ..shield import shield
from ._baggage import carried
from ._claude import Conversation
from ._framework import Framework, Hook, argument
from ._mcp_calls import Called
from ._scopes import FrameworkRun

__all__ = ["FRAMEWORK"]

_RUN: Final = otel_context.create_key("spanledger-claude-run")
_PIECES: Final = "--include-partial-messages"
_EXPORTER: Final = "OTEL_TRACES_EXPORTER"
_OURS: Final = "_spanledger_asked_for_pieces"
_CALL_ID: Final = "claudecode/toolUseId"


class _Run(FrameworkRun):
    """The run of a `query`; the connection that is opened inside is its own."""

    taken: Conversation | None = None

    def open(self) -> None:
        """Begin."""
        super().open()
        if self.context is not None:
            self.context = otel_context.set_value(_RUN, self, self.context)

    def close(self, error: BaseException | None, result: Any = None) -> None:
        """End, once, with all that the process has said until now."""
        if self.run.ended is None:
            with shield("ending a conversation with Claude Code"):
                if self.taken is not None:
                    self.taken.end()
            super().close(error, result)


class _Messages:
    """
    The messages of a `query`, which is a run.

    It ends when nobody reads on, not seconds later with the process, and no generator of ours is left for the loop to
    close: it would close theirs twice.
    """

    def __init__(self, inner: Any, scope: _Run) -> None:
        self._inner = inner
        self._scope = scope
        self._begun = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def __aiter__(self) -> _Messages:
        return self

    async def __anext__(self) -> Any:
        if not self._begun:
            self._begun = True
            self._scope.open()
        self._scope.resume()
        try:
            try:
                return await self._inner.__anext__()
            finally:
                self._scope.pause()
        except BaseException as error:
            self._scope.close(None if isinstance(error, StopAsyncIteration) else error)
            raise

    async def aclose(self) -> None:
        """Nobody reads on."""
        self._left()
        await self._inner.aclose()

    def _left(self) -> None:
        if self._begun:
            self._scope.close(GeneratorExit())

    def __del__(self) -> None:
        with suppress(Exception):  # the interpreter may be gone already
            self._left()


def _query(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    inner = wrapped(*args, **kwargs)
    with shield("opening a run of Claude Code"):
        resumed = getattr(argument(args, kwargs, 1, "options"), "resume", None)
        return _Messages(inner, _Run("claude", session_id=resumed))
    return inner


class _Transport(wrapt.ObjectProxy):  # type: ignore[type-arg]
    """What messages come in by, with somebody reading along."""

    def __init__(self, wrapped: Any, conversation: Conversation) -> None:
        super().__init__(wrapped)
        self._self_conversation = conversation

    async def read_messages(self) -> AsyncIterator[Any]:
        """Each message of the process, but for those that only we asked for."""
        ours = getattr(self.__wrapped__, _OURS, False)
        async for message in self.__wrapped__.read_messages():
            with shield("reading a message of Claude Code"):
                self._self_conversation.saw(message)
            if ours is True and isinstance(message, dict):
                if message.get("type") == "stream_event" or message.get("status") == "requesting":
                    continue
                message.pop("begun_message_ids", None)
            yield message


def _command(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The command line of the process, with the wish for pieces, and an environment without exporters of ours."""
    command = wrapped(*args, **kwargs)
    with shield("clearing the environment of Claude Code"):
        options, names = instance._options, os.environ.get(_EXPORTER, "").split(",")  # noqa: SLF001 - nobody else asks
        if "spanledger" in names and _EXPORTER not in options.env:
            others = ",".join(name for name in names if name != "spanledger") or "none"
            instance._options = dataclasses.replace(options, env={**options.env, _EXPORTER: others})  # noqa: SLF001
    with shield("asking Claude Code for pieces"):
        if isinstance(command, list) and _PIECES not in command and "--" not in command:
            setattr(instance, _OURS, True)
            return [*command, _PIECES]
    return command


def _connection(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    result = wrapped(*args, **kwargs)
    with shield("reading along with Claude Code"):
        scope = otel_context.get_value(_RUN)
        if not isinstance(scope, _Run) or scope.taken is not None:
            scope = None
        conversation = Conversation(scope)
        if scope is not None:
            scope.taken = conversation
        instance.transport = _Transport(instance.transport, conversation)
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
    conversation, context, call_id = _conversation(instance), None, None
    params: dict[str, Any] = {}
    with shield("reading a call of Claude Code"):
        if conversation is not None and message.get("method") == "tools/call":
            params = message.get("params") or {}
            call_id = (params.get("_meta") or {}).get(_CALL_ID)
            context = conversation.context_of(call_id)
    if context is None:
        return await wrapped(*args, **kwargs)

    async def call() -> Any:
        with shield("sending a run along with an MCP call"):
            params["_meta"] = {**(params.get("_meta") or {}), **carried()}
        return await wrapped(*args, **kwargs)

    scope = _Tool(f"mcp__{server}__{params.get('name')}", params.get("arguments") or {}, call_id=call_id)
    previous = runs.attach(context)
    try:
        return await decorate(call, lambda *_: scope)()
    finally:
        runs.restore(context, previous)


def _handler(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """A tool of this process: its exception becomes a text before it gets to those who called."""
    wrapped(*args, **kwargs)
    with shield("reading along with a tool of Claude Code"):
        handler = instance.handler

        async def handle(*given: Any, **named: Any) -> Any:
            try:
                return await handler(*given, **named)
            except Exception as error:
                with shield("telling how a tool failed"):
                    if (call := runs.shared_tool()) is not None:
                        call.fail(error)
                raise

        if inspect.iscoroutinefunction(handler):
            instance.handler = functools.wraps(handler)(handle)


_QUERY: Final = "claude_agent_sdk._internal.query"
_PROCESS: Final = "claude_agent_sdk._internal.transport.subprocess_cli"

FRAMEWORK: Final = Framework("claude-agent-sdk", "0.2", (
    Hook("claude_agent_sdk._internal.client", ("InternalClient.process_query",), _query),
    Hook("claude_agent_sdk.client", ("ClaudeSDKClient.query",), _asked),
    Hook(_QUERY, ("Query.__init__",), _connection),
    Hook(_QUERY, ("Query.close",), _closed),
    Hook(_QUERY, ("Query._handle_sdk_mcp_request",), _tool),
    Hook(_PROCESS, ("SubprocessCLITransport._build_command",), _command),
    Hook("claude_agent_sdk", ("SdkMcpTool.__init__",), _handler),
))  # fmt: skip
