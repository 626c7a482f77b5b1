"""
LlamaIndex: a workflow is a run, with the workflows in its steps; a function tool's call is a tool call.

https://github.com/run-llama/llama_index
"""

from __future__ import annotations

from typing import Any, Final

from ._framework import Framework, Hook, around, around_task
from ._scopes import FrameworkTool, TeamRun

__all__ = ["FRAMEWORK"]


class _Run(TeamRun):
    """A run of a workflow, of agents mostly."""


def _run(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Run | None:  # noqa: ARG001
    if _Run.here() is not None:
        return None
    return _Run(getattr(instance, "name", None) or type(instance).__name__)


def _future(handler: Any) -> Any:
    return handler if hasattr(handler, "add_done_callback") else getattr(handler, "_result_task", None)


class _Tool(FrameworkTool):
    def _failure_of(self, result: Any) -> str | None:
        return super()._failure_of(result) or super()._failure_of(getattr(result, "raw_output", None))

    def close(self, error: BaseException | None, result: Any = None) -> None:
        """End the call; what the tool gave is inside what LlamaIndex makes of it."""
        super().close(error, result if error is not None or getattr(result, "is_error", False) else _raw(result))


def _raw(result: Any) -> Any:
    return getattr(result, "raw_output", result)


def _tool(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkTool:
    return _Tool(instance.metadata.name, {"args": list(args), **kwargs} if args else dict(kwargs))


FRAMEWORK: Final = Framework("llama-index-core", "0.14", (
    Hook("llama_index.core.agent.workflow.base_agent", ("BaseWorkflowAgent.run",), around_task(_run, _future)),
    Hook("llama_index.core.agent.workflow.multi_agent_workflow", ("AgentWorkflow.run",), around_task(_run, _future)),
    Hook("workflows.workflow", ("Workflow.run",), around_task(_run, _future), needed=False),
    Hook("llama_index.core.tools.function_tool", ("FunctionTool.call",), around(_tool)),
    Hook("llama_index.core.tools.function_tool", ("FunctionTool.acall",), around(_tool)),
))  # fmt: skip
