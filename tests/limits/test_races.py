"""
Many at once against one budget, through real clients: what is spent and held never exceeds the limit, and the sums are
those of the priced calls to the last digit.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import random
import threading
import time
from contextlib import contextmanager
from decimal import Decimal

import openai
import pytest
from opentelemetry.sdk.trace import TracerProvider

import spanledger
from clients import CHAT
from spanledger import pricing, setup
from spanledger.errors import BudgetExceeded
from spanledger.ledger import ModelCall, Run
from spanledger.limits import Budget, Limits, RedisStore, SqliteStore
from spanledger.model import Request, Usage
from wires import httpx

LIMIT = Decimal("0.01")
PICO = 10**12
WORDS = 400


def budget():
    return Budget(scope="team", usd=LIMIT, tokens=10**9, action="stop")


class Watched:
    """A store that notes the most that was ever spent and held."""

    def __init__(self, store):
        self._store = store
        self.most = 0

    def __getattr__(self, name):
        return getattr(self._store, name)

    def reserve(self, wants, targets):
        answer = self._store.reserve(wants, targets)
        if type(answer) is tuple:
            for want, (spent, held) in zip(wants, answer[1], strict=True):
                if want[0].unit == "usd":
                    self.most = max(self.most, spent + held)
        return answer


def reply(request, dice):
    """What the provider answers: no more tokens than were asked for, and a failure now and then."""
    if dice.random() < 0.1:
        return httpx.Response(500, json={"error": {"message": "busy"}})
    output = dice.randrange(json.loads(request.content)["max_tokens"] + 1)
    into = dice.randrange(WORDS)
    usage = {"prompt_tokens": into, "completion_tokens": output, "total_tokens": into + output}
    return httpx.Response(200, json={**CHAT, "usage": usage})


def ask(client, dice):
    messages = [{"role": "user", "content": "wo " * WORDS}]
    return client.chat.completions.create(model="gpt-4o-mini", messages=messages, max_tokens=dice.randrange(1, 500))


@contextmanager
def watching(store):
    """Everything set up around *store*, which is watched."""
    watched = Watched(store)
    limits = Limits([budget()], store=watched, kill_seconds=3600)
    spanledger.configure(tracer_provider=TracerProvider(), journal_off=True, limits=limits)
    try:
        yield watched
    finally:
        while setup._now:
            setup._now.pop().shutdown()


def client_of(dice):
    transport = httpx.MockTransport(lambda request: reply(request, dice))
    return openai.OpenAI(
        api_key="k", base_url="http://openai.test/v1", max_retries=0, http_client=httpx.Client(transport=transport)
    )


def agents(number, runs):
    """So many runs of a call each, whatever becomes of it: what each cost, and whether it was refused."""
    dice, found = random.Random(number), []
    with client_of(dice) as client:
        for _ in range(runs):
            refused = 0
            with spanledger.run("a", labels={"team": "care"}) as run:
                try:
                    ask(client, dice)
                except openai.InternalServerError:
                    pass
                except BudgetExceeded:
                    refused = 1
            found.append((run.cost, refused))
    return found


def check(store, most, found):
    """The sums are those of the priced calls, to the last digit; nothing is held; the limit was never passed."""
    limits = Limits([budget()], store=store)
    money, _ = limits.standing(Run("late", labels={"team": "care"}))
    assert (money.spent, money.held) == (sum(cost for cost, _ in found), 0)
    assert money.spent <= LIMIT
    assert most <= LIMIT * PICO
    assert sum(refused for _, refused in found) > 0, "nobody was refused: the test proves nothing"
    assert money.spent > LIMIT * Decimal("0.9")


def test_64_threads(store):
    found, lock, ready = [], threading.Lock(), threading.Barrier(64)
    pricing.warm()

    def work(number):
        ready.wait()
        mine = agents(number, 4)
        with lock:
            found.extend(mine)

    with watching(store) as watched:
        threads = [threading.Thread(target=work, args=(n,)) for n in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        check(store, watched.most, found)


async def test_500_tasks(store):
    pricing.warm()
    dice = random.Random(5)

    async def answer(request):
        await asyncio.sleep(0)
        return reply(request, dice)

    client = openai.AsyncOpenAI(
        api_key="k", base_url="http://openai.test/v1", max_retries=0,
        http_client=httpx.AsyncClient(transport=httpx.MockTransport(answer)),
    )  # fmt: skip

    async def work():
        refused = 0
        async with spanledger.run("a", labels={"team": "care"}) as run:
            try:
                await ask(client, dice)
            except openai.InternalServerError:
                pass
            except BudgetExceeded:
                refused = 1
        return run.cost, refused

    with watching(store) as watched:
        found = list(await asyncio.gather(*(work() for _ in range(500))))
        while sum(cost for cost, _ in found) < LIMIT * Decimal("0.92"):  # what was given back can be used
            found.append(await work())
        check(store, watched.most, found)
    await client.close()


def _in_process(kind, place, number, results):
    store = SqliteStore(place) if kind == "sqlite" else RedisStore(place, prefix="race")
    with watching(store) as watched:
        found = agents(number, 50)
        results.put((watched.most, found))
    store.close()


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_8_processes(kind, request, tmp_path):
    place = str(tmp_path / "limits.db") if kind == "sqlite" else request.getfixturevalue("redis_url")
    several = "forkserver" in multiprocessing.get_all_start_methods()
    fresh = multiprocessing.get_context("forkserver" if several else "spawn")
    if several:
        fresh.set_forkserver_preload(
            ["openai", "anthropic", "google.genai", "spanledger.instrument"]
        )  # imported once for all of them
    results = fresh.Queue()
    processes = [fresh.Process(target=_in_process, args=(kind, place, n, results)) for n in range(8)]
    for process in processes:
        process.start()
    found = [results.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()
    store = SqliteStore(place) if kind == "sqlite" else RedisStore(place, prefix="race")
    check(store, max(most for most, _ in found), [one for _, mine in found for one in mine])
    store.close()


def member(number):
    return Run(f"r{number}", labels={"team": "care"})


def test_what_a_vanished_process_held_is_given_back(redis_url, tmp_path):
    stores = SqliteStore(tmp_path / "l.db", hold_seconds=-1), RedisStore(redis_url, prefix="lease", hold_seconds=-1)
    for store in stores:
        limits = Limits([Budget(scope="team", tokens=1000, action="stop")], store=store)
        request = Request(settings={"gen_ai.request.max_tokens": 100})
        words = {"provider": "openai", "model": "m", "request": request, "estimate_tokens": 700, "step": 1}
        late = limits.before_model(member(1), **words)
        if isinstance(store, SqliteStore):
            store._swept = 0.0
        limits.before_model(member(2), **words)
        now = time.time_ns()
        call = ModelCall("chat", "openai", "m", "m", Usage(uncached=10, output=1), now, now, 1)
        limits.settle_model(member(1), late, call)
        (standing,) = limits.standing(member(1))
        assert (standing.spent, standing.held) == (11, 800)
        store.close()
