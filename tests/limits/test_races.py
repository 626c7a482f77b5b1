"""Many at once against one budget: what is held never exceeds the limit, and nothing is lost or counted twice."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import threading
import time
from decimal import Decimal

import pytest

from spanledger import pricing
from spanledger.errors import BudgetExceeded
from spanledger.ledger import ModelCall, Run
from spanledger.limits import Budget, Limits, RedisStore, SqliteStore
from spanledger.model import Request, Usage

LIMIT = Decimal("0.02")
PICO = 10**12


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
                if want[1] == "usd":
                    self.most = max(self.most, spent + held)
        return answer


def call_once(limits, run, dice, *, fail=0.1):
    """One call that uses at most what it said it would; what it cost, USD, or `None` when it was refused."""
    tokens, most = dice.randrange(1, 2000), dice.randrange(1, 500)
    request = Request(model="gpt-4o-mini", settings={"gen_ai.request.max_tokens": most})
    try:
        held = limits.before_model(
            run, provider="openai", model="gpt-4o-mini", request=request, estimate_tokens=tokens, step=1
        )
    except BudgetExceeded:
        return None
    if dice.random() < fail:
        limits.release(held)
        return Decimal(0)
    now = time.time_ns()
    usage = Usage(uncached=dice.randrange(tokens + 1), output=dice.randrange(most + 1))
    call = ModelCall("chat", "openai", "gpt-4o-mini", "gpt-4o-mini", usage, now, now, 1)
    limits.settle_model(run, held, call)
    return pricing.price_call(call).amount


def check(limits, run, costs):
    money, _ = limits.standing(run)
    assert (money.spent, money.held) == (sum(c for c in costs if c is not None), 0)
    assert money.spent <= LIMIT
    assert any(c is None for c in costs), "nobody was refused: the test proves nothing"
    assert money.spent > LIMIT * Decimal("0.9")


def member(number):
    return Run(f"r{number}", labels={"team": "care"})


def test_64_threads(store):
    watched = Watched(store)
    limits = Limits([budget()], store=watched)
    pricing.warm()
    costs, lock, ready = [], threading.Lock(), threading.Barrier(64)

    def work(number):
        dice, run = random.Random(number), member(number)
        ready.wait()
        mine = [call_once(limits, run, dice) for _ in range(8)]
        with lock:
            costs.extend(mine)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert watched.most <= LIMIT * PICO
    check(limits, member(0), costs)


async def test_500_tasks(store):
    watched = Watched(store)
    limits = Limits([budget()], store=watched)
    costs = []

    async def work(number):
        dice, run = random.Random(number), member(number)
        tokens, most = dice.randrange(1, 2000), dice.randrange(1, 500)
        request = Request(model="gpt-4o-mini", settings={"gen_ai.request.max_tokens": most})
        try:
            held = limits.before_model(
                run, provider="openai", model="gpt-4o-mini", request=request, estimate_tokens=tokens, step=1
            )
        except BudgetExceeded:
            costs.append(None)
            return
        await asyncio.sleep(0)
        now = time.time_ns()
        usage = Usage(uncached=dice.randrange(tokens + 1), output=dice.randrange(most + 1))
        call = ModelCall("chat", "openai", "gpt-4o-mini", "gpt-4o-mini", usage, now, now, 1)
        limits.settle_model(run, held, call)
        costs.append(pricing.price_call(call).amount)

    await asyncio.gather(*(work(n) for n in range(500)))
    assert watched.most <= LIMIT * PICO
    dice, late = random.Random(1), []
    while not late or late[-1] is not None or len(late) < 20:  # what was given back can be used
        late.append(call_once(limits, member(0), dice))
    check(limits, member(0), costs + late)


def _in_process(kind, place, number, results):
    store = SqliteStore(place) if kind == "sqlite" else RedisStore(place, prefix="race")
    watched = Watched(store)
    limits, run, dice = Limits([budget()], store=watched), member(number), random.Random(number)
    costs = [call_once(limits, run, dice) for _ in range(60)]
    results.put((watched.most, costs))
    store.close()


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_8_processes(kind, request, tmp_path):
    place = str(tmp_path / "limits.db") if kind == "sqlite" else request.getfixturevalue("redis_url")
    spawn = multiprocessing.get_context("spawn")
    results = spawn.Queue()
    processes = [spawn.Process(target=_in_process, args=(kind, place, n, results)) for n in range(8)]
    for process in processes:
        process.start()
    found = [results.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()
    assert max(most for most, _ in found) <= LIMIT * PICO
    store = SqliteStore(place) if kind == "sqlite" else RedisStore(place, prefix="race")
    check(Limits([budget()], store=store), member(0), [cost for _, costs in found for cost in costs])
    store.close()


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
