"""
Google ADK: it makes spans of its own; an agent's becomes the run's, a function tool's the tool call's.

https://github.com/google/adk-python
"""

from __future__ import annotations

from typing import Any, Final

from ._framework import Framework, Hook, argument, around
from ._scopes import FrameworkRun, FrameworkTool

__all__ = ["FRAMEWORK"]


def _run(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkRun:
    context = argument(args, kwargs, 0, "ctx")
    session = getattr(context, "session", None)
    return FrameworkRun(
        instance.name, session_id=getattr(session, "id", None), user_id=getattr(context, "user_id", None)
    )


def _tool(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkTool:  # noqa: ARG001
    call = getattr(kwargs.get("tool_context"), "function_call_id", None)
    return FrameworkTool(instance.name, kwargs.get("args"), call_id=call)


FRAMEWORK: Final = Framework("google-adk", "1.14", (
    Hook("google.adk.agents.llm_agent", ("LlmAgent._run_async_impl",), around(_run)),
    Hook("google.adk.tools.function_tool", ("FunctionTool.run_async",), around(_tool)),
))  # fmt: skip
