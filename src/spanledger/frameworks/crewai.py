"""
CrewAI: a crew's kickoff is a run, and so is that of an agent alone and of a flow; a tool's run is a tool call.

A crew in a flow is a run inside of the flow's.
https://github.com/crewAIInc/crewAI
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any, Final

from ._framework import Framework, Hook, argument, around
from ._scopes import FrameworkRun, FrameworkTool, TeamRun

__all__ = ["FRAMEWORK"]


class _Crew(TeamRun):
    """A run of a crew, or of an agent without one."""


class _Flow(TeamRun):
    """A run of a flow."""


def _run(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkRun | None:  # noqa: ARG001
    if getattr(instance, "stream", False) is True or _Crew.here() is not None:
        return None  # a thread calls it again, not streaming
    return _Crew(getattr(instance, "name", None) or "crew")


def _alone(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkRun | None:  # noqa: ARG001
    return _Crew(getattr(instance, "role", None)) if _Crew.here() is None else None


def _alone_at_once(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkRun | None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _alone(instance, args, kwargs)
    return None  # it gives a coroutine of the other kind


def _flow(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkRun | None:  # noqa: ARG001
    kind = type(instance)
    own = kind.__module__.partition(".")[0] == "crewai" and kind.__name__ != "Flow"  # what CrewAI does inside
    if own or getattr(instance, "stream", False) is True or _Crew.here() is not None or _Flow.here() is not None:
        return None
    return _Flow(getattr(instance, "name", None) or kind.__name__, reads=_reason)


def _reason(result: Any) -> str | None:
    return "interrupted" if type(result).__name__ == "HumanFeedbackPending" else None


def _called(name: str) -> str:
    """What the model calls a tool: its name without capitals and spaces."""
    sanitize = getattr(sys.modules.get("crewai.utilities.string_utils"), "sanitize_tool_name", None)
    return name if sanitize is None else str(sanitize(name))


def _tool(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkTool:
    return FrameworkTool(_called(instance.name), {"args": list(args), **kwargs} if args else dict(kwargs))


def _invoked(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkTool:
    return FrameworkTool(_called(instance.name), argument(args, kwargs, 0, "input"))


_AGENT: Final = "crewai.agent.core"
_FLOW: Final = "crewai.flow.runtime"

FRAMEWORK: Final = Framework("crewai", "1.10", (
    Hook("crewai.crew", ("Crew.kickoff",), around(_run)),
    Hook("crewai.crew", ("Crew.akickoff",), around(_run), needed=False),
    Hook(_AGENT, ("Agent.kickoff",), around(_alone_at_once), needed=False),
    Hook(_AGENT, ("Agent.kickoff_async",), around(_alone), needed=False),
    Hook(_FLOW, ("Flow.kickoff_async",), around(_flow), needed=False),
    Hook(_FLOW, ("Flow.resume_async",), around(_flow), needed=False),
    Hook("crewai.tools.base_tool", ("BaseTool.run",), around(_tool)),
    Hook("crewai.tools.base_tool", ("Tool.run",), around(_tool), needed=False),
    Hook("crewai.tools.structured_tool", ("CrewStructuredTool.invoke",), around(_invoked)),
    Hook("crewai.tools.structured_tool", ("CrewStructuredTool.ainvoke",), around(_invoked), needed=False),
))  # fmt: skip
