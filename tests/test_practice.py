"""The brakes in practice: streams, unwatched tools, the kill switch, tools that cost, prices of your own."""

from __future__ import annotations

import copy
from decimal import Decimal

import pytest
from click.testing import CliRunner

import spanledger
from clients import CHAT, CHAT_ASK, Answers, chat_chunk, clients, sse
from spanledger import setup
from spanledger.budget import Budget, Loops
from spanledger.cli import main
from spanledger.errors import BudgetExceeded, Killed, LoopDetected

PLANNER = ("gpt-4o-mini", 1000, 100)  # $0.00021


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


def answer(model, tokens, output, *, stream):
    usage = {"prompt_tokens": tokens, "completion_tokens": output, "total_tokens": tokens + output}
    if not stream:
        return {**copy.deepcopy(CHAT), "model": model, "usage": usage}
    chunks = [chat_chunk({"content": "thinking"}), chat_chunk({}, "stop"), chat_chunk({}, usage=usage)]
    return sse(*({**chunk, "model": model} for chunk in chunks))


def words(model, tokens, output, *, stream):
    more = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
    return {"model": model, "messages": [{"role": "user", "content": "word " * tokens}], "max_tokens": output, **more}


def test_a_stream_under_way_is_not_harmed_by_a_budget_that_is_over(configure, answers):
    configure(budgets=[Budget(tokens=4000, action="stop")])
    answers.queue = [answer("gpt-4o-mini", 500, 900, stream=True), answer("gpt-4o-mini", 90_000, 5, stream=False)]
    client = clients(answers)["openai"][0]
    with pytest.raises(BudgetExceeded), spanledger.run("a"):
        stream = iter(client.chat.completions.create(**words("gpt-4o-mini", 500, 1000, stream=True)))
        next(stream)
        client.chat.completions.create(**words("gpt-4o-mini", 500, 100, stream=False))
        assert len(list(stream)) == 2
        client.chat.completions.create(**CHAT_ASK)


def test_a_loop_of_tools_that_nobody_watches_stops_the_next_model_call(configure, answers):
    configure(loops=Loops(action="stop"))
    client = clients(answers)["openai"][0]
    tools = [{"type": "function", "function": {"name": "search", "parameters": {"type": "object"}}}]
    messages = [{"role": "user", "content": "Hi"}]
    with pytest.raises(LoopDetected), spanledger.run("a") as run:
        for number in range(10):
            call = {"id": f"c{number}", "type": "function", "function": {"name": "search", "arguments": '{"q": 1}'}}
            asking = copy.deepcopy(CHAT)
            asking["choices"][0] |= {
                "finish_reason": "tool_calls", "message": {"role": "assistant", "content": None, "tool_calls": [call]},
            }  # fmt: skip
            answers.queue = [asking]
            client.chat.completions.create(model="gpt-4o-mini", messages=messages, tools=tools)
            messages += [
                {"role": "assistant", "content": None, "tool_calls": [call]},
                {"role": "tool", "tool_call_id": f"c{number}", "content": "nothing found"},
            ]
    assert run.stop_reason == "loop_detected"
    assert run.tool_calls == 3


def test_the_kill_switch_of_the_command_line_stops_a_run_and_lets_it_go_on(configure, answers):
    made = configure()
    made.brakes.limits._poll._seconds = 0.0
    answers.queue = [CHAT] * 3
    client = clients(answers)["openai"][0]
    with spanledger.run("night") as run:
        client.chat.completions.create(**CHAT_ASK)
        assert CliRunner().invoke(main, ["kill", "--agent", "night", "--why", "sleep"]).exit_code == 0
        with pytest.raises(Killed, match="sleep"):
            client.chat.completions.create(**CHAT_ASK)
        assert CliRunner().invoke(main, ["revive", "--agent", "night"]).exit_code == 0
        client.chat.completions.create(**CHAT_ASK)
    assert len(answers.requests) == 2
    assert run.stop_reason == "killed"


def test_what_a_tool_costs_is_on_its_span_and_in_its_run(configure, spans):
    configure()

    @spanledger.tool(cost=lambda result: result["price"])
    def search():
        return {"price": "0.005"}

    @spanledger.tool(cost=lambda result: result["nothing"])
    def broken():
        return {}

    spanledger.shield.strict(on=False)
    with spanledger.run("a") as run:
        search()
        broken()
    found = {span.name: span.attributes for span in spans()}
    assert found["execute_tool search"]["agent.tool.cost"] == 0.005
    assert "agent.tool.cost" not in found["execute_tool broken"]
    assert (run.cost, run.tool_calls) == (Decimal("0.005"), 2)


def test_your_own_prices_are_those_of_the_settings(configure, answers, tmp_path):
    file = tmp_path / "prices.toml"
    file.write_text(
        'version = 1\n[[price]]\nprovider = "openai"\nmatch = "gpt-4o-mini*"\ninput_mtok = 1\noutput_mtok = 1'
    )
    configure(prices=file)
    answers.queue = [answer(*PLANNER, stream=False)]
    with spanledger.run("a") as run:
        clients(answers)["openai"][0].chat.completions.create(**CHAT_ASK)
    assert run.cost == Decimal("0.0011")
    spanledger.pricing.forget()
