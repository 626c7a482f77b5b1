"""
LangChain and LangGraph: a graph's stream is a run, with the graphs inside of it; a tool's run is a tool call.

An interrupt is no error.
https://github.com/langchain-ai/langgraph
"""

from __future__ import annotations

from typing import Any, Final

from ..runs import Fallbacks, current
from ._framework import Framework, Hook, argument, around
from ._scopes import FrameworkTool, TeamRun

__all__ = ["FRAMEWORK", "TOOLS"]


class _Run(TeamRun):
    """A run of a graph."""


def _run(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Run | None:
    if _Run.here() is not None:
        return None
    config = argument(args, kwargs, 1, "config")
    thread = (config.get("configurable") or {}).get("thread_id") if isinstance(config, dict) else None
    name = getattr(instance, "name", None)
    return _Run(name, session_id=str(thread) if thread is not None else None)


def _interrupted(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    """The graph swallows this exception when it stops for somebody's answer; here it is still seen."""
    placement = current()
    if placement is not None and placement.run.stop_reason is None:
        placement.run.stop_reason = "interrupted"
    return wrapped(*args, **kwargs)


class _Tool(FrameworkTool):
    def _failure_of(self, result: Any) -> str | None:
        if getattr(result, "status", None) == "error":
            return "exception"
        return super()._failure_of(getattr(result, "content", result))


def _tool(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkTool:
    return _Tool(instance.name, argument(args, kwargs, 0, "tool_input"), call_id=kwargs.get("tool_call_id"))


def _in_turn(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Fallbacks:  # noqa: ARG001
    return Fallbacks()


FRAMEWORK: Final = Framework("langgraph", "1.0", (
    Hook("langgraph.pregel.main", ("Pregel.stream",), around(_run)),
    Hook("langgraph.pregel.main", ("Pregel.astream",), around(_run)),
    Hook("langgraph.errors", ("GraphInterrupt.__init__",), _interrupted),
))  # fmt: skip

TOOLS: Final = Framework("langchain-core", "1.0", (
    Hook("langchain_core.tools.base", ("BaseTool.run",), around(_tool)),
    Hook("langchain_core.tools.base", ("BaseTool.arun",), around(_tool)),
    *(
        Hook("langchain_core.runnables.fallbacks", (f"RunnableWithFallbacks.{how}",), around(_in_turn))
        for how in ("invoke", "ainvoke", "batch", "abatch", "stream", "astream")
    ),
    *(
        Hook("langchain.agents.middleware.model_fallback", (f"ModelFallbackMiddleware.{how}",), around(_in_turn))
        for how in ("wrap_model_call", "awrap_model_call")
    ),
))  # fmt: skip
