"""
AG2: a turn of an agent, from the question to the reply, is a run, a function tool's call a tool call.

Its telemetry middleware makes spans of its own: the turn's is the run's, the others are completed.
https://github.com/ag2ai/ag2
"""

from __future__ import annotations

from typing import Any, Final

from ..runs import decorate
from ..shield import shield
from ._framework import Framework, Hook, argument, around
from ._native import Joining
from ._scopes import FrameworkRun, FrameworkTool

__all__ = ["FRAMEWORK"]


def _turn(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    manager = wrapped(*args, **kwargs)
    with shield("reading a framework's call"):
        return _Turn(manager, instance, getattr(kwargs.get("context"), "stream", None))
    return manager


class _Turn:
    """What an agent opens to take a turn; it gives a function that takes it."""

    def __init__(self, manager: Any, agent: Any, stream: Any) -> None:
        self._manager = manager
        self._agent = agent
        self._stream = stream

    async def __aenter__(self) -> Any:
        drive = await self._manager.__aenter__()
        return decorate(drive, lambda *_: self._run())

    async def __aexit__(self, *exc: object) -> Any:
        return await self._manager.__aexit__(*exc)

    def _run(self) -> FrameworkRun:
        session = getattr(self._stream, "id", None)
        return FrameworkRun(
            getattr(self._agent, "name", None), reads=_reason, session_id=str(session) if session is not None else None
        )


def _reason(reply: Any) -> str | None:
    response = getattr(reply, "response", None)
    waits = getattr(response, "tool_calls", None) and getattr(response, "response_force", False)
    return "interrupted" if waits else None  # the caller is to carry out these calls


class _Tool(FrameworkTool):
    def close(self, error: BaseException | None, result: Any = None) -> None:
        """End the call; an error event is the tool's exception."""
        failed = getattr(result, "error", None)
        if isinstance(failed, BaseException):
            self.fail(failed)
        super().close(error, _given(result))


def _given(result: Any) -> Any:
    parts = getattr(getattr(result, "result", None), "parts", None)
    if not isinstance(parts, list):
        return result
    plain = [getattr(part, "content", getattr(part, "data", part)) for part in parts]
    return plain[0] if len(plain) == 1 else plain


def _tool(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkTool:
    event = argument(args, kwargs, 0, "event")
    return _Tool(instance.name, event.serialized_arguments, call_id=event.id)


def _telemetry(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    with shield("looking at a framework's tracer"):
        kwargs["tracer"] = Joining(kwargs["tracer"], _attributes)
    return wrapped(*args, **kwargs)


def _attributes(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001
    operation, _, name = str(args[0]).partition(" ")
    return {"gen_ai.operation.name": operation, "gen_ai.agent.name": name}


FRAMEWORK: Final = Framework("ag2", "1.2", (
    Hook("ag2.agent", ("Agent._drive_scope",), _turn),
    Hook("ag2.tools.final.function_tool", ("FunctionTool.__call__",), around(_tool)),
    Hook("ag2.middleware.builtin.telemetry", ("_TelemetryMiddlewareInstance.__init__",), _telemetry),
))  # fmt: skip
