"""Metrics: what a reader gets at its next collection."""

from __future__ import annotations

import pytest

import spanledger
from clients import CASES, CHAT, Answers, clients
from spanledger.signals import _metrics


@pytest.fixture
def points(reader):
    def points(name):
        data = reader.get_metrics_data()
        return [
            point
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]

    return points


def ask(*queue, stream=False):
    client = clients(Answers(list(queue)))["openai"][0]
    for _ in queue:
        try:
            made = (CASES[0].stream if stream else CASES[0].call)(client)
            if stream:
                list(made)
        except Exception:  # noqa: BLE001, PERF203 - an error status is part of the plan
            pass


def test_calls_are_counted_with_tokens_and_money(configure, points):
    configure()
    ask(CHAT, CHAT)
    (tokens,) = points("gen_ai.client.inference.usage.input_tokens")
    assert tokens.value == 18
    assert tokens.attributes["gen_ai.request.model"] == "gpt-4o-mini"
    assert tokens.attributes["gen_ai.token.modality"] == "text"
    (cost,) = points("agent.cost")
    assert cost.value == pytest.approx(2 * (9 * 0.15 + 4 * 0.6) / 1e6)
    assert cost.attributes["gen_ai.agent.name"] == "unknown"


def test_money_is_told_by_agent(configure, points):
    configure()
    for agent in ("support", "sales"):
        with spanledger.run(agent):
            ask(*[CHAT] * (2 if agent == "sales" else 1))
    found = {point.attributes["gen_ai.agent.name"]: point.value for point in points("agent.cost")}
    assert found["sales"] == pytest.approx(2 * found["support"])


def test_durations_have_the_conventions_buckets_and_the_error(configure, points):
    configure()
    ask(CHAT, (429, {"error": {"message": "slow"}}))
    found = {point.attributes.get("error.type"): point for point in points("gen_ai.client.inference.duration")}
    assert set(found) == {None, "rate_limited"}
    assert found[None].explicit_bounds[:3] == (0.01, 0.02, 0.04)


def test_streams_have_a_first_chunk(configure, points):
    configure()
    ask(list(CASES[0].events), stream=True)
    (first,) = points("gen_ai.client.inference.time_to_first_chunk")
    assert first.count == 1


def test_unknown_usage_and_unpriced_calls_are_counted(configure, points):
    configure()
    ask({**CHAT, "usage": None}, {**CHAT, "model": "house-model-7"})
    assert sum(point.value for point in points("agent.usage.unknown")) == 1


def test_the_names_of_before_may_be_asked_for(configure, points):
    configure(metric_names="v1.41")
    ask(CHAT)
    kinds = {point.attributes["gen_ai.token.type"]: point.sum for point in points("gen_ai.client.token.usage")}
    assert kinds == {"input": 9, "output": 4}


def test_runs_and_tools_have_their_metrics_and_no_ids(configure, reader):
    configure()
    with spanledger.run("support", user_id="u-1", session_id="s-1") as run:
        with spanledger.tool("look"):
            pass
        with spanledger.tool("send") as call:
            call.result = {"error": "x"}
    found = {}
    for resource in reader.get_metrics_data().resource_metrics:
        for scope in resource.scope_metrics:
            found |= {metric.name: list(metric.data.data_points) for metric in scope.metrics}
    assert found["agent.stop"][0].attributes == {"gen_ai.agent.name": "support", "stop_reason": "completed"}
    assert found["agent.run.status"][0].attributes["status"] == "success"
    assert found["agent.tool.calls"][0].sum == 2
    assert {point.attributes["tool.name"] for point in found["agent.tool.duration"]} == {"look", "send"}
    assert found["agent.tool.errors"][0].attributes["agent.error.class"] == "error_payload"
    labels = {str(value) for points in found.values() for point in points for value in point.attributes.values()}
    assert not labels & {run.id, "u-1", "s-1"}


def test_the_number_of_tool_labels_is_bounded(configure, points, monkeypatch):
    monkeypatch.setattr(_metrics, "MAX_TOOL_NAMES", 3)
    configure()
    with spanledger.run("a"):
        for number in range(9):
            with spanledger.tool(f"t{number}"):
                pass
    assert {p.attributes["tool.name"] for p in points("agent.tool.duration")} == {"t0", "t1", "t2", "__other__"}


def test_running_runs_are_a_gauge(configure, points):
    configure()
    with spanledger.run("busy"):
        (gauge,) = points("agent.run.active")
        assert (gauge.value, gauge.attributes["gen_ai.agent.name"]) == (1, "busy")
