"""Whoever asks what a run cost gets all of it, also while another thread is looking the prices up."""

from __future__ import annotations

import threading
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
