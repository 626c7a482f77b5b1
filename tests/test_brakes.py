"""Limits act before the next call of a real client, and say so."""

from __future__ import annotations

import asyncio

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

import spanledger
from clients import CHAT, CHAT_ASK, CHAT_EVENTS, Answers, clients
from spanledger import setup
from spanledger.budget import Budget, Loops, Rule
from spanledger.errors import BudgetExceeded, Denied, LoopDetected


@pytest.fixture
def answers():
    return Answers()


@pytest.fixture
def configure(provider):
    def configure(**settings):
        return spanledger.configure(tracer_provider=provider, journal_off=True, **settings)

    yield configure
    while setup._now:
        setup._now.pop().shutdown()


def ask(answers, **more):
    return clients(answers)["openai"][0].chat.completions.create(**CHAT_ASK, **more)


def test_a_step_budget_stops_before_the_next_call(configure, answers, spans):
    configure(budget_steps=2, budget_action="stop")
    answers.queue = [CHAT] * 5
    with pytest.raises(BudgetExceeded, match="steps") as stopped, spanledger.run("a") as run:
        for _ in range(5):
            ask(answers)
    assert len(answers.requests) == 2
    assert run.stop_reason == "max_steps"
    assert (stopped.value.limit, stopped.value.step) == ("steps", 3)
    assert run.decisions[-1].outcome == "stop"
    refused = [span for span in spans() if span.name.startswith("chat")][-1]
    assert refused.attributes["agent.decision.outcome"] == "stop"
    assert refused.attributes["agent.error.class"] == "denied"
    assert refused.events[-1].name == "agent.decision"


def test_a_money_budget_holds_for_streams_and_async_calls(configure, answers):
    configure(budgets=[Budget(usd="0.0001", action="stop")])
    answers.queue = [list(CHAT_EVENTS) for _ in range(50)]

    async def agent():
        client = clients(answers)["openai"][1]
        with spanledger.run("a") as run:
            with pytest.raises(BudgetExceeded):
                while True:
                    stream = await client.chat.completions.create(**CHAT_ASK, stream=True, max_tokens=50)
                    async for _ in stream:
                        pass
        return run

    run = asyncio.run(agent())
    assert run.stop_reason == "budget_exceeded"
    assert 0 < float(run.cost) <= 0.0001
    assert 0 < len(answers.requests) < 50


def test_the_agent_can_read_how_its_budget_stands(configure, answers):
    configure(budgets=[Budget(tokens=1000)])
    answers.queue = [CHAT]
    with spanledger.run("a") as run:
        ask(answers)
        (standing,) = run.budget
    assert (standing.limit, standing.spent, standing.left) == ("tokens", 13, 987)


def test_a_loop_stops_the_tool(configure, spans):
    configure(loops=Loops(action="stop", repeats=3))

    @spanledger.tool
    def search(query):
        return []

    with pytest.raises(LoopDetected), spanledger.run("a") as run:
        for _ in range(10):
            search("the same")
    assert run.stop_reason == "loop_detected"
    assert run.tool_calls <= 4


def test_a_rule_denies_a_tool_and_a_model(configure, answers):
    configure(rules=[Rule(agent="a", deny_tools=("send_*",), deny_models=("gpt-4o*",), why="SEC-12")])

    @spanledger.tool
    def send_mail():
        raise AssertionError

    with pytest.raises(Denied, match="SEC-12"), spanledger.run("a") as run:
        send_mail()
    assert run.stop_reason == "denied"
    with pytest.raises(Denied), spanledger.run("a"):
        ask(answers)
    assert answers.requests == []


def test_decisions_are_a_metric(configure, answers, provider):
    reader = InMemoryMetricReader()
    spanledger.configure(
        tracer_provider=provider, meter_provider=MeterProvider([reader]), journal_off=True, budget_tool_calls=1
    )
    with spanledger.run("a"):
        for _ in range(2):
            with spanledger.tool("t"):
                pass
    names = {
        metric.name: metric
        for resource in reader.get_metrics_data().resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    points = names["agent.decisions"].data.data_points
    assert {point.attributes["limit"] for point in points} == {"tool_calls"}
    assert names["agent.stop"].data.data_points[0].attributes["stop_reason"] == "completed"


def test_a_result_that_does_not_validate_is_a_failure(configure, spans):
    configure()

    @spanledger.tool(validate=lambda result: "id" in result)
    def look():
        return {"name": "x"}

    with spanledger.run("a") as run:
        assert look() == {"name": "x"}
    tool = next(span for span in spans() if span.name == "execute_tool look")
    assert tool.attributes["agent.error.class"] == "validation_failed"
    assert run.tool_calls == 1
