"""
Strands Agents: an agent's invocation is a run, a graph's or swarm's one with all agents in it.

It makes spans of its own; they become the run's, the model calls' and the tool calls'.

https://github.com/strands-agents/sdk-python
"""

from __future__ import annotations

from typing import Any, Final

from ..shield import shield
from ._framework import Framework, Hook, argument, around_events
from ._native import kept
from ._scopes import FrameworkRun, FrameworkTool, TeamRun

__all__ = ["FRAMEWORK"]

_REASONS: Final = {
    "cancelled": "cancelled", "checkpoint": "interrupted", "interrupt": "interrupted", "max_tokens": "max_tokens",
    "content_filtered": "content_filter", "guardrail_intervened": "denied", "limit_turns": "max_steps",
    "limit_output_tokens": "budget_exceeded", "limit_total_tokens": "budget_exceeded",
}  # fmt: skip


class _Team(TeamRun):
    """A run of a graph or swarm."""

    stands = False
    """Whether it stands for the span that Strands makes for it."""
    failed: BaseException | None = None
    """What an agent failed with; Strands makes it a result."""

    def close(self, error: BaseException | None, result: Any = None) -> None:
        """End the run, also with what is in the result."""
        super().close(error or self.failed, result)


def _run(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkRun | None:  # noqa: ARG001
    return FrameworkRun(getattr(instance, "name", None)) if _Team.here() is None else None


def _team(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Team | None:  # noqa: ARG001
    if _Team.here() is not None:
        return None
    session = getattr(getattr(instance, "session_manager", None), "session_id", None)
    return _Team(getattr(instance, "id", None), session_id=session)


def _said(scope: _Team, event: Any) -> None:
    """Read the result, which is the last event."""
    result: Any = event.get("result") if isinstance(event, dict) else None
    status = getattr(getattr(result, "status", None), "value", None)
    if status not in ("failed", "interrupted") or scope.run.stop_reason is not None:
        return
    failed = [node.result for node in result.results.values() if isinstance(node.result, BaseException)]
    if status == "failed" and failed:
        scope.failed = failed[-1]
    else:
        scope.run.stop_reason = "interrupted" if status == "interrupted" else "error"


_STOPS: Final = (("Max ", "max_steps"), ("Execution timed out", "timeout"), ("Repetitive handoff", "loop_detected"))


def _asked(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    """Whether a graph or swarm is to go on; if not, why is said nowhere else."""
    goes_on, why = answer = wrapped(*args, **kwargs)
    with shield("reading why a framework stops"):
        scope = _Team.here()
        if not goes_on and scope is not None and scope.run.stop_reason is None:
            scope.run.stop_reason = next((reason for words, reason in _STOPS if str(why).startswith(words)), None)
    return answer


def _spanned(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Its span of a graph or swarm: the run's."""
    with shield("looking at a framework's span"):
        scope = _Team.here()
        span = kept(scope.run, instance.tracer) if scope is not None and not scope.stands else None
        if scope is not None and span is not None:
            scope.stands = True
            span.set_attributes(kwargs.get("custom_trace_attributes") or {})
            return span
    return wrapped(*args, **kwargs)


def _stopped(scope: FrameworkRun, event: Any) -> None:
    if type(event).__name__ == "EventLoopStopEvent" and scope.run.stop_reason is None:
        scope.run.stop_reason = _REASONS.get(event["stop"][0])


def _tool(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> FrameworkTool:  # noqa: ARG001
    use = argument(args, kwargs, 0, "ctx").tool_use
    return FrameworkTool(use["name"], use.get("input"), call_id=use.get("toolUseId"))


def _ended(scope: FrameworkTool, event: Any) -> None:
    if type(event).__name__ != "ToolResultEvent":
        return
    result, error = event.tool_result, getattr(event, "exception", None)
    if isinstance(error, BaseException):
        scope.fail(error)
    elif result.get("status") == "error":
        scope.error_class = scope.error_class or "error_payload"
    if scope.result is None:
        scope.result = result.get("content")


FRAMEWORK: Final = Framework("strands-agents", "1.0", (
    Hook("strands.agent.agent", ("Agent._run_loop",), around_events(_run, _stopped)),
    Hook("strands.multiagent.graph", ("Graph.stream_async",), around_events(_team, _said)),
    Hook("strands.multiagent.graph", ("GraphState.should_continue",), _asked, needed=False),
    Hook("strands.multiagent.swarm", ("Swarm.stream_async",), around_events(_team, _said)),
    Hook("strands.multiagent.swarm", ("SwarmState.should_continue",), _asked, needed=False),
    Hook("strands.telemetry.tracer", ("Tracer.start_multiagent_span",), _spanned, needed=False),
    Hook("strands.tools.executors._executor", ("_run_tool",), around_events(_tool, _ended)),
))  # fmt: skip
