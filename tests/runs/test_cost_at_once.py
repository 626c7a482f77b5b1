"""Whoever asks what a run cost gets all of it, also while another thread is looking the prices up."""

from __future__ import annotations

import threading
from dataclasses import replace
from decimal import Decimal

from spanledger import pricing
from spanledger.ledger import ModelCall, Run
from spanledger.model import Usage
from spanledger.pricing import Price


def test_two_who_ask_at_once_get_the_same_sum(monkeypatch):
    begun, go_on = threading.Event(), threading.Event()

    def slow(call):
        begun.set()
        go_on.wait(60)
        return Price(Decimal("0.5"), "priced", "table", "1")

    monkeypatch.setattr(pricing, "price_call", slow)
    run, heard = Run(id="r"), []
    run.settle_model(ModelCall("chat", "openai", "m", "m", Usage(), 1, 2, 1))
    first = threading.Thread(target=lambda: heard.append(run.cost))
    second = threading.Thread(target=lambda: heard.append(run.cost))
    first.start()
    begun.wait(60)
    second.start()
    second.join(0.2)  # it must not come back before the price is known
    go_on.set()
    first.join()
    second.join()
    assert heard == [Decimal("0.5")] * 2


def test_tokens_that_come_while_their_call_is_priced_are_priced_and_wait_for_nobody(monkeypatch):
    begun, go_on = threading.Event(), threading.Event()

    def slow(call):
        if not call.usage.known:
            begun.set()
            assert go_on.wait(60)
            return Price(None, "no_usage")
        return Price(Decimal("0.5"), "priced", "table", "1")

    monkeypatch.setattr(pricing, "price_call", slow)
    run, call = Run(id="r"), ModelCall("chat", "openai", "m", "m", Usage(), 1, 2, 1)
    run.settle_model(call)
    asking = threading.Thread(target=lambda: run.cost)
    asking.start()
    begun.wait(60)
    learning = threading.Thread(target=run.learn, args=(call, replace(call, usage=Usage(uncached=10, output=2))))
    learning.start()
    learning.join(10)
    try:
        assert not learning.is_alive()
    finally:
        go_on.set()
        asking.join()
        learning.join()
    assert (run.cost, run.unpriced, run.usage.total, run.usage.unknown) == (Decimal("0.5"), 0, 12, 0)


def test_a_signal_handler_that_asks_while_a_call_is_priced_counts_nothing_twice(monkeypatch):
    """It is told here by asking from inside: the handler runs on the same thread."""
    asked = []

    def interrupted(call):
        if not asked:
            asked.append(call)
            assert run.cost == 1
        return Price(Decimal("0.5"), "priced", "table", "1")

    monkeypatch.setattr(pricing, "price_call", interrupted)
    run = Run(id="r")
    for _ in range(2):
        run.settle_model(ModelCall("chat", "openai", "m", "m", Usage(), 1, 2, 1))
    assert (run.cost, run.unpriced) == (Decimal(1), 0)
