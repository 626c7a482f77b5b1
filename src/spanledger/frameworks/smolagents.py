"""
smolagents: an agent's steps are a run, a tool object's call a tool call, and so is that of an agent that is managed.

https://github.com/huggingface/smolagents
"""

from __future__ import annotations

from typing import Any, Final

from ._framework import Framework, Hook, argument, around
from ._scopes import FrameworkRun, FrameworkTool

__all__ = ["FRAMEWORK"]


def _run(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkRun:  # noqa: ARG001
    def reason(result: Any) -> str | None:  # noqa: ARG001 - the steps say it
        steps = [step for step in instance.memory.steps if hasattr(step, "error")]
        name = type(steps[-1].error).__name__ if steps else ""
        return "max_steps" if name == "AgentMaxStepsError" else None

    return _Run(instance.name or type(instance).__name__, reads=reason)


class _Run(FrameworkRun):
    def _reason(self, error: BaseException | None) -> str:
        stopped = type(error).__name__ == "AgentError" and "interrupted" in str(error)  # `agent.interrupt()`
        return "cancelled" if stopped else super()._reason(error)


def _tool(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkTool | None:
    if instance.name == "final_answer":  # how the agent ends, no tool of anybody's
        return None
    given = {name: value for name, value in kwargs.items() if name != "sanitize_inputs_outputs"}
    given = {**dict(zip(getattr(instance, "inputs", {}), args, strict=False)), **given}
    return FrameworkTool(instance.name, given)


def _asked(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkTool:
    """An agent that another one manages: to that one it is a tool."""
    return FrameworkTool(instance.name, {"task": argument(args, kwargs, 0, "task"), **kwargs})


FRAMEWORK: Final = Framework("smolagents", "1.20", (
    Hook("smolagents.agents", ("MultiStepAgent._run_stream",), around(_run)),
    Hook("smolagents.agents", ("MultiStepAgent.__call__",), around(_asked)),
    Hook("smolagents.tools", ("Tool.__call__",), around(_tool)),
))  # fmt: skip
