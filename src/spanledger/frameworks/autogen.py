"""
AutoGen: a task of an agent or a team is a run, a tool's run a tool call.

It makes spans for both, wherever the process has a provider: ours stand for them.
https://github.com/microsoft/autogen
"""

from __future__ import annotations

from typing import Any, Final

from ._framework import Framework, Hook, argument, around, around_events
from ._native import instead
from ._scopes import FrameworkRun, FrameworkTool, TeamRun

__all__ = ["FRAMEWORK"]


class _Run(TeamRun):
    """A task of an agent or a team; what a team's agents do for it is part of it, a team's in a team too."""


def _run(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Run | None:  # noqa: ARG001
    if _Run.here() is not None:
        return None
    return _Run(getattr(instance, "name", None) or type(instance).__name__, reads=_reason)


_REASONS: Final = (
    ("maximum number of", "max_steps"), ("handoff to", "interrupted"), ("external termination", "cancelled"),
    ("token usage limit", "budget_exceeded"), ("timeout", "timeout"),
)  # fmt: skip


def _reason(result: Any) -> str | None:
    said = str(getattr(result, "stop_reason", None) or "").lower()
    return next((reason for words, reason in _REASONS if said.startswith(words)), None)


def _saw(scope: FrameworkRun, event: Any) -> None:
    if type(event).__name__ == "TaskResult" and scope.run.stop_reason is None:
        scope.run.stop_reason = _reason(event)


def _tool(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkTool:
    call = argument(args, kwargs, 2, "call_id")
    return FrameworkTool(instance.name, argument(args, kwargs, 0, "args"), call_id=call)


def _gave(scope: FrameworkTool, event: Any) -> None:
    """The last thing that a tool which streams yields is its result."""
    scope.result = event


def _agent_span(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    return {
        "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": argument(args, kwargs, 0, "agent_name"),
        **({"gen_ai.agent.description": said} if (said := kwargs.get("agent_description")) else {}),
    }  # fmt: skip


def _tool_span(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    return {
        "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": argument(args, kwargs, 0, "tool_name"),
        **({"gen_ai.tool.description": said} if (said := kwargs.get("tool_description")) else {}),
    }  # fmt: skip


_TEAMS: Final = "autogen_agentchat.teams._group_chat._base_group_chat"

FRAMEWORK: Final = Framework("autogen-agentchat", "0.7", (
    Hook("autogen_agentchat.agents._base_chat_agent", ("BaseChatAgent.run",), around(_run)),
    Hook("autogen_agentchat.agents._base_chat_agent", ("BaseChatAgent.run_stream",), around_events(_run, _saw)),
    Hook(_TEAMS, ("BaseGroupChat.run_stream",), around_events(_run, _saw)),
    Hook("autogen_core.tools._base", ("BaseTool.run_json",), around(_tool)),
    Hook("autogen_core.tools._base", ("BaseStreamTool.run_json_stream",), around_events(_tool, _gave), needed=False),
    Hook("autogen_core._telemetry._genai", ("trace_invoke_agent_span",), instead(_agent_span), needed=False),
    Hook("autogen_core._telemetry._genai", ("trace_tool_span",), instead(_tool_span), needed=False),
))  # fmt: skip
