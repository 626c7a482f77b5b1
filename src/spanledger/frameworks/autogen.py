"""
AutoGen: a task of an agent or a team is a run, a tool's run a tool call.

https://github.com/microsoft/autogen
"""

from __future__ import annotations

from typing import Any, Final

from ._framework import Framework, Hook, argument, around
from ._scopes import FrameworkRun, FrameworkTool

__all__ = ["FRAMEWORK"]


def _run(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkRun:  # noqa: ARG001
    return FrameworkRun(getattr(instance, "name", None) or type(instance).__name__, reads=_reason)


def _reason(result: Any) -> str | None:
    said = str(getattr(result, "stop_reason", None) or "").lower()
    return "max_steps" if "maximum number of" in said else None


def _tool(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkTool:
    call = argument(args, kwargs, 2, "call_id")
    return FrameworkTool(instance.name, argument(args, kwargs, 0, "args"), call_id=call)


FRAMEWORK: Final = Framework("autogen-agentchat", "0.7", (
    Hook("autogen_agentchat.agents._base_chat_agent", ("BaseChatAgent.run",), around(_run)),
    Hook("autogen_agentchat.agents._base_chat_agent", ("BaseChatAgent.run_stream",), around(_run)),
    Hook("autogen_agentchat.teams._group_chat._base_group_chat", ("BaseGroupChat.run_stream",), around(_run)),
    Hook("autogen_core.tools._base", ("BaseTool.run_json",), around(_tool)),
))  # fmt: skip
