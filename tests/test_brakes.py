"""Limits act before the next call of a real client, and say so."""

from __future__ import annotations

import asyncio
import copy

import openai
import pydantic
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

import spanledger
from clients import CHAT, CHAT_ASK, CHAT_EVENTS, Answers, clients
from spanledger import pricing, setup
from spanledger.budget import Budget, Loops, Rule
from spanledger.errors import BudgetExceeded, Denied, Killed, LoopDetected
from spanledger.limits import Kill
from spanledger.model import Request
from spanledger.pipeline.cost import add_cost
from spanledger.pipeline.record import Record


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


def test_a_run_that_was_stopped_stays_stopped_though_somebody_swallows_the_exception(configure, answers, spans):
    configure(budgets=[Budget(usd="0.001", action="stop")])
    answers.queue = [CHAT] * 9
    dear = {**CHAT_ASK, "model": "gpt-4o", "max_tokens": 4000}
    with spanledger.run("a") as run:
        ask(answers, max_tokens=5)
        for request in (dear, CHAT_ASK | {"max_tokens": 5}):  # as a framework does that tells the model of it
            with pytest.raises(BudgetExceeded):
                clients(answers)["openai"][0].chat.completions.create(**request)
        with pytest.raises(BudgetExceeded, match="the run was stopped"), spanledger.tool("search"):
            raise AssertionError
    assert len(answers.requests) == 1
    assert (run.stop_reason, len(run.decisions)) == ("budget_exceeded", 3)
    refused = [span for span in spans() if span.attributes.get("agent.decision.outcome") == "stop"]
    assert [span.name for span in refused] == ["chat gpt-4o", "chat gpt-4o-mini", "execute_tool search"]
    with spanledger.run("another"):
        ask(answers, max_tokens=5)


def test_a_call_that_only_others_are_in_the_way_of_may_be_tried_again(configure, answers):
    made = configure(budgets=[Budget(tokens=5000, action="stop")])
    with spanledger.run("a") as run:
        limits, request = made.brakes.limits, Request(settings={"gen_ai.request.max_tokens": 4000})
        words = {"provider": "openai", "model": "gpt-4o", "request": request, "estimate_tokens": 9, "step": 1}
        under_way = limits.before_model(run._run, **words)
        with pytest.raises(BudgetExceeded, match="held by calls under way"):
            limits.before_model(run._run, **words)
        limits.release(under_way)
        assert limits.before_model(run._run, **words) is not None


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_step_that_is_entered_is_refused_before_it_begins(configure, spans, asynchronous):
    configure(budget_steps=2, budget_action="stop")
    begun = []

    async def agent(run):
        for _ in range(5):
            async with run.step("think"):
                begun.append(1)

    with pytest.raises(BudgetExceeded) as stopped, spanledger.run("a") as run:
        if asynchronous:
            asyncio.run(agent(run))
        for _ in range(5):
            with run.step("think"):
                begun.append(1)
    assert (len(begun), stopped.value.limit, stopped.value.step, run.stop_reason) == (2, "steps", 3, "max_steps")
    *fine, refused = [span for span in spans() if span.name == "step think"]
    assert len(fine) == 2
    assert (refused.attributes["agent.error.class"], refused.events[-1].name) == ("denied", "agent.decision")
    assert not [span for span in fine if "agent.error.class" in span.attributes]


def test_a_kill_acts_where_a_step_begins_and_says_who_and_why(configure, spans):
    limits = configure().brakes.limits
    with pytest.raises(Killed), spanledger.run("a") as run:
        with run.step():
            limits.store.kill(Kill("agent:a", "bob", "too loud", 1_795_219_200.0))
        with run.step():
            raise AssertionError
    (decision,) = run.decisions
    assert (decision.by, decision.why, decision.since) == ("bob", "too loud", 1_795_219_200 * 10**9)
    (said,) = [event.attributes for span in spans() for event in span.events if event.name == "agent.decision"]
    assert (said["agent.decision.by"], said["agent.decision.why"]) == ("bob", "too loud")


def test_a_decorated_step_and_tool_are_refused_too(configure):
    configure(budget_steps=1, budget_action="stop")
    with spanledger.run("a") as run:
        done = []
        step = run.step("s")(lambda: done.append(1))
        step()
        for _ in range(2):
            with pytest.raises(BudgetExceeded):
                step()
        with pytest.raises(BudgetExceeded), spanledger.tool("t"):
            done.append(2)
    assert done == [1]


def asking_for(name, arguments="{}"):
    call = {"id": "c1", "type": "function", "function": {"name": name, "arguments": arguments}}
    made = copy.deepcopy(CHAT)
    made["choices"][0] |= {
        "finish_reason": "tool_calls", "message": {"role": "assistant", "content": None, "tool_calls": [call]},
    }  # fmt: skip
    return made, [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": f"{name} is not a tool"},
    ]


OFFERED = [{"type": "function", "function": {"name": "search", "parameters": {"type": "object"}}}]


def test_a_tool_that_was_never_offered_is_unknown(configure, answers, spans):
    configure()
    wanted, messages = asking_for("surch")
    answers.queue = [wanted, CHAT]
    client = clients(answers)["openai"][0]
    with spanledger.run("a") as run:
        client.chat.completions.create(model="gpt-4o-mini", messages=messages[:1], tools=OFFERED)
        client.chat.completions.create(model="gpt-4o-mini", messages=messages, tools=OFFERED)
    (decision,) = run.decisions
    assert (decision.outcome, decision.limit, decision.subject) == ("warn", "unknown_tool", "a")
    assert "tool surch, which it was not offered" in decision.reason
    (inferred,) = [span for span in spans() if span.name == "execute_tool surch"]
    assert inferred.attributes["agent.error.class"] == "unknown_tool"
    first = next(span for span in spans() if span.name.startswith("chat"))
    assert first.attributes["agent.decision.limit"] == "unknown_tool"


def test_an_unknown_tool_that_is_refused_or_fails_is_called_so(configure, answers, spans):
    configure(rules=[Rule(agent="a", tools=("search",), why="SEC-12")])
    wanted, messages = asking_for("shell")
    answers.queue = [wanted]
    with pytest.raises(Denied), spanledger.run("a") as run:
        clients(answers)["openai"][0].chat.completions.create(model="gpt-4o-mini", messages=messages[:1], tools=OFFERED)
        with spanledger.tool("shell", arguments={}):
            raise AssertionError
    (refused,) = [span for span in spans() if span.name == "execute_tool shell"]
    assert refused.attributes["agent.error.class"] == "unknown_tool"
    said = refused.events[-1].attributes
    assert (said["agent.decision.by"], said["agent.decision.why"]) == ("the rule for agent a", "SEC-12")
    assert [d.limit for d in run.decisions] == ["unknown_tool", "tool"]


@pytest.mark.parametrize(
    "tools", [[*OFFERED, {"type": "web_search"}], [{"type": "function", "function": {"name": "shell"}}]]
)
def test_a_tool_that_may_have_been_offered_is_not_called_unknown(configure, answers, tools):
    configure()
    wanted, messages = asking_for("shell")
    answers.queue = [wanted]
    with spanledger.run("a") as run:
        clients(answers)["openai"][0].chat.completions.create(model="gpt-4o-mini", messages=messages[:1], tools=tools)
    assert run.decisions == []


def test_a_denied_tool_that_nobody_watches_is_told_with_the_next_call(configure, answers, spans):
    configure(rules=[Rule(agent="a", deny_tools=("search",), why="SEC-12")])
    wanted, messages = asking_for("search")
    answers.queue = [wanted, CHAT]
    client = clients(answers)["openai"][0]
    with spanledger.run("a") as run:
        client.chat.completions.create(model="gpt-4o-mini", messages=messages[:1], tools=OFFERED)
        client.chat.completions.create(model="gpt-4o-mini", messages=messages, tools=OFFERED)
    (decision,) = run.decisions
    assert (decision.outcome, decision.limit, decision.why) == ("warn", "tool", "SEC-12")
    assert "was carried out unwatched" in decision.reason
    last = [span for span in spans() if span.name.startswith("chat")][-1]
    assert last.events[-1].attributes["agent.decision.why"] == "SEC-12"


def test_what_is_decided_after_a_call_is_on_its_span_too(configure, answers, spans):
    configure(budget_tokens=14)
    answers.queue = [CHAT]
    with spanledger.run("a"):
        ask(answers)
    chat = next(span for span in spans() if span.name.startswith("chat"))
    assert (chat.attributes["agent.decision.outcome"], chat.attributes["agent.decision.limit"]) == ("warn", "tokens")


def test_a_call_that_nearly_fills_the_window_is_told(configure, answers, spans):
    pricing.warm()
    configure()
    usage = {"prompt_tokens": 102_400, "completion_tokens": 4, "total_tokens": 102_404}
    answers.queue = [{**CHAT, "usage": {**usage, "prompt_tokens": 102_399}}, {**CHAT, "usage": usage}]
    with spanledger.run("a") as run:
        ask(answers)
        assert run.decisions == []
        ask(answers)
    (decision,) = run.decisions
    assert (decision.outcome, decision.limit, decision.value, decision.maximum) == ("warn", "context", 102_400, 128_000)
    last = [span for span in spans() if span.name.startswith("chat")][-1]
    assert last.attributes["agent.decision.limit"] == "context"
    assert add_cost_to(last)["agent.context.used"] == 0.8


def add_cost_to(span):
    record = Record.of(span)
    add_cost(record)
    return record.attributes


def test_a_call_that_was_refused_has_no_price_to_be_missed(configure, answers, spans):
    configure(budget_tokens=1, budget_action="stop")
    with pytest.raises(BudgetExceeded), spanledger.run("a") as run:
        ask(answers)
    assert (run.unpriced, run._run.model_calls, answers.requests) == (0, 0, [])
    (refused,) = [span for span in spans() if span.name.startswith("chat")]
    assert "agent.cost.status" not in add_cost_to(refused)


def test_a_request_that_is_too_long_is_called_so(configure, answers, spans):
    configure()
    error = {"message": "maximum context length is 128000 tokens", "code": "context_length_exceeded"}
    answers.queue = [(400, {"error": error})]
    with pytest.raises(openai.BadRequestError), spanledger.run("a"):
        ask(answers)
    (chat,) = [span for span in spans() if span.name.startswith("chat")]
    assert chat.attributes["agent.error.class"] == "context_length"


class Customer(pydantic.BaseModel):
    id: int


SCHEMA = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}


@pytest.mark.parametrize(
    "check", [lambda result: "id" in result, Customer, SCHEMA], ids=["callable", "model", "schema"]
)
def test_results_are_validated_by_whatever_can_say_what_is_right(provider, spans, check):
    reader = InMemoryMetricReader()
    spanledger.configure(tracer_provider=provider, meter_provider=MeterProvider([reader]), journal_off=True)

    @spanledger.tool(validate=check)
    def look(wrong):
        return {"name": "x"} if wrong else {"id": 7}

    with spanledger.run("a"):
        assert [look(wrong) for wrong in (True, False, False)] == [{"name": "x"}, {"id": 7}, {"id": 7}]
    tools = [span.attributes for span in spans() if span.name == "execute_tool look"]
    assert [a.get("agent.error.class") for a in tools] == ["validation_failed", None, None]
    counts = {
        (metric.name, point.attributes.get("agent.error.class")): getattr(point, "value", getattr(point, "count", None))
        for resource in reader.get_metrics_data().resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
    }
    assert counts["agent.tool.errors", "validation_failed"] == 1
    assert counts["agent.tool.duration", None] == 3  # the rate is one of these over the other
    while setup._now:
        setup._now.pop().shutdown()
