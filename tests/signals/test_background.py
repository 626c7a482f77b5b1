"""Answers that go on without the program: what they cost is known once somebody has looked, and counted once."""

from __future__ import annotations

import os
import signal
from collections import OrderedDict

import openai
import pytest

import spanledger
from clients import RESPONSE, RESPONSE_EVENTS, Answers, clients
from driving import drain
from driving import run as waited
from spanledger.budget import Budget
from spanledger.errors import BudgetExceeded
from wires import Pieces, httpx

pytestmark = pytest.mark.skipif(not hasattr(openai.OpenAI, "responses"), reason="this version has no responses")

QUEUED = {**RESPONSE, "status": "queued", "output": [], "usage": None}
ASK = {"model": "gpt-4o-mini", "input": "Hi"}
PAID = RESPONSE["usage"]["total_tokens"]


@pytest.fixture
def answers():
    return Answers()


@pytest.fixture(params=[0, 1], ids=["sync", "async"])
def client(answers, request):
    return clients(answers)["openai"][request.param]


def begun(client):
    return waited(client.responses.create(**ASK, background=True))


def looked(client, **more):
    return waited(client.responses.retrieve(RESPONSE["id"], **more))


def test_who_looks_first_learns_what_it_cost(configure, answers, client, spans):
    configure()
    answers.queue = [RESPONSE, QUEUED, QUEUED, {**QUEUED, "status": "in_progress"}, RESPONSE, RESPONSE]
    with spanledger.run("at once") as known:
        waited(client.responses.create(**ASK))
    with spanledger.run("outer") as outer:
        with spanledger.run("research") as run:
            begun(client)
            looked(client)
            looked(client)
            assert (run.usage.total, run.usage.unknown, run.unpriced, run.cost) == (0, 1, 1, 0)
        with spanledger.run("somebody else") as other:
            looked(client)
            looked(client)
    for each in (run, outer):
        assert (each.usage, each.cost, each.unpriced) == (known.usage, known.cost, 0)
        assert each._run.model_calls == 1
    assert known.cost > 0
    assert (other.usage.total, other.usage.unknown, other._run.model_calls) == (0, 0, 0)
    fetched = [span.attributes for span in spans() if span.name == "fetch_response"]
    assert len(fetched) == 4
    assert not [name for said in fetched for name in said if name.startswith("gen_ai.usage")]


def test_a_stream_that_is_taken_up_again_tells_it_too(configure, answers, client):
    configure()
    answers.queue = [list(RESPONSE_EVENTS), list(RESPONSE_EVENTS)]
    with spanledger.run("research") as run:
        drain(lambda: client.responses.create(**ASK, background=True, stream=True), stop=1)
        assert (run.usage.total, run.usage.unknown) == (0, 1)
        drain(lambda: client.responses.retrieve(RESPONSE["id"], stream=True, starting_after=0))
    assert (run.usage.total, run.usage.unknown, run.unpriced) == (PAID, 0, 0)


def test_answers_that_others_began_are_nobodys(configure, answers, client):
    configure()
    answers.queue = [RESPONSE]
    with spanledger.run("looking on") as run:
        looked(client)
    assert (run.usage.total, run.cost) == (0, 0)


@pytest.mark.parametrize("reserve", ["worst", "none"])
def test_budgets_count_what_it_really_was(configure, answers, client, reserve):
    configure(budgets=[Budget(scope="agent", tokens=50_000, action="stop", reserve=reserve)])
    dear = {**RESPONSE, "usage": {**RESPONSE["usage"], "input_tokens": 60_000, "total_tokens": 60_004}}
    answers.queue = [QUEUED, RESPONSE, QUEUED, dear, RESPONSE]
    with spanledger.run("research") as run:
        begun(client)
        looked(client)
        assert [standing.spent for standing in run.budget] == [PAID]
        begun(client)
        looked(client)
        assert [standing.spent for standing in run.budget] == [PAID + 60_004]
        with pytest.raises(BudgetExceeded):
            begun(client)


def test_a_stream_that_broke_is_charged_once_it_is_known(configure, answers, client):
    """Nothing was charged for it when it broke, so nothing of what was held for it is to be given back."""
    configure(budgets=[Budget(scope="agent", tokens=50_000, action="stop")])
    answers.queue = [Pieces(list(RESPONSE_EVENTS[:2]), httpx.ReadError("gone")), RESPONSE]
    with spanledger.run("research") as run:
        with pytest.raises(Exception, match="gone|onnection"):
            drain(lambda: client.responses.create(**ASK, background=True, stream=True))
        assert [standing.spent for standing in run.budget] == [0]
        looked(client)
        assert [standing.spent for standing in run.budget] == [PAID] == [run.usage.total]


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="needs signals")
def test_a_signal_handler_may_begin_one_while_one_is_noted(configure, answers):
    """And a forked child while another thread does: there is no lock to be waited for."""
    made, client = configure(), clients(answers)["openai"][0]

    class Interrupted(OrderedDict):
        times = 0

        def __setitem__(self, key, value):
            self.times += 1
            if self.times == 1:
                os.kill(os.getpid(), signal.SIGUSR1)
            super().__setitem__(key, value)

    made.instrumentation.engine.awaited._waiting = waiting = Interrupted()
    handlers = {signal.SIGUSR1: lambda *_: begun(client), signal.SIGALRM: lambda *_: pytest.fail("waits for ever")}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    signal.alarm(30)
    try:
        answers.queue = [QUEUED, {**QUEUED, "id": "another"}]
        with spanledger.run("research"):
            begun(client)
        assert len(waiting) == 2
    finally:
        signal.alarm(0)
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.mark.parametrize("collected_between", [True, False])
def test_metrics_have_its_tokens_and_money_once(configure, answers, client, reader, collected_between):
    configure()

    def total(name):
        data = reader.get_metrics_data()
        found = [
            metric for resource in (data.resource_metrics if data else ()) for scope in resource.scope_metrics
            for metric in scope.metrics if metric.name == name
        ]  # fmt: skip
        return sum(point.value for metric in found for point in metric.data.data_points)

    answers.queue = [QUEUED, RESPONSE, RESPONSE]
    with spanledger.run("research") as run:
        begun(client)
        if collected_between:
            assert total("agent.cost") == 0
        looked(client)
        looked(client)
    assert total("agent.cost") == pytest.approx(float(run.cost))
    assert total("gen_ai.client.inference.usage.input_tokens") == RESPONSE["usage"]["input_tokens"]
