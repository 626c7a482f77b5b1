"""Accounting does not depend on sampling: the same agent at 0 %, 10 % and 100 % comes to the same, everywhere."""

from __future__ import annotations

import copy
import json

import openai
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

import spanledger
from clients import CHAT_ASK
from spanledger import runs, setup
from spanledger.budget import Budget
from spanledger.errors import BudgetExceeded
from spanledger.journal import Archive
from spanledger.ledger import ledger
from spanledger.testing import ScriptedServer

RUNS = 30
TURNS = [
    {"tool_calls": [{"name": "search", "arguments": {"q": "rain"}}], "usage": {"input": 1000, "output": 50}},
    {"error": 503},
    {"tool_calls": [{"name": "search", "arguments": {"q": "rain"}}], "usage": {"input": 2000, "output": 60}},
    {"tool_calls": [{"name": "search", "arguments": {"q": "rain"}}], "usage": {"input": 3000, "output": 70}},
    {"tool_calls": [{"name": "search", "arguments": {"q": "rain"}}], "usage": {"input": 9000, "output": 70}},
]
TOOLS = [{"type": "function", "function": {"name": "search", "parameters": {"type": "object"}}}]
TIMES = ("duration", "time_to_first_chunk")


@spanledger.tool(cost="0.0005")
def search(q):
    return "nothing found"


def agent(client, number):
    """One run: model and tool in turns, half of them streamed, until the budget stops it."""
    messages = [{"role": "user", "content": f"Hi {number}"}]
    with spanledger.run("weather", user_id=f"u{number % 3}", labels={"team": "care"}) as run:
        for _ in range(9):
            more = {"stream": True, "stream_options": {"include_usage": True}} if number % 2 else {}
            answer = client.chat.completions.create(
                **{**CHAT_ASK, "messages": messages}, tools=TOOLS, max_tokens=100, **more
            )
            if more:
                pieces = [c.delta.tool_calls for chunk in answer for c in chunk.choices if c.delta.tool_calls]
                call_id = pieces[0][0].id
            else:
                call_id = answer.choices[0].message.tool_calls[0].id
            asked = {"id": call_id, "type": "function", "function": {"name": "search", "arguments": '{"q": "rain"}'}}
            messages += [
                {"role": "assistant", "content": None, "tool_calls": [copy.deepcopy(asked)]},
                {"role": "tool", "tool_call_id": call_id, "content": search(q="rain")},
            ]
    return run


def numbers(reader):
    """Every metric but the times: name and labels to count and sum."""
    found = {}
    for resource in reader.get_metrics_data().resource_metrics:
        for metric in (m for scope in resource.scope_metrics for m in scope.metrics):
            for point in metric.data.data_points:
                labels = {k: v for k, v in point.attributes.items() if k != "server.port"}
                exact = round(getattr(point, "value", getattr(point, "sum", 0)), 9)
                timed = metric.name.rpartition(".")[2] in TIMES
                found[metric.name, json.dumps(labels, sort_keys=True)] = (getattr(point, "count", 1), timed or exact)
    return found


ROW = (
    "name", "user_id", "labels", "status", "stop_reason", "error_class", "steps", "model_calls", "model_errors",
    "tool_calls", "tool_errors", "models", "input_tokens", "output_tokens", "unknown_usage", "cost", "unpriced", "retries",
)  # fmt: skip
DECISION = ("outcome", "limit", "scope", "value", "maximum", "step", "wasted")


class Spread(RandomIdGenerator):
    """Trace ids far from each other, so that a tenth of them is a tenth."""

    def __init__(self):
        self._made = 0

    def generate_trace_id(self):
        self._made += 1
        return self._made * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (1 << 128)


def account(rate, path, exporter):
    """Everything that the agent comes to when *rate* of the traces are sampled."""
    reader = InMemoryMetricReader()
    provider = TracerProvider(sampler=ParentBased(TraceIdRatioBased(rate)), id_generator=Spread())
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    budgets = [Budget(usd="0.00441", action="stop"), Budget(scope="team", usd=5, tokens=10**6)]
    made = spanledger.configure(
        tracer_provider=provider, meter_provider=MeterProvider([reader]), journal=path, budgets=budgets
    )
    kept, standings = [], []
    with ScriptedServer(TURNS) as server:
        client = openai.OpenAI(base_url=f"{server.url}/v1", api_key="k", max_retries=2)
        for number in range(RUNS):
            with pytest.raises(BudgetExceeded):
                agent(client, number)
            run = next(reversed(ledger._runs.values()))
            kept.append((run.cost, run.usage, run.unpriced, run.steps, run.retries, run.stop_reason, run.last_tool))
            standings.append([(s.limit, s.scope, s.spent, s.held) for s in made.brakes.limits.standing(run)])
        client.close()
    made.force_flush()
    with Archive(path) as archive:
        rows = [
            [getattr(row, name) for name in ROW] + [[{k: d.get(k) for k in DECISION} for d in row.decisions]]
            for row in reversed(archive.runs())
        ]
    metrics = numbers(reader)
    while setup._now:
        setup._now.pop().shutdown()
    provider.shutdown()
    return kept, standings, rows, metrics


def test_accounting_is_the_same_whatever_is_sampled(tmp_path, monkeypatch, exporter):
    monkeypatch.setattr(openai._base_client.BaseClient, "_calculate_retry_timeout", lambda *_, **__: 0.001)
    found, spans = {}, {}
    for rate in (1.0, 0.1, 0.0):
        exporter.clear()
        ledger._runs.clear()
        found[rate] = account(rate, tmp_path / f"{rate}.db", exporter)
        spans[rate] = len(exporter.get_finished_spans())
        exporter._stopped = False
        runs.forget()
    assert spans[0.0] == 0 < spans[0.1] < spans[1.0]
    kept, standings, rows, metrics = found[1.0]
    assert len(rows) == RUNS
    assert {row[ROW.index("stop_reason")] for row in rows} == {"budget_exceeded"}
    assert all(cost > 0 for cost, *_ in kept)
    assert any(name == "agent.cost" for name, _ in metrics)
    for rate in (0.1, 0.0):
        for ours, theirs in zip(found[rate], (kept, standings, rows, metrics), strict=True):
            assert ours == theirs
