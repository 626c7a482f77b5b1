"""
Google ADK: it makes spans of its own; an agent's becomes the run's, a function tool's the tool call's.

https://github.com/google/adk-python
"""

from __future__ import annotations

from typing import Any, Final

from ._framework import Framework, Hook, argument, around, around_events
from ._scopes import FrameworkRun, FrameworkTool

__all__ = ["FRAMEWORK"]


class _Run(FrameworkRun):
    waits = False
    """Whether it has asked for something that somebody else is to do."""

    def _reason(self, error: BaseException | None) -> str:
        return "interrupted" if error is None and self.waits else super()._reason(error)


def _run(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkRun:
    context = argument(args, kwargs, 0, "ctx")
    session = getattr(context, "session", None)
    return _Run(instance.name, session_id=getattr(session, "id", None), user_id=getattr(context, "user_id", None))


def _saw(scope: _Run, event: Any) -> None:
    if getattr(event, "long_running_tool_ids", None):
        scope.waits = True
    elif any(getattr(part, "text", None) for part in getattr(getattr(event, "content", None), "parts", None) or ()):
        scope.waits = False


def _tool(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkTool:  # noqa: ARG001
    call = getattr(kwargs.get("tool_context"), "function_call_id", None)
    return FrameworkTool(instance.name, kwargs.get("args"), call_id=call)


FRAMEWORK: Final = Framework("google-adk", "1.14", (
    Hook("google.adk.agents.llm_agent", ("LlmAgent._run_async_impl",), around_events(_run, _saw)),
    Hook("google.adk.tools.function_tool", ("FunctionTool.run_async",), around(_tool)),
))  # fmt: skip
