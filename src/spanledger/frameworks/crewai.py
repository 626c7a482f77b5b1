"""
CrewAI: a crew's kickoff is a run, a tool's run a tool call.

https://github.com/crewAIInc/crewAI
"""

from __future__ import annotations

from typing import Any, Final

from ._framework import Framework, Hook, argument, around
from ._scopes import FrameworkRun, FrameworkTool

__all__ = ["FRAMEWORK"]


def _run(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkRun:  # noqa: ARG001
    return FrameworkRun(getattr(instance, "name", None) or "crew")


def _tool(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkTool:
    return FrameworkTool(instance.name, {"args": list(args), **kwargs} if args else dict(kwargs))


def _invoked(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkTool:
    return FrameworkTool(instance.name, argument(args, kwargs, 0, "input"))


FRAMEWORK: Final = Framework("crewai", "1.10", (
    Hook("crewai.crew", ("Crew.kickoff",), around(_run)),
    Hook("crewai.crew", ("Crew.akickoff",), around(_run), needed=False),
    Hook("crewai.tools.base_tool", ("BaseTool.run",), around(_tool)),
    Hook("crewai.tools.base_tool", ("Tool.run",), around(_tool), needed=False),
    Hook("crewai.tools.structured_tool", ("CrewStructuredTool.invoke",), around(_invoked)),
    Hook("crewai.tools.structured_tool", ("CrewStructuredTool.ainvoke",), around(_invoked), needed=False),
))  # fmt: skip
