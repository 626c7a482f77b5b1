from __future__ import annotations

import logging
import socket
import threading

import pytest
from opentelemetry.sdk.trace import TracerProvider

import spanledger
from spanledger.errors import Denied
from spanledger.ledger import ToolUse
from spanledger.limits import Budget, Limits, MemoryStore, RedisStore, SqliteStore, StoreDown, outage


class Moody(MemoryStore):
    """A store that is away when told so."""

    shared = True
    away = False
    asked = 0

    def _ask(self):
        self.asked += 1
        if self.away:
            raise StoreDown("gone fishing")

    def reserve(self, wants, targets):
        self._ask()
        return super().reserve(wants, targets)

    def settle(self, hold, charges):
        self._ask()
        return super().settle(hold, charges)

    def read(self, counters):
        self._ask()
        return super().read(counters)

    def killed(self, targets):
        self._ask()
        return super().killed(targets)


@pytest.fixture
def moody():
    return Moody()


def limits_over(store, **words):
    limits = Limits([Budget(tokens=10_000, tool_calls=50, action="stop")], store=store, **words)
    limits.outage._retry_seconds = 0.0
    return limits


def test_calls_go_on_and_are_counted_when_the_store_is_back(moody, run, ask, answered, caplog):
    limits = limits_over(moody)
    before = ask(limits, run)
    moody.away = True
    with caplog.at_level(logging.WARNING, "spanledger"):
        limits.settle_model(run, before, answered(tokens=10, output=1))
        for _ in range(3):
            limits.settle_model(run, ask(limits, run), answered(tokens=100, output=0))
            tool = limits.before_tool(run, name="t", args_hash="h", step=1)
            limits.settle_tool(run, tool, ToolUse("t", "h", 0.1, 1))
        assert limits.standing(run) == []
        assert limits.outage.down == "gone fishing"
        moody.away = False
        ask(limits, run)
    assert [(s.limit, s.spent, s.held) for s in limits.standing(run)] == [("tokens", 311, 1100), ("tool_calls", 3, 0)]
    assert [(d.outcome, d.limit) for d in run.decisions] == [("allow", "store")]
    assert [r.levelname for r in caplog.records] == ["ERROR", "WARNING"]
    assert limits.outage.owed == 0


def test_closed_refuses_calls_while_the_store_is_away(moody, run, ask):
    limits = limits_over(moody, when_down="closed")
    moody.away = True
    with pytest.raises(Denied, match="gone fishing") as caught:
        ask(limits, run)
    assert caught.value.limit == "store"
    moody.away = False
    ask(limits, run)


def test_a_store_that_is_away_is_not_asked_for_each_call(moody, run, ask):
    limits = limits_over(moody)
    limits.outage._retry_seconds = 3600
    moody.away = True
    for _ in range(20):
        limits.release(ask(limits, run))
    assert moody.asked == 1
    assert limits.outage.outages == 1


def test_what_is_owed_is_bounded_and_merged(moody, run, monkeypatch, ask, answered):
    monkeypatch.setattr(outage, "MAX_OWED", 5)
    limits = limits_over(moody)
    moody.away = True
    for _ in range(30):
        limits.settle_model(run, ask(limits, run), answered(tokens=10, output=0))
    assert limits.outage.owed == 6
    moody.away = False
    ask(limits, run)
    assert limits.standing(run)[0].spent == 300
    assert limits.outage.dropped == 0


def test_redis_that_nobody_listens_for_is_a_store_that_is_away(run, ask):
    pytest.importorskip("redis", reason="NOT TESTED: Redis outages, because redis-py is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        store = RedisStore(f"redis://127.0.0.1:{probe.getsockname()[1]}/0")
        limits = limits_over(store)
        assert ask(limits, run) is not None
        assert "Redis" in limits.outage.down
        store.close()


def test_redis_is_back_after_it_was_flushed(redis_store, run, ask, answered):
    """A restarted Redis has forgotten the scripts and the counters: calls go on, settling does not fail."""
    limits = limits_over(redis_store)
    held = ask(limits, run)
    redis_store._client.script_flush()
    redis_store._client.delete(*redis_store._client.keys(redis_store._prefix + "*"))
    limits.settle_model(run, held, answered(tokens=10, output=1))
    assert (limits.standing(run)[0].spent, limits.standing(run)[0].held) == (11, 0)
    assert limits.outage.outages == 0


def test_a_damaged_file_is_a_store_that_is_away(tmp_path, run, ask):
    path = tmp_path / "limits.db"
    path.write_bytes(b"this is no database, but long enough to be looked at as if it were one " * 20)
    limits = limits_over(SqliteStore(path))
    assert ask(limits, run) is not None
    assert "limits.db" in limits.outage.down


def test_a_file_that_cannot_be_made_is_a_store_that_is_away(tmp_path, run, ask):
    (tmp_path / "file").write_text("")
    limits = limits_over(SqliteStore(tmp_path / "file" / "limits.db"))
    assert ask(limits, run) is not None
    assert limits.outage.down


def test_what_is_owed_is_paid_before_the_end(moody, run, ask, answered):
    limits = limits_over(moody)
    before = ask(limits, run)
    moody.away = True
    limits.settle_model(run, before, answered(tokens=10, output=1))
    assert limits.outage.owed == 1
    back = threading.Timer(0.2, lambda: setattr(moody, "away", False))
    back.start()
    limits.outage.pay(30)
    back.join()
    assert limits.outage.owed == 0
    tokens, _ = limits.standing(run)
    assert (tokens.spent, tokens.held) == (11, 0)


def test_who_ends_while_the_store_stays_away_says_what_is_not_counted(moody, run, ask, answered, caplog):
    limits = limits_over(moody)
    before = ask(limits, run)
    moody.away = True
    limits.settle_model(run, before, answered(tokens=10, output=1))
    limits.outage.pay(0)
    assert limits.outage.owed == 1
    assert "not counted: 1" in caplog.text


def test_what_is_set_up_pays_when_it_is_shut_down(moody, run, ask, answered):
    limits = limits_over(moody)
    made = spanledger.configure(tracer_provider=TracerProvider(), journal_off=True, limits=limits)
    before = ask(limits, run)
    moody.away = True
    limits.settle_model(run, before, answered(tokens=10, output=1))
    moody.away = False
    made.shutdown()
    assert limits.outage.owed == 0
    tokens, _ = limits.standing(run)
    assert (tokens.spent, tokens.held) == (11, 0)
