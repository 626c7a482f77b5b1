"""
Strands Agents: it makes spans of its own; they become the run's, the model calls' and the tool calls'.

https://github.com/strands-agents/sdk-python
"""

from __future__ import annotations

from typing import Any, Final

from ._framework import Framework, Hook, argument, around_events
from ._scopes import FrameworkRun, FrameworkTool

__all__ = ["FRAMEWORK"]

_REASONS: Final = {
    "cancelled": "cancelled", "checkpoint": "interrupted", "interrupt": "interrupted", "max_tokens": "max_tokens",
    "content_filtered": "content_filter", "guardrail_intervened": "denied", "limit_turns": "max_steps",
    "limit_output_tokens": "budget_exceeded", "limit_total_tokens": "budget_exceeded",
}  # fmt: skip


def _run(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkRun:  # noqa: ARG001
    return FrameworkRun(getattr(instance, "name", None))


def _stopped(scope: FrameworkRun, event: Any) -> None:
    if type(event).__name__ == "EventLoopStopEvent" and scope.run.stop_reason is None:
        scope.run.stop_reason = _REASONS.get(event["stop"][0])


def _tool(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkTool:  # noqa: ARG001
    use = argument(args, kwargs, 0, "ctx").tool_use
    return FrameworkTool(use["name"], use.get("input"), call_id=use.get("toolUseId"))


def _ended(scope: FrameworkTool, event: Any) -> None:
    if type(event).__name__ != "ToolResultEvent":
        return
    result, error = event.tool_result, getattr(event, "exception", None)
    if isinstance(error, BaseException):
        scope.fail(error)
    elif result.get("status") == "error":
        scope.error_class = scope.error_class or "error_payload"
    if scope.result is None:
        scope.result = result.get("content")


FRAMEWORK: Final = Framework("strands-agents", "1.0", (
    Hook("strands.agent.agent", ("Agent._run_loop",), around_events(_run, _stopped)),
    Hook("strands.tools.executors._executor", ("_run_tool",), around_events(_tool, _ended)),
))  # fmt: skip
