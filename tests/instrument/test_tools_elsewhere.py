"""Tools that a framework we don't know runs and makes spans for: theirs is the call, and there is no second one."""

from __future__ import annotations

import pytest
from opentelemetry.trace import StatusCode

from clients import CHAT, CHAT_ASK, Answers, clients
from spanledger import runs
from spanledger.config import Settings
from spanledger.instrument import instrument
from spanledger.ledger import ledger
from spanledger.pipeline import LedgerSpanProcessor

TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}]
WORDS = {
    "gen_ai": {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look"},
    "openinference": {"openinference.span.kind": "TOOL", "tool.name": "look"},
    "traceloop": {"traceloop.span.kind": "tool", "traceloop.entity.name": "look"},
}


def asks(*ids):
    calls = [{"id": i, "type": "function", "function": {"name": "look", "arguments": f'{{"id": "{i}"}}'}} for i in ids]
    message = {"role": "assistant", "content": None, "tool_calls": calls}
    return {**CHAT, "choices": [{"index": 0, "finish_reason": "tool_calls", "message": message}]}


@pytest.fixture
def answers():
    return Answers()


@pytest.fixture
def ask(answers, provider):
    provider.add_span_processor(LedgerSpanProcessor(settings=Settings()))
    with instrument(Settings(), tracer_provider=provider):
        client = clients(answers)["openai"][0]

        def ask(*more):
            messages = [*CHAT_ASK["messages"], *more]
            return client.chat.completions.create(model="gpt-4o-mini", messages=messages, tools=TOOLS)

        yield ask


def goes_on(ask, answer):
    message = answer.choices[0].message
    results = [{"role": "tool", "tool_call_id": call.id, "content": "found"} for call in message.tool_calls]
    return ask(message.model_dump(exclude_none=True), *results)


@pytest.fixture
def theirs(provider):
    return provider.get_tracer("a.framework")


@pytest.fixture
def tools(spans):
    return lambda: [span for span in spans() if "agent.tool.status" in span.attributes]


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_their_span_is_the_call(ask, answers, theirs, tools, spans, words):
    answers.queue = [asks("c1"), CHAT]
    answer = ask()
    with theirs.start_as_current_span("look", attributes=words):
        pass
    goes_on(ask, answer)
    (tool,) = tools()
    assert tool.instrumentation_scope.name == "a.framework"
    assert tool.attributes["agent.tool.status"] == "success"
    assert tool.attributes["agent.tool.duration"] >= 0
    assert tool.attributes["gen_ai.tool.call.id"] == "c1"
    assert tool.attributes["agent.tool.call.arguments.hash"].startswith("hmac-sha256:")
    assert tool.attributes["agent.step.number"] == 1
    (root,) = [span for span in spans() if "agent.run.tool_calls" in span.attributes]
    assert root.attributes["agent.run.tool_calls"] == 1


def test_which_of_several_it_is_says_their_id(ask, answers, theirs, tools):
    answers.queue = [asks("c1", "c2"), CHAT]
    answer = ask()
    for identifier in ("c2", "c1"):
        with theirs.start_as_current_span("look") as span:
            span.set_attributes({**WORDS["gen_ai"], "gen_ai.tool.call.id": identifier})
    goes_on(ask, answer)
    second, first = tools()
    key = "agent.tool.call.arguments.hash"
    assert second.attributes[key] != first.attributes[key]
    answers.queue = [asks("c1")]
    ask()
    with theirs.start_as_current_span("look", attributes=WORDS["gen_ai"]):
        pass
    assert tools()[2].attributes[key] == first.attributes[key]


def test_where_nobody_can_tell_which_no_arguments_are_made_up(ask, answers, theirs, tools):
    answers.queue = [asks("c1", "c2"), CHAT]
    answer = ask()
    for _ in range(2):
        with theirs.start_as_current_span("look", attributes=WORDS["gen_ai"]):
            pass
    goes_on(ask, answer)
    first, second = tools()
    assert "agent.tool.call.arguments.hash" not in first.attributes
    assert "agent.tool.call.arguments.hash" in second.attributes  # one was left


def test_one_that_failed_is_a_failed_tool_call(ask, answers, theirs, tools, spans):
    answers.queue = [asks("c1"), CHAT]
    answer = ask()
    with theirs.start_as_current_span("look", attributes=WORDS["gen_ai"] | {"error.type": "429"}) as span:
        span.set_status(StatusCode.ERROR)
    goes_on(ask, answer)
    (tool,) = tools()
    assert (tool.attributes["agent.tool.status"], tool.attributes["agent.error.class"]) == ("error", "rate_limited")


def test_one_that_no_model_asked_for_is_left_alone(ask, answers, theirs, tools):
    answers.queue = [asks("c1")]
    ask()
    for words in ({**WORDS["gen_ai"], "gen_ai.tool.name": "other"}, {**WORDS["gen_ai"], "gen_ai.tool.call.id": "c9"}):
        with theirs.start_as_current_span("x", attributes=words):
            pass
    assert tools() == []
    (run,) = ledger.going_on()
    assert run.tool_calls == 0
    runs.end_all()
