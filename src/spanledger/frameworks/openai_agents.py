"""
OpenAI Agents SDK: a call of the runner is a run, a function tool a tool call.

https://github.com/openai/openai-agents-python
"""

from __future__ import annotations

from typing import Any, Final

from ..runs import shared_tool
from ._framework import Framework, Hook, argument, around, around_task
from ._scopes import FrameworkRun, FrameworkTool

__all__ = ["FRAMEWORK"]


def _run(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkRun:  # noqa: ARG001
    agent = argument(args, kwargs, 0, "starting_agent")
    config = kwargs.get("run_config")
    session = kwargs.get("conversation_id") or getattr(kwargs.get("session"), "session_id", None)
    return FrameworkRun(
        getattr(agent, "name", None), reads=_reason, session_id=session or getattr(config, "group_id", None)
    )


def _reason(result: Any) -> str | None:
    return "interrupted" if getattr(result, "interruptions", None) else None


def _tool(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkTool:  # noqa: ARG001
    tool, context = kwargs["function_tool"], kwargs["context"]
    call = getattr(context, "tool_call_id", None)
    return FrameworkTool(tool.name, kwargs["arguments"], call_id=call, description=tool.description or None)


async def _failed(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    """A tool's exception, on its way to become a text for the model."""
    error, around_it = argument(args, kwargs, 2, "error"), shared_tool()
    if around_it is not None and isinstance(error, BaseException):
        around_it.fail(error)
    return await wrapped(*args, **kwargs)


_INVOKE: Final = ("_invoke_function_tool_with_metadata", "invoke_function_tool")

FRAMEWORK: Final = Framework("openai-agents", "0.20", (
    Hook("agents.run", ("AgentRunner.run",), around(_run)),
    Hook("agents.run", ("AgentRunner.run_streamed",), around_task(_run, lambda r: getattr(r, "run_loop_task", None))),
    Hook("agents.run_internal.tool_execution", _INVOKE, around(_tool)),
    Hook("agents.tool", ("maybe_invoke_function_tool_failure_error_function",), _failed, needed=False),
))  # fmt: skip
