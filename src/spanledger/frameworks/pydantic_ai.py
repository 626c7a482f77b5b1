"""
Pydantic AI: an agent's iteration is a run, a toolset's call a tool call.

https://github.com/pydantic/pydantic-ai
"""

from __future__ import annotations

from typing import Any, Final

from ._framework import Framework, Hook, argument, around, around_manager
from ._scopes import FrameworkRun, FrameworkTool

__all__ = ["FRAMEWORK"]


def _run(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkRun:  # noqa: ARG001
    return FrameworkRun(getattr(instance, "name", None), reads=_reason, session_id=kwargs.get("conversation_id"))


def _reason(output: Any) -> str | None:
    return "interrupted" if type(output).__name__ == "DeferredToolRequests" else None


def _output(run: Any) -> Any:
    return getattr(getattr(run, "result", None), "output", None)


def _tool(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkTool:  # noqa: ARG001
    validated = argument(args, kwargs, 0, "validated")
    call = validated.call
    return FrameworkTool(call.tool_name, validated.validated_args, call_id=call.tool_call_id)


FRAMEWORK: Final = Framework("pydantic-ai-slim", "2.0", (
    Hook("pydantic_ai.agent", ("Agent.iter",), around_manager(_run, _output)),
    Hook("pydantic_ai.tool_manager", ("ToolManager._raw_execute",), around(_tool)),
))  # fmt: skip
