"""
Strands Agents: it makes spans of its own; they become the run's, the model calls' and the tool calls'.

https://github.com/strands-agents/sdk-python
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, Final

from ..runs import decorate
from ..shield import shield
from ._framework import Framework, Hook, argument, around
from ._scopes import FrameworkRun, FrameworkTool

__all__ = ["FRAMEWORK"]


def _run(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkRun:  # noqa: ARG001
    return FrameworkRun(getattr(instance, "name", None))


def _tool(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    use = argument(args, kwargs, 0, "ctx").tool_use
    scope = FrameworkTool(use["name"], use.get("input"), call_id=use.get("toolUseId"))

    async def events() -> AsyncGenerator[Any, None]:
        inner = wrapped(*args, **kwargs)
        try:
            async for event in inner:
                if type(event).__name__ == "ToolResultEvent":
                    with shield("reading a tool's result"):
                        _ended(scope, event)
                yield event
        finally:
            await inner.aclose()

    return decorate(events, lambda *_: scope)()


def _ended(scope: FrameworkTool, event: Any) -> None:
    result, error = event.tool_result, getattr(event, "exception", None)
    if isinstance(error, BaseException):
        scope.fail(error)
    elif result.get("status") == "error":
        scope.error_class = scope.error_class or "error_payload"
    if scope.result is None:
        scope.result = result.get("content")


FRAMEWORK: Final = Framework("strands-agents", "1.0", (
    Hook("strands.agent.agent", ("Agent._run_loop",), around(_run)),
    Hook("strands.tools.executors._executor", ("_run_tool",), _tool),
))  # fmt: skip
