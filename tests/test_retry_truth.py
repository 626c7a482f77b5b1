"""Every attempt counts: the client's own, those of whoever calls it, those of the tool around; and they multiply aloud."""

from __future__ import annotations

import openai
import pytest

import spanledger
from clients import CHAT, CHAT_ASK, Answers
from spanledger import setup
from spanledger.budget import Loops
from spanledger.errors import BudgetExceeded, LoopDetected
from wires import httpx

BUSY = (503, {"error": {"message": "busy", "code": 503}})


@pytest.fixture
def answers():
    return Answers()


@pytest.fixture
def configure(provider, monkeypatch):
    monkeypatch.setattr(openai._base_client.BaseClient, "_calculate_retry_timeout", lambda *_, **__: 0.001)

    def configure(**settings):
        return spanledger.configure(tracer_provider=provider, journal_off=True, **settings)

    yield configure
    while setup._now:
        setup._now.pop().shutdown()


def client(answers, retries):
    return openai.OpenAI(
        api_key="k", base_url="http://openai.test/v1", max_retries=retries,
        http_client=httpx.Client(transport=httpx.MockTransport(answers)),
    )  # fmt: skip


def persist(client, times):
    """What a framework does: the same request again when it failed."""
    for last in range(times, 0, -1):
        try:
            return client.chat.completions.create(**CHAT_ASK)
        except openai.InternalServerError:  # noqa: PERF203 - that is what they do
            if last == 1:
                raise
    return None


def said(run, limit):
    return [(d.outcome, d.value, d.reason) for d in run.decisions if d.limit == limit]


def test_the_clients_own_attempts_count_against_the_run(configure, answers, spans):
    configure(budget_retries=3, budget_action="stop")
    answers.queue = [BUSY, BUSY, CHAT, BUSY, BUSY, CHAT]
    made = client(answers, 2)
    with pytest.raises(BudgetExceeded) as stopped, spanledger.run("a") as run:
        made.chat.completions.create(**CHAT_ASK)
        made.chat.completions.create(**CHAT_ASK)  # passes the limit, and is not harmed by it
        made.chat.completions.create(**CHAT_ASK)
    assert (stopped.value.limit, stopped.value.spent, run.stop_reason) == ("retries", 4, "budget_exceeded")
    assert len(answers.requests) == 6
    (ended,) = [span.attributes for span in spans() if span.name == "invoke_agent a"]
    assert (ended["agent.run.retries"], ended["agent.run.retry_wait"] > 0) == (4, True)
    assert run.retries == 4


def test_a_retry_of_whoever_calls_is_told_from_the_clients_own(configure, answers, spans):
    configure(budget_retries=1, budget_action="stop")
    answers.queue = [BUSY, CHAT, CHAT, BUSY]
    made = client(answers, 0)
    with pytest.raises(openai.InternalServerError), spanledger.run("a") as run:
        persist(made, 3)
        made.chat.completions.create(**CHAT_ASK)  # the same request after it went well is no retry
        made.chat.completions.create(**CHAT_ASK)
    chats = [span.attributes for span in spans() if span.name.startswith("chat")]
    assert [a.get("agent.retry.tries") for a in chats] == [None, 2, None, None]
    assert not [a for a in chats if "agent.retry.attempts" in a]
    assert (run.retries, said(run, "retries")[0][0]) == (1, "warn")
    answers.queue = [BUSY, CHAT]
    with pytest.raises(BudgetExceeded), spanledger.run("b"):
        persist(made, 9)
        answers.queue = [BUSY, CHAT]
        persist(made, 9)
    assert len(answers.queue) == 1


def test_another_request_after_a_failure_is_no_retry(configure, answers, spans):
    configure()
    answers.queue = [BUSY, CHAT]
    made = client(answers, 0)
    with spanledger.run("a") as run:
        with pytest.raises(openai.InternalServerError):
            made.chat.completions.create(**CHAT_ASK)
        made.chat.completions.create(**{**CHAT_ASK, "temperature": 0.75})
    assert not [s for s in spans() if "agent.retry.tries" in s.attributes]
    assert run.retries == 0


def test_retries_of_two_layers_are_told_when_they_multiply(configure, answers, spans):
    configure()
    answers.queue = [BUSY] * 5 + [CHAT]
    with spanledger.run("a") as run:
        persist(client(answers, 2), 2)
    assert [reason for _, _, reason in said(run, "retries")] == [
        "6 attempts at the same request to gpt-4o-mini: the caller 2 times, the client 3 times"
    ]
    assert [s.attributes["agent.decision.limit"] for s in spans() if "agent.decision.limit" in s.attributes] == [
        "retries"
    ]
    assert [e.name for s in spans() for e in s.events if s.attributes.get("agent.retry.tries") == 2][-1] == (
        "agent.decision"
    )
    assert (run.retries, run.steps) == (5, 2)


def test_one_layer_alone_does_not_multiply(configure, answers):
    configure()
    for queue, retries, times in (([BUSY, BUSY, CHAT], 2, 1), ([BUSY, CHAT], 0, 2)):
        answers.queue = queue
        with spanledger.run("a") as run:
            persist(client(answers, retries), times)
        assert said(run, "retries") == []


def test_the_tries_of_a_tool_multiply_with_what_happens_inside(configure, answers):
    configure()
    answers.queue = [BUSY] * 11 + [CHAT]
    made = client(answers, 2)

    @spanledger.tool
    def summarize(page):
        persist(made, 2)

    with spanledger.run("a") as run:
        with pytest.raises(openai.InternalServerError):
            summarize(1)
        summarize(1)
    last = said(run, "retries")[-1]
    assert last[2] == (
        "12 attempts at the same request to gpt-4o-mini: the tool 2 times, the caller 2 times, the client 3 times"
    )


def test_a_storm_of_retries_is_a_loop_and_can_be_stopped(configure, answers):
    configure(loops=Loops(action="stop"))
    answers.queue = [BUSY] * 40
    with pytest.raises(LoopDetected, match="retry_storm: the request to gpt-4o-mini"), spanledger.run("a") as run:
        persist(client(answers, 2), 10)
    assert len(answers.requests) == 3
    assert run.stop_reason == "loop_detected"


def test_what_is_remembered_of_failing_requests_is_bounded(configure, answers):
    made = configure()
    answers.queue = [BUSY] * 50
    openai_client = client(answers, 0)
    with spanledger.run("a") as run:
        for number in range(50):
            with pytest.raises(openai.InternalServerError):
                openai_client.chat.completions.create(**{**CHAT_ASK, "seed": number})
        state = made.brakes.limits._states.of(run._run)
        assert len(state.retries.requests) == 16
