"""
Google ADK: a runner's invocation is a run, with all agents that it goes through; a tool's call is a tool call.

It makes spans of its own: those of the invocation and of the agent that the run is named after are the run's, a tool's
is the tool call's, the others are completed.
https://github.com/google/adk-python
"""

from __future__ import annotations

import dataclasses
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from ..shield import shield
from ._adk_spans import Invocation, merged, opened, opened_here
from ._framework import Framework, Hook, argument, around, around_events
from ._scopes import FrameworkTool

__all__ = ["FRAMEWORK"]

_NESTED: Final = otel_context.create_key("spanledger-adk-nested")
_LEFT: Final = "adk-runner-caller-closed-early"
"""What ADK cancels an invocation with when the caller of the synchronous `run` stops reading."""


class _Run(Invocation):
    """A run that knows what the invocation has said so far."""

    closes_what_is_left = True
    """Its generators wait while they end: one that an exception is thrown into counts as running for ever."""

    def __init__(self, agent: Any, **fields: Any) -> None:
        super().__init__(getattr(agent, "name", None), **fields)
        self.adopts = _Run.here() is None  # else the span here is that of the agent which started this one
        self._agent = agent
        self._last: Any = None
        self._asked: set[str] = set()
        """Long-running calls without an answer: somebody else is to give it."""
        self._paused = False
        """Whether such a call was the last thing that was said."""
        self._aborted = False

    def saw(self, event: Any) -> None:
        """Note what an event says about how the run ends."""
        self._last = event
        self._aborted = self._aborted or getattr(event, "error_code", None) == "INVOCATION_ABORTED"
        waiting = getattr(event, "long_running_tool_ids", None)
        self._asked.update(waiting or ())
        self._paused = bool(waiting) or self._paused
        for part in getattr(getattr(event, "content", None), "parts", None) or ():
            self._asked.discard(getattr(getattr(part, "function_response", None), "id", None) or "")
            if getattr(part, "text", None) and not waiting:
                self._paused = False

    def close(self, error: BaseException | None, result: Any = None) -> None:
        """End; who stops reading after the answer has cancelled nothing."""
        left = isinstance(error, GeneratorExit) or (error is not None and error.args[:1] == (_LEFT,))
        super().close(None if left and self._answered() else error, result)

    def _answered(self) -> bool:
        """Whether the last event is the answer, after which an agent (not a workflow of agents) has nothing to do."""
        with shield("reading a framework's event"):
            said = getattr(self._last, "is_final_response", None)
            if said is None or not said() or self._asked or not hasattr(self._agent, "find_agent"):
                return False
            agent = self._agent.find_agent(self._last.author)
            while agent is not None and hasattr(agent, "canonical_model") and agent is not self._agent:
                agent = agent.parent_agent
            return agent is self._agent and hasattr(agent, "canonical_model")
        return False

    def _reason(self, error: BaseException | None) -> str:
        if error is None and self._aborted:
            return "cancelled"
        return "interrupted" if error is None and (self._paused or self._asked) else super()._reason(error)


def _invoked(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Run:  # noqa: ARG001
    user, session = kwargs.get("user_id"), kwargs.get("session_id")
    if (given := kwargs.get("session")) is not None:  # how `run_live` was called once
        user, session = getattr(given, "user_id", user), getattr(given, "id", session)
    if otel_context.get_value(_NESTED):  # a session that lasts as long as the call of the tool
        session = None
    return _Run(getattr(instance, "agent", None), session_id=session, user_id=user)


def _driven(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Run | None:
    """An agent, without a runner or inside of a tool; else it is part of the run that it is reached from."""
    if _Run.here() is not None:
        return None
    context = argument(args, kwargs, 0, "parent_context")
    session = getattr(context, "session", None)
    return _Run(instance, session_id=getattr(session, "id", None), user_id=getattr(context, "user_id", None))


class _Lent:
    """Lends a context to where ADK looks for that of the nodes that a tool runs."""

    def __init__(self, tool_context: Any) -> None:
        self._to = tool_context
        self._before: Any = None

    def lend(self, context: Context | None) -> None:
        """Put *context* there."""
        with shield("placing what a framework's tool runs"):
            found: Any = getattr(self._to, "_telemetry_context", None)
            if context is not None and hasattr(found, "otel_context"):
                self._to._telemetry_context = dataclasses.replace(found, otel_context=context)  # noqa: SLF001
                self._before = found

    def back(self) -> None:
        """Put back what was there."""
        if self._before is not None:
            self._to._telemetry_context, self._before = self._before, None  # noqa: SLF001


class _Tool(FrameworkTool):
    """A tool call; an agent that runs inside is a run inside."""

    def __init__(self, tool: Any, arguments: Any, tool_context: Any) -> None:
        super().__init__(tool.name, arguments, call_id=getattr(tool_context, "function_call_id", None))
        self._nested = hasattr(tool, "agent")
        self._lent = _Lent(tool_context)

    def open(self) -> None:
        """Begin, and say where the nodes belong that it runs."""
        super().open()
        if self.context is not None:
            self.context = otel_context.set_value(_NESTED, self._nested, self.context)
            self._lent.lend(self.context)

    def close(self, error: BaseException | None, result: Any = None) -> None:
        """End, and take nothing along."""
        self._lent.back()
        super().close(error, result)


class _Graph(_Run):
    """A graph of nodes that a tool runs."""

    def __init__(self, node: Any, tool_context: Any, **fields: Any) -> None:
        super().__init__(node, **fields)
        self._lent = _Lent(tool_context)

    def open(self) -> None:
        """Begin, for all nodes."""
        super().open()
        self._lent.lend(self.context)

    def close(self, error: BaseException | None, result: Any = None) -> None:
        """End, and take nothing along."""
        self._lent.back()
        super().close(error, result)


def _graph(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Graph | None:  # noqa: ARG001
    node, context = argument(args, kwargs, 0, "node"), kwargs["tool_context"]
    if not hasattr(node, "edges"):  # a function as a node
        return None
    return _Graph(node, context, session_id=context.session.id, user_id=context.user_id)


def _tool(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Tool:  # noqa: ARG001
    return _Tool(instance, kwargs.get("args"), kwargs.get("tool_context"))


def _called(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Tool:  # noqa: ARG001
    arguments, context = argument(args, kwargs, 1, "args"), argument(args, kwargs, 2, "tool_context")
    return _Tool(argument(args, kwargs, 0, "tool"), arguments, context)


_AGENT: Final = "google.adk.agents.base_agent"
_TRACING: Final = "google.adk.telemetry.tracing"
_FLOWS: Final = "google.adk.flows.llm_flows"

FRAMEWORK: Final = Framework("google-adk", "1.14", (
    Hook("google.adk.runners", ("Runner.run_async",), around_events(_invoked, _Run.saw)),
    Hook("google.adk.runners", ("Runner.run_live",), around_events(_invoked, _Run.saw)),
    Hook(_AGENT, ("BaseAgent.run_async",), around_events(_driven, _Run.saw)),
    Hook(_AGENT, ("BaseAgent.run_live",), around_events(_driven, _Run.saw)),
    Hook(f"{_FLOWS}.tools._caller", ("_call_tool_async",), around(_called)),
    Hook(f"{_FLOWS}.functions", ("__call_tool_async",), around(_called), needed=False),  # before 2
    Hook("google.adk.tools.function_tool", ("FunctionTool.run_async",), around(_tool)),
    Hook("google.adk.tools.agent_tool", ("AgentTool.run_async",), around(_tool)),
    Hook("google.adk.tools._node_tool", ("_run_node_in_tool_context",), around(_graph), needed=False),
    Hook(_TRACING, ("tracer.start_span",), opened),
    Hook(_TRACING, ("tracer.start_as_current_span",), opened_here),
    Hook(f"{_FLOWS}.tools._batch_executor", ("trace_merged_tool_calls",), merged, needed=False),
    Hook(f"{_FLOWS}.functions", ("trace_merged_tool_calls",), merged, needed=False),  # before 2
))  # fmt: skip
