"""
Pydantic AI: an agent's iteration is a run, a toolset's call a tool call.

Where it is told to make spans, the agent's is ours, those of model calls and tools are completed.
https://github.com/pydantic/pydantic-ai
"""

from __future__ import annotations

from typing import Any, Final

from ..runs import Fallbacks
from ._framework import Framework, Hook, argument, around, around_manager
from ._native import instead
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


def _nothing(given: Any) -> None:  # noqa: ARG001
    return None


def _in_turn(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Fallbacks:  # noqa: ARG001
    return Fallbacks(each=True)


def _span(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001
    found: dict[str, Any] = kwargs.get("attributes") or {}
    return found


FRAMEWORK: Final = Framework("pydantic-ai-slim", "2.0", (
    Hook("pydantic_ai.agent", ("Agent.iter",), around_manager(_run, _output)),
    Hook("pydantic_ai.tool_manager", ("ToolManager._raw_execute",), around(_tool)),
    Hook("pydantic_ai.models.fallback", ("FallbackModel.request",), around(_in_turn)),
    Hook("pydantic_ai.models.fallback", ("FallbackModel.request_stream",), around_manager(_in_turn, _nothing)),
    Hook("pydantic_ai.capabilities.instrumentation", ("start_as_current_span",), instead(_span), needed=False),
))  # fmt: skip
