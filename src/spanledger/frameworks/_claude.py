"""
What a Claude Code process says of itself, message by message, as a run, its model calls and its tool calls.

The model is called over there: what is known of a call is what the messages say.  Input tokens are exact; output tokens
stand there as they were when an answer began, and come right with the sums of the result.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from .. import runs, semconv
from ..ledger import ModelCall
from ..model import Response, ToolResult, Usage
from ..outcomes import stop_reason_of_finish
from ..providers._anthropic_messages import read_response
from ._scopes import FrameworkRun

__all__ = ["Conversation"]

_SUBTYPES: Final = {"error_max_turns": "max_steps", "error_max_budget_usd": "budget_exceeded"}
_ERRORS: Final = {
    "rate_limit": "rate_limited", "authentication_failed": "auth", "billing_error": "auth",
    "invalid_request": "invalid_arguments", "server_error": "upstream_error", "max_output_tokens": "context_length",
}  # fmt: skip
_SUMS: Final = (
    ("uncached", "inputTokens"), ("cache_read", "cacheReadInputTokens"), ("cache_write", "cacheCreationInputTokens"),
    ("output", "outputTokens"),
)  # fmt: skip
_PROVIDERS: Final = {"bedrock": "aws.bedrock", "vertex": "gcp.vertex_ai"}
_NOBODY: Final = "<synthetic>"
"""The model of messages that the process wrote itself."""
MAX_MODELS: Final = 50
"""How many models of one connection are summed up apart, and how many of its subagents are told apart."""


@dataclass(slots=True)
class _Call:
    """A model call of which something may still be said."""

    response: Response
    step: int
    started: int
    ended: int
    final: bool = False
    """Whether its usage is that of its end."""
    error: str | None = None
    estimated: bool = False


@dataclass(slots=True)
class _Sums:
    """Tokens of one model: what its calls said in this run, and what results said before."""

    said: dict[str, int] = field(default_factory=dict)
    before: dict[str, int] = field(default_factory=dict)
    calls: int = 0


class Conversation:
    """One connection to a Claude Code process."""

    def __init__(self, scope: FrameworkRun | None) -> None:
        self.scope = scope
        """The run that is going on."""
        self._own = scope is None
        self._held: dict[str, _Call] = {}
        """The last call of each lane: of the agent itself, and of each subagent by the tool call that it is."""
        self._sums: dict[str, _Sums] = {}
        self._since = time.time_ns()
        self._streamed: str | None = None
        self._session: str | None = None
        self._reason: str | None = None

    def begin(self) -> None:
        """A request begins, unless one is going on."""
        if self.scope is None or self.scope.run.ended is not None:
            self.scope = FrameworkRun("claude", session_id=self._session)
            self.scope.open()
        self._since = time.time_ns()

    def end(self, error: BaseException | None = None) -> None:
        """What is going on ends, one way or another; somebody else's run is left to them."""
        scope = self.scope
        if scope is None:
            return
        for lane in list(self._held):
            self._settle(lane)
        if self._own and scope.run.ended is None:
            scope.close(error)

    def saw(self, message: Mapping[str, Any]) -> None:
        """Take note of a *message* that the process sent."""
        kind = message.get("type")
        act = {"system": self._system, "assistant": self._assistant, "user": self._user,
               "stream_event": self._event, "result": self._result}.get(str(kind))  # fmt: skip
        if act is None or (kind == "system" and message.get("subtype") != "init"):
            return
        if self.scope is None or (self._own and self.scope.run.ended is not None):
            if kind == "result":
                return
            self.begin()
        context = self.scope.context if self.scope is not None else None
        if context is None:
            return
        previous = runs.attach(context)
        try:
            act(message)
        finally:
            runs.restore(context, previous)

    def _system(self, message: Mapping[str, Any]) -> None:
        session = message.get("session_id")
        if isinstance(session, str) and self.scope is not None and self.scope.run.session_id is None:
            self._session = self.scope.run.session_id = session
            trace.get_current_span().set_attributes(runs.attributes_of(self.scope.run, 0))
        self._since = time.time_ns()

    def _assistant(self, message: Mapping[str, Any]) -> None:
        response, error = read_response(message.get("message") or {}, content=False), message.get("error")
        if response.model == _NOBODY and error is None:
            return
        run, lane, now = self.scope.run, str(message.get("parent_tool_use_id") or ""), time.time_ns()  # type: ignore[union-attr]
        held = self._held.get(lane)
        if held is None or held.response.id != response.id:
            self._settle(lane if held is not None or len(self._held) < MAX_MODELS else next(iter(self._held)))
            held = self._held[lane] = _Call(response, runs.begin_step(run), self._since, now)
        else:
            held.response.tool_calls += response.tool_calls
            if not held.final:
                held.response.usage = response.usage
            held.response.finish_reasons = response.finish_reasons or held.response.finish_reasons
            held.ended = now
        held.final = held.final or bool(response.finish_reasons)
        if error is not None:
            held.error = _ERRORS.get(str(error), "upstream_error")
        if response.tool_calls:
            runs.note_asked(run, held.step, response)

    def _event(self, message: Mapping[str, Any]) -> None:
        """A piece of an answer, where the program asked for them: the last one knows the usage."""
        event = message.get("event") or {}
        if event.get("type") == "message_start":
            self._streamed = (event.get("message") or {}).get("id")
        held = next((c for c in self._held.values() if c.response.id == self._streamed), None)
        if event.get("type") == "message_delta" and held is not None:
            last = read_response({"usage": event.get("usage") or {}, **(event.get("delta") or {})}, content=False)
            held.final = last.usage.output is not None
            held.response.usage.output = last.usage.output
            held.response.finish_reasons = last.finish_reasons or held.response.finish_reasons

    def _user(self, message: Mapping[str, Any]) -> None:
        content = (message.get("message") or {}).get("content")
        blocks = [b for b in content if isinstance(b, Mapping)] if isinstance(content, list) else []
        results = [
            ToolResult(b.get("tool_use_id"), None, b.get("content"), bool(b.get("is_error")))
            for b in blocks if b.get("type") == "tool_result"
        ]  # fmt: skip
        for result in results:
            self._settle(str(result.id))  # a subagent that is done
        if results:
            runs.infer_tools(self.scope.run, results)  # type: ignore[union-attr]
        self._since = time.time_ns()

    def _result(self, message: Mapping[str, Any]) -> None:
        run = self.scope.run  # type: ignore[union-attr]
        totals = message.get("modelUsage")
        for name, total in totals.items() if isinstance(totals, Mapping) else ():
            if isinstance(total, Mapping):
                self._sum_up(str(name), total)
        if run.stop_reason in (None, self._reason):  # else somebody here has said it
            run.stop_reason = self._reason = _reason(message)
        self.end()
        for sums in self._sums.values():
            sums.said, sums.calls = {}, 0

    def _sum_up(self, name: str, total: Mapping[str, Any]) -> None:
        """Set right what the calls of a model said, by what the process says that they used in all."""
        canonical = str(total.get("canonicalModel") or name).partition("[")[0]
        told = [call.response.model for call in self._held.values() if call.response.model] + list(self._sums)
        model = next((m for m in told if m.startswith(canonical) or canonical.startswith(m)), name)
        if model not in self._sums and len(self._sums) >= MAX_MODELS:
            return
        sums = self._sums.setdefault(model, _Sums())
        open_calls = [call for call in self._held.values() if call.response.model == model]
        held, said = open_calls[-1] if open_calls else None, dict(sums.said)
        for call in open_calls:
            _add(said, call.response.usage)
        now = {bucket: int(total.get(key) or 0) for bucket, key in _SUMS}
        fresh = any(now[bucket] < sums.before.get(bucket, 0) for bucket in now)
        rest = {b: now[b] - (0 if fresh else sums.before.get(b, 0)) - said.get(b, 0) for b in now}
        sums.before = now
        if held is not None and not any(rest[b] > 0 for b in rest if b != "output"):
            if rest["output"] > 0 and not held.final:
                held.response.usage.output = (held.response.usage.output or 0) + rest["output"]
                held.estimated = sums.calls + len(open_calls) > 1  # earlier answers were longer, too
            rest["output"] = 0
        if any(count > 0 for count in rest.values()):
            usage = Usage()
            for bucket, count in rest.items():
                setattr(usage, bucket, max(count, 0))
            at = time.time_ns()
            provider = _PROVIDERS.get(str(total.get("provider")), "anthropic")
            # calls that no message told of: titles, summaries, searches
            self._write(_Call(Response(model=model, usage=usage), self.scope.run.steps, at, at), provider)  # type: ignore[union-attr]

    def _settle(self, lane: str) -> None:
        call = self._held.pop(lane, None)
        if call is None:
            return
        model = str(call.response.model)
        sums = self._sums.get(model) or _Sums()
        if len(self._sums) < MAX_MODELS:
            self._sums[model] = sums
        _add(sums.said, call.response.usage)
        sums.calls += 1
        self._write(call, "anthropic")

    def _write(self, call: _Call, provider: str) -> None:
        scope, response = self.scope, call.response
        run = scope.run  # type: ignore[union-attr]
        run.settle_model(ModelCall(
            "chat", provider, None, response.model, response.usage, call.started, call.ended, call.step,
            semconv.tier_of(response.extra), call.error, len(response.tool_calls),
        ))  # fmt: skip
        finish = stop_reason_of_finish(response.finish_reasons)
        run.finish = None if finish == "completed" else finish
        if call.error is not None:
            run.failed = (0, "model", call.error)
        attributes: dict[str, Any] = {
            semconv.OPERATION: "chat", semconv.PROVIDER: provider, **runs.attributes_of(run, call.step),
        }  # fmt: skip
        semconv.put_response(response, attributes)
        if call.estimated:
            attributes[semconv.USAGE_SOURCE] = "estimated"
        if call.error is not None:
            attributes[semconv.ERROR_CLASS] = attributes[semconv.ERROR_TYPE] = call.error
        span = runs.start_span(
            f"chat {response.model}", scope.context,  # type: ignore[union-attr]
            SpanKind.CLIENT, attributes, call.started,
        )  # fmt: skip
        if call.error is not None:
            span.set_status(StatusCode.ERROR, call.error)
        span.end(call.ended)


def _add(sums: dict[str, int], usage: Usage) -> None:
    for bucket, _ in _SUMS:
        sums[bucket] = sums.get(bucket, 0) + (getattr(usage, bucket) or 0)


def _reason(message: Mapping[str, Any]) -> str:
    """The stop reason that a result stands for."""
    subtype = str(message.get("subtype"))
    if str(message.get("terminal_reason") or "").startswith("aborted"):
        return "cancelled"
    if message.get("deferred_tool_use"):
        return "interrupted"
    if subtype in _SUBTYPES:
        return _SUBTYPES[subtype]
    if message.get("is_error"):
        return "model_error" if subtype == "success" else "error"
    return stop_reason_of_finish([str(message.get("stop_reason"))])
