"""
The seed's incident, replayed by a clock that the test holds: a lookup begins to answer 429 and 503, the agent answers
with ever new queries, and tool calls per run go from 4.3 to 11.7 while the 95th percentile goes from 2.1 s to 8.4 s.

It must be seen in the very runs that it happens in, the first one included.
"""

from __future__ import annotations

import random
import time
from statistics import fmean, quantiles

import pytest

import spanledger
from clients import CHAT, CHAT_ASK, Answers, clients
from spanledger import setup
from spanledger.budget import Budget, Loops
from spanledger.errors import LoopDetected

NORMAL, BAD = 60, 40


class Clock:
    """Time that passes when the test says so."""

    def __init__(self):
        self.now = 1_795_219_200 * 10**9

    def passes(self, seconds):
        self.now += int(seconds * 1e9)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(time, "time_ns", lambda: clock.now)
    monkeypatch.setattr(time, "perf_counter", lambda: clock.now / 1e9)
    return clock


@pytest.fixture
def configure(provider):
    yield lambda **settings: spanledger.configure(tracer_provider=provider, journal_off=True, **settings)
    while setup._now:
        setup._now.pop().shutdown()


@pytest.fixture
def agent(clock):
    """An agent that looks things up until it knows enough, or has asked too often."""
    answers, dice = Answers(), random.Random(11)
    client = clients(answers)["openai"][0]

    @spanledger.tool
    def lookup(query, failing, seconds):
        clock.passes(seconds)
        if dice.random() < failing:
            return {"status": dice.choice([429, 503]), "error": "try again later"}
        return {"found": query}

    def run(failing, seconds, needs):
        with spanledger.run("support") as current:
            begun, found, number = clock.now, 0, 0
            while found < needs and number < 14:
                number += 1
                answers.queue = [CHAT]
                client.chat.completions.create(**CHAT_ASK, max_tokens=20, user=f"{number}")
                clock.passes(0.02)
                found += "found" in lookup(
                    query=f"order 17, attempt {number}", failing=failing, seconds=dice.uniform(*seconds)
                )
        return current, number, (clock.now - begun) / 1e9

    return run, dice


def p95(values):
    return quantiles(values, n=20)[-1]


def weeks(agent):
    """Some normal runs, then the incident: what each came to."""
    run, dice = agent
    normal = [run(0.0, (0.2, 0.55), dice.choice([3, 4, 4, 4, 5, 5, 5])) for _ in range(NORMAL)]
    return normal, [run(0.73, (0.35, 0.8), 4) for _ in range(BAD)]


def test_the_replay_is_the_incident(configure, agent):
    configure()
    normal, bad = weeks(agent)
    assert fmean(calls for _, calls, _ in normal) == pytest.approx(4.3, abs=0.15)
    assert p95([seconds for *_, seconds in normal]) == pytest.approx(2.1, abs=0.3)
    assert fmean(calls for _, calls, _ in bad) == pytest.approx(11.7, abs=0.5)
    assert p95([seconds for *_, seconds in bad]) == pytest.approx(8.4, abs=1.0)


def test_loop_and_drift_are_seen_within_the_run(configure, agent):
    configure(budgets=[Budget(usd=1)])
    normal, bad = weeks(agent)
    assert [decision for run, *_ in normal for decision in run.decisions] == []
    seen = []
    for run, calls, _ in bad:
        first = {limit: next((d for d in run.decisions if d.limit == limit), None) for limit in ("loop", "drift")}
        if calls > 8:  # fewer are nothing unusual yet
            assert first["drift"].step < calls, "not seen within the run"
            if first["loop"] is not None:
                assert first["loop"].reason.startswith("failing_queries")
                assert first["loop"].step < calls
                assert first["loop"].wasted > 0
            seen.append(first["loop"] is not None)
    assert len(seen) > BAD * 0.8
    assert sum(seen) >= len(seen) * 0.95
    drifts = [d.reason for run, *_ in bad for d in run.decisions if d.limit == "drift"]
    assert {reason.split("; ")[0].split()[1] for reason in drifts} == {"tool", "seconds"}
    assert fmean(min(d.step for d in run.decisions) for run, *_ in bad if run.decisions) < 7
    assert any(d.limit == "drift" for run, *_ in bad[-5:] for d in run.decisions), "the incident became usual"


def test_the_incident_can_be_stopped(configure, agent):
    configure(loops=Loops(action="stop"))
    run, _ = agent
    calls = []
    for _ in range(10):
        with pytest.raises(LoopDetected) as stopped:
            run(0.9, (0.4, 0.8), 4)
        calls.append(stopped.value.step)
    assert fmean(calls) < 7
