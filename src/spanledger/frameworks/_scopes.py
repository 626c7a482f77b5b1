"""
A framework's run and tool call as ours: what its exceptions and results mean in our words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from ..ledger import Run
from ..runs import RunScope, ToolScope, current, defaults, new_id

__all__ = ["FrameworkRun", "FrameworkTool", "TeamRun", "reason_of_error"]

_TEAM: Final = otel_context.create_key("spanledger-team")
"""Where the run is whose agents are at work; a tool's inside is no agent's work."""

_REASONS: Final = {
    "MaxTurnsExceeded": "max_steps", "GraphRecursionError": "max_steps", "AgentMaxStepsError": "max_steps",
    "WorkflowRuntimeError": "error", "MaxTurnsReached": "max_steps", "MaxIterationsExceeded": "max_steps",
    "UsageLimitExceeded": "budget_exceeded", "LlmCallsLimitExceededError": "max_steps",
    "MaxTokensReachedException": "max_tokens", "EventLoopMaxTokensReachedException": "max_tokens",
    "InputGuardrailTripwireTriggered": "denied", "OutputGuardrailTripwireTriggered": "denied",
    "ToolInputGuardrailTripwireTriggered": "denied", "ToolOutputGuardrailTripwireTriggered": "denied",
    "ContentFilterError": "content_filter", "GraphInterrupt": "interrupted", "NodeInterrupt": "interrupted",
    "HumanInputNotProvidedError": "interrupted", "HumanInputTimeoutError": "interrupted",
    "WorkflowCancelledByUser": "cancelled", "RunCancelled": "cancelled",
}  # fmt: skip
"""Names of frameworks' exceptions, and the stop reason of a run that ends on one."""

_CONTROL: Final = frozenset({
    "GraphInterrupt", "NodeInterrupt", "GraphBubbleUp", "ParentCommand", "CallDeferred", "ApprovalRequired",
    "HumanInputNotProvidedError", "HumanInputTimeoutError",
})  # fmt: skip
"""Names of exceptions that steer a framework and are no failure of the tool that raises them."""


def reason_of_error(error: BaseException) -> str | None:
    """The stop reason that a framework's exception stands for, if we know it."""
    return next((_REASONS[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in _REASONS), None)


class FrameworkRun(RunScope):
    """A run of a framework.  *reads* tells a stop reason from its result, or `None`."""

    adopts = True

    def __init__(self, name: str | None, *, reads: Callable[[Any], str | None] | None = None, **fields: Any) -> None:
        given: dict[str, Any] = {key: defaults[key] for key in ("agent_version", "prompt_version")}
        super().__init__(Run(id=new_id(), name=name or defaults["agent"], **{**given, **fields}))
        self._reads = reads
        self._result: Any = None

    def close(self, error: BaseException | None, result: Any = None) -> None:
        """End the run with what *error* or *result* means; one that waits for somebody has not failed."""
        self._result = result
        if error is not None and reason_of_error(error) == "interrupted":
            for run in (self.run, self.run.parent):  # what is around it stops there too, without an exception
                if run is not None and run.stop_reason is None:
                    run.stop_reason = "interrupted"
            error = None
        super().close(error, result)

    def _reason(self, error: BaseException | None) -> str:
        if error is not None:
            return reason_of_error(error) or super()._reason(error)
        told = self._reads(self._result) if self._reads is not None else None
        return told or super()._reason(error)


T = TypeVar("T", bound="TeamRun")


class TeamRun(FrameworkRun):
    """A run of agents or graphs that call each other: what is reached from it, other than through a tool, is part."""

    def open(self) -> None:
        """Begin, for all that is reached from here."""
        super().open()
        if self.context is not None:
            self.context = otel_context.set_value(_TEAM, self, self.context)

    @classmethod
    def here(cls: type[T], context: Context | None = None) -> T | None:  # noqa: PYI019 - Self is not in 3.10
        """The run of this kind that the code here, or *context*, is part of."""
        found, placement = otel_context.get_value(_TEAM, context), current(context)
        if not isinstance(found, cls) or placement is None or placement.run is not found.run:
            return None  # another run begins between
        return found if found.run.ended is None else None


class FrameworkTool(ToolScope):
    """A tool call of a framework; a tool of the user's own that runs inside is the same call, an agent a run inside."""

    def __init__(self, name: str, arguments: Any = None, *, call_id: str | None = None, **options: Any) -> None:
        super().__init__(name, arguments, call_id=call_id, shared=True, **options)

    def open(self) -> None:
        """Begin, and no longer be the work of the agents around."""
        super().open()
        if self.context is not None:
            self.context = otel_context.set_value(_TEAM, None, self.context)

    def close(self, error: BaseException | None, result: Any = None) -> None:
        """End the call; an exception that only steers the framework is no failure."""
        if error is not None and any(kind.__name__ in _CONTROL for kind in type(error).__mro__):
            error = GeneratorExit()
        super().close(error, result)
