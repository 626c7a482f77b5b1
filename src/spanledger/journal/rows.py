"""
A run and a span as the journal keeps them, and how they are made of what the process holds.

Rows are plain data with the tables' columns as fields; nothing here knows SQL.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, format_span_id, format_trace_id

from .. import semconv
from ..account import Totals
from ..ledger import Run
from ..outcomes import status_of
from .process import this_process

__all__ = ["RunRow", "SpanRow", "Version"]


@dataclass(frozen=True, slots=True)
class Version:
    """Which program it was, as far as its resource says."""

    service_name: str | None = None
    service_version: str | None = None
    commit_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """
    One run, going on or ended.

    Times are nanoseconds since the epoch, `cost` is US dollars over the calls that have a price; `unpriced` counts
    those that have none.  `steps` is the number of the current step while the run goes on.
    """

    run_id: str
    name: str | None = None
    implicit: bool = False
    parent_id: str | None = None
    called_by: str | None = None
    """The run of another process whose request this one answers; unlike that of a parent, its account is apart."""
    session_id: str | None = None
    user_id: str | None = None
    request_id: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    agent_version: str | None = None
    prompt_version: str | None = None
    system_hash: str | None = None
    tools_hash: str | None = None
    service_name: str | None = None
    service_version: str | None = None
    commit_id: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    started: int
    ended: int | None = None
    active: int = 0
    heartbeat: int = 0
    status: str = "running"
    stop_reason: str | None = None
    error_class: str | None = None
    steps: int = 0
    model_calls: int = 0
    model_errors: int = 0
    tool_calls: int = 0
    tool_errors: int = 0
    last_tool: str | None = None
    models: Mapping[str, int] = field(default_factory=dict)
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    unknown_usage: int = 0
    cost: Decimal = Decimal(0)
    unpriced: int = 0
    retries: int = 0
    retry_wait: float = 0.0
    decisions: Sequence[Mapping[str, Any]] = field(default_factory=list)
    """What limits decided, in order, by the names of `limits.Decision`; money is text, what is unknown left out."""
    pid: int = 0
    host: str = ""
    process: str = ""

    @classmethod
    def of(cls, run: Run, version: Version | None = None, *, now: int | None = None) -> RunRow:
        """The row of *run* as it stands; looks prices up, so not on a caller's way to the model."""
        me, version = this_process(), version or Version()
        cost, unpriced = run.cost, run.unpriced
        with run.lock:
            return cls(
                run_id=run.id, name=run.name, implicit=run.implicit, parent_id=run.parent.id if run.parent else None,
                called_by=run.called_by,
                session_id=run.session_id, user_id=run.user_id, request_id=run.request_id, labels=dict(run.labels),
                agent_version=run.agent_version, prompt_version=run.prompt_version,
                system_hash=run.system_hash, tools_hash=run.tools_hash,
                service_name=version.service_name, service_version=version.service_version,
                commit_id=version.commit_id, trace_id=run.trace_id, span_id=run.span_id,
                started=run.started, ended=run.ended, active=run.active, heartbeat=now or time.time_ns(),
                status=run.status, stop_reason=run.stop_reason, error_class=run.error_class,
                steps=run.steps, model_calls=run.model_calls, model_errors=run.model_errors,
                tool_calls=run.tool_calls, tool_errors=run.tool_errors, last_tool=run.last_tool,
                models=dict(run.models), input_tokens=run.usage.input, output_tokens=run.usage.output,
                cache_read_tokens=run.usage.cache_read, cache_write_tokens=run.usage.cache_write,
                reasoning_tokens=run.usage.reasoning, unknown_usage=run.usage.unknown,
                cost=cost, unpriced=unpriced, retries=run.retries, retry_wait=run.retry_wait,
                decisions=[decided(decision) for decision in run.decisions],
                pid=me.pid, host=me.host, process=me.mark,
            )  # fmt: skip

    @classmethod
    def of_span(cls, span: SpanRow, version: Version | None = None) -> RunRow | None:
        """The row of the run whose own span *span* is, else `None`; for programs where only spans reach the journal."""
        facts = span.attributes
        if semconv.RUN_STATUS not in facts:
            return None
        me, version, stop_reason = this_process(), version or Version(), facts.get(semconv.RUN_STOP_REASON)
        start = len(semconv.LABEL)
        counts = _totals(facts) if semconv.RUN_STEPS in facts else _of_one_call(facts)
        return cls(
            run_id=span.run_id, name=facts.get(semconv.AGENT_NAME), implicit=bool(facts.get(semconv.RUN_IMPLICIT)),
            parent_id=facts.get(semconv.RUN_PARENT_ID),
            called_by=facts.get(semconv.RUN_CALLED_BY), session_id=facts.get(semconv.SESSION_ID),
            user_id=facts.get(semconv.USER_ID), request_id=facts.get(semconv.REQUEST_ID),
            labels={k[start:]: str(v) for k, v in facts.items() if k.startswith(semconv.LABEL)},
            agent_version=facts.get(semconv.AGENT_VERSION), prompt_version=facts.get(semconv.PROMPT_VERSION),
            system_hash=facts.get(semconv.SYSTEM_HASH), tools_hash=facts.get(semconv.TOOLS_HASH),
            service_name=version.service_name, service_version=version.service_version, commit_id=version.commit_id,
            trace_id=span.trace_id, span_id=span.span_id, started=span.started, ended=span.ended,
            active=span.ended, heartbeat=span.ended, status=status_of(stop_reason), stop_reason=stop_reason,
            error_class=facts.get(semconv.ERROR_CLASS), retries=facts.get(semconv.RUN_RETRIES, 0),
            retry_wait=facts.get(semconv.RUN_RETRY_WAIT, 0.0), **counts,
            pid=me.pid, host=me.host, process=me.mark,
        )  # fmt: skip

    def anonymous(self) -> RunRow:
        """The same row without anything that the program said about who it is for."""
        bare = [{key: item for key, item in decision.items() if key in _PLAIN} for decision in self.decisions]
        return dataclasses.replace(
            self, session_id=None, user_id=None, request_id=None, labels={}, decisions=bare
        )  # fmt: skip

    def wordless(self) -> RunRow:
        """The same row without anything that the program said at all: ids, times and counts."""
        return dataclasses.replace(
            self.anonymous(), name=None, agent_version=None, prompt_version=None, last_tool=None, models={},
            service_name=None, service_version=None, commit_id=None,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanRow:
    """One finished span of a run.  Times are nanoseconds since the epoch, *attributes* are JSON values."""

    trace_id: str
    span_id: str
    parent_id: str | None = None
    run_id: str
    step: int | None = None
    name: str
    operation: str | None = None
    kind: str = "INTERNAL"
    scope: str | None = None
    started: int
    ended: int
    status: str = "UNSET"
    description: str | None = None
    user_id: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    events: Sequence[Mapping[str, Any]] = field(default_factory=list)
    links: Sequence[Mapping[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, span: ReadableSpan) -> SpanRow | None:
        """The row of *span*, or `None` when it belongs to no run."""
        attributes: dict[str, Any] = plain(span.attributes or {})
        run_id, context = attributes.get(semconv.RUN_ID), span.get_span_context()
        if not isinstance(run_id, str) or context is None:
            return None
        started = span.start_time or 0
        return cls(
            **_ids(context), parent_id=format_span_id(span.parent.span_id) if span.parent else None,
            run_id=run_id, step=attributes.get(semconv.STEP_NUMBER), name=span.name,
            operation=attributes.get(semconv.OPERATION), kind=span.kind.name,
            scope=span.instrumentation_scope.name if span.instrumentation_scope else None,
            started=started, ended=span.end_time or started, status=span.status.status_code.name,
            description=span.status.description, user_id=attributes.get(semconv.USER_ID), attributes=attributes,
            events=[
                {"name": e.name, "time": e.timestamp, "attributes": plain(e.attributes or {})} for e in span.events
            ],
            links=[_ids(link.context) | {"attributes": plain(link.attributes or {})} for link in span.links],
        )  # fmt: skip

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.ended - self.started) / 1e9


def _totals(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What a run's own span says of all its calls."""
    return {
        "steps": facts[semconv.RUN_STEPS], "model_calls": facts.get(semconv.RUN_MODEL_CALLS, 0),
        "tool_calls": facts.get(semconv.RUN_TOOL_CALLS, 0), "input_tokens": facts.get(semconv.RUN_INPUT_TOKENS, 0),
        "output_tokens": facts.get(semconv.RUN_OUTPUT_TOKENS, 0),
        "unknown_usage": facts.get(semconv.RUN_UNKNOWN_USAGE, 0),
        "cost": Decimal(str(facts.get(semconv.RUN_COST, 0))), "unpriced": facts.get(semconv.RUN_UNPRICED, 0),
    }  # fmt: skip


def _of_one_call(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The same of a run that is one call, whose span says it in a call's own words."""
    totals, amount = Totals(), facts.get(semconv.COST_AMOUNT)
    totals.add(semconv.usage_of(facts), facts.get(semconv.OPERATION, "chat"))
    model = facts.get(semconv.RESPONSE_MODEL) or facts.get(semconv.REQUEST_MODEL) or "unknown"
    return {
        "steps": facts.get(semconv.STEP_NUMBER, 0), "model_calls": 1,
        "model_errors": int(semconv.ERROR_CLASS in facts), "models": {model: 1}, "input_tokens": totals.input,
        "output_tokens": totals.output, "cache_read_tokens": totals.cache_read,
        "cache_write_tokens": totals.cache_write, "reasoning_tokens": totals.reasoning,
        "unknown_usage": totals.unknown, "cost": Decimal(str(amount or 0)), "unpriced": int(amount is None),
    }  # fmt: skip


_PLAIN: Final = ("outcome", "limit", "scope", "step", "value", "maximum", "wasted", "time", "since")


def decided(decision: Any) -> dict[str, Any]:
    """A limit's *decision* as JSON can hold it."""
    found = {}
    for item in dataclasses.fields(decision):
        if (value := getattr(decision, item.name)) is not None:
            found[item.name] = format(value, "f") if isinstance(value, Decimal) else plain(value)
    return found


def _ids(context: SpanContext) -> dict[str, Any]:
    return {"trace_id": format_trace_id(context.trace_id), "span_id": format_span_id(context.span_id)}


def plain(value: Any) -> Any:
    """*value* as JSON can hold it: what it has no word for is named by its kind, never spelled out."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (bytes, bytearray)):
        return f"<{len(value)} bytes>"
    if isinstance(value, Sequence):
        return [plain(v) for v in value]
    return f"<{type(value).__name__}>"
