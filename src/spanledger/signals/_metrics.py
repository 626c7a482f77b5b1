"""
Metrics: recorded when they are collected, not when they happen.

A call only leaves a note; the notes are turned into measurements when a reader collects, on the reader's thread.  A
program without a meter provider pays for nothing but the note, and the notes are bounded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any, Final

from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation, get_meter

from .. import pricing, semconv, shield
from ..ledger import Ledger, ModelCall, Run, ToolUse
from ..outcomes import status_of
from ..version import SCOPE, __version__
from ._names import COUNTERS, HISTOGRAMS

__all__ = ["Metrics"]

MAX_NOTES: Final = 20_000
"""How many notes wait for a reader at most; beyond, the oldest are lost and counted."""
MAX_TOOL_NAMES: Final = 200
"""How many tools have a label of their own; the others share ``__other__``."""


class Metrics:
    """Notes what happens to calls, tools and runs, and turns the notes into measurements at collection."""

    def __init__(self, ledger: Ledger, meter_provider: MeterProvider | None = None, names: str = "latest") -> None:
        self._notes: deque[tuple[str, Any]] = deque(maxlen=MAX_NOTES)
        self._ledger = ledger
        self._newest = names in ("latest", "both")
        self._before = names in ("v1.41", "both")
        self._tools: set[str] = set()
        self._failures: dict[str, int] = {}
        meter = get_meter(SCOPE, __version__, meter_provider)
        self._histograms = {
            name: meter.create_histogram(name, unit, text, explicit_bucket_boundaries_advisory=list(buckets))
            for name, (unit, buckets, text) in HISTOGRAMS.items()
        }
        self._counters = {name: meter.create_counter(name, unit, text) for name, (unit, text) in COUNTERS.items()}
        meter.create_observable_gauge(
            "agent.run.active", [self._collect], unit="{run}", description="Runs that are going on."
        )

    # --- notes, on the caller's thread ---------------------------------------------------------------------------

    def call_ended(self, call: Any) -> None:
        """Note a model call; *call* is the engine's."""
        if call.model_call is not None:
            self._notes.append(("call", (call.run.name, call.model_call, call.peer, call.seconds, call.first_chunk)))

    def tokens_came(self, run: Run, call: ModelCall) -> None:
        """Note a model call that was noted before without its tokens."""
        self._notes.append(("late", (run.name, call)))

    def tool_ended(self, run: Run, use: ToolUse) -> None:
        """Note a tool call."""
        self._notes.append(("tool", (run.name, use)))

    def decided(self, run: Run, decision: Any) -> None:
        """Note a limit's decision."""
        self._notes.append(("decision", (run.name, decision)))

    def run_ended(self, run: Run) -> None:
        """Note a run's end; a listener of the ledger."""
        self._notes.append(("run", run))

    # --- measurements, on the reader's thread --------------------------------------------------------------------

    def _collect(self, options: CallbackOptions) -> Iterable[Observation]:  # noqa: ARG002 - the API's signature
        self.drain()
        counts: dict[str, int] = {}
        for run in self._ledger.going_on():
            name = run.name or "unknown"
            counts[name] = counts.get(name, 0) + 1
        return [Observation(count, {semconv.AGENT_NAME: name}) for name, count in counts.items()]

    def drain(self) -> None:
        """Turn the notes into measurements."""
        sums: dict[tuple[str, tuple[tuple[str, Any], ...]], float] = {}
        for _ in range(len(self._notes)):
            try:
                kind, what = self._notes.popleft()
            except IndexError:
                break
            with shield.shield("recording metrics"):
                getattr(self, f"_{kind}")(what, sums)
        for place, count in list(shield.failures.items()):
            if new := count - self._failures.get(place, 0):
                self._failures[place] = count
                _add(sums, "agent.observer.failures", {"place": place}, new)
        for (name, labels), value in sums.items():
            self._counters[name].add(value, dict(labels))

    def _call(self, what: tuple[str | None, ModelCall, Any, float, float | None], sums: Any) -> None:
        agent, call, peer, seconds, first_chunk = what
        labels: dict[str, Any] = {semconv.OPERATION: call.operation, semconv.PROVIDER: call.provider}
        known = {
            semconv.REQUEST_MODEL: call.request_model, semconv.RESPONSE_MODEL: call.model,
            semconv.SERVER_ADDRESS: peer.address, semconv.SERVER_PORT: peer.port,
        }  # fmt: skip
        labels.update({name: value for name, value in known.items() if value is not None})
        failed = {**labels, semconv.ERROR_TYPE: call.error_class} if call.error_class else labels
        embeddings = call.operation == "embeddings"
        usage = call.usage
        if self._newest and not embeddings:
            record = self._histograms
            record["gen_ai.client.inference.duration"].record(seconds, failed)
            record["gen_ai.client.inference.operation.input_tokens"].record(usage.input or 0, failed)
            record["gen_ai.client.inference.operation.output_tokens"].record(usage.output or 0, failed)
            if first_chunk is not None:
                record["gen_ai.client.inference.time_to_first_chunk"].record(first_chunk, labels)
            self._token_counters(usage, labels, sums)
        if self._before or embeddings:
            self._histograms["gen_ai.client.operation.duration"].record(seconds, failed)
            for kind, count in (("input", usage.input), ("output", usage.output)):
                if count is not None:
                    self._histograms["gen_ai.client.token.usage"].record(count, {**labels, "gen_ai.token.type": kind})
        if call.error_class == "denied":  # never sent: it has neither tokens nor a price
            return
        if not usage.known:
            _add(sums, "agent.usage.unknown", labels, 1)
        self._cost(agent, call, sums)

    def _late(self, what: tuple[str | None, ModelCall], sums: Any) -> None:
        """Tokens and money that come after their call; a histogram knows no call twice, so counters alone."""
        agent, call = what
        if self._newest:
            labels: dict[str, Any] = {semconv.OPERATION: call.operation, semconv.PROVIDER: call.provider}
            known = {semconv.REQUEST_MODEL: call.request_model, semconv.RESPONSE_MODEL: call.model}
            labels.update({name: value for name, value in known.items() if value is not None})
            self._token_counters(call.usage, labels, sums)
        self._cost(agent, call, sums)

    def _cost(self, agent: str | None, call: ModelCall, sums: Any) -> None:
        price = pricing.price_call(call)
        model = {semconv.PROVIDER: call.provider, semconv.REQUEST_MODEL: call.model or call.request_model or "unknown"}
        model[semconv.AGENT_NAME] = agent or "unknown"
        if price.amount is None:
            _add(sums, "agent.unpriced", {**model, "reason": price.status}, 1)
        else:
            _add(sums, "agent.cost", model, float(price.amount))

    def _token_counters(self, usage: Any, labels: dict[str, Any], sums: Any) -> None:
        labels = {**labels, "gen_ai.token.modality": "text" if usage.known else "unknown"}
        for name, count in (
            ("input_tokens", usage.input or 0), ("output_tokens", usage.output or 0),
            ("cache_read.input_tokens", usage.cache_read), ("cache_write.input_tokens", usage.cache_write),
            ("reasoning.output_tokens", usage.reasoning),
        ):  # fmt: skip
            if count is not None:
                _add(sums, f"gen_ai.client.inference.usage.{name}", labels, count)

    def _tool(self, what: tuple[str | None, ToolUse], sums: Any) -> None:
        agent, use = what
        if len(self._tools) < MAX_TOOL_NAMES:
            self._tools.add(use.name)
        name = use.name if use.name in self._tools else "__other__"
        if use.error_class:
            _add(sums, "agent.tool.errors", {"tool.name": name, semconv.ERROR_CLASS: use.error_class}, 1)
        if use.duration is None:
            return
        self._histograms["agent.tool.duration"].record(use.duration, {"tool.name": name})
        labels = {semconv.TOOL_NAME: name, semconv.TOOL_TYPE: "function"}
        if agent:
            labels[semconv.AGENT_NAME] = agent
        if use.error_class:
            labels[semconv.ERROR_TYPE] = use.error_class
        self._histograms["gen_ai.execute_tool.duration"].record(use.duration, labels)

    def _decision(self, what: tuple[str | None, Any], sums: Any) -> None:
        agent, decision = what
        labels = {"outcome": decision.outcome, "limit": decision.limit, "scope": decision.scope}
        _add(sums, "agent.decisions", {semconv.AGENT_NAME: agent or "unknown", **labels}, 1)

    def _run(self, run: Run, sums: Any) -> None:
        agent = {semconv.AGENT_NAME: run.name or "unknown"}
        seconds = ((run.ended or run.started) - run.started) / 1e9
        status = status_of(run.stop_reason)
        _add(sums, "agent.run.status", {**agent, "status": status}, 1)
        _add(sums, "agent.stop", {**agent, "stop_reason": run.stop_reason}, 1)
        self._histograms["agent.run.duration"].record(seconds, agent)
        self._histograms["agent.tool.calls"].record(run.tool_calls, agent)
        failed = agent if status == "success" else {**agent, semconv.ERROR_TYPE: str(run.stop_reason)}
        self._histograms["gen_ai.invoke_agent.duration"].record(seconds, failed)
        self._histograms["gen_ai.invoke_agent.inference_calls"].record(run.model_calls, agent)
        self._histograms["gen_ai.invoke_agent.tool_calls"].record(run.tool_calls, agent)


def _add(sums: Any, name: str, labels: dict[str, Any], value: float) -> None:
    key = (name, tuple(sorted(labels.items())))
    sums[key] = sums.get(key, 0) + value
