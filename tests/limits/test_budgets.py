from __future__ import annotations

import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanledger import pricing, shield
from spanledger.errors import BudgetExceeded, ConfigurationError, LimitExceeded
from spanledger.ledger import ModelCall, Run, ToolUse
from spanledger.limits import Budget, Limits, MemoryStore, state
from spanledger.model import Request, Usage

CALL = Decimal("0.00021")  # 1000 tokens in, 100 out


def outcomes(run):
    return [(d.outcome, d.limit) for d in run.decisions]


def test_nothing_configured_asks_nothing(run, ask, answered):
    limits = Limits()
    for step in range(1, 5):
        reservation = ask(limits, run, step=step)
        limits.settle_model(run, reservation, answered(step=step))
        reservation = limits.before_tool(run, name="t", args_hash="h", step=step)
        limits.settle_tool(run, reservation, ToolUse("t", "h", 1.0, step))
    assert run.decisions == []
    assert limits.standing(run) == []


def test_stops_before_the_call_that_would_cost_too_much(store, run, ask, answered):
    limits = Limits([Budget(usd="0.00050", action="stop")], store=store)
    for step in (1, 2):
        limits.settle_model(run, ask(limits, run, step=step), answered(step=step))
    with pytest.raises(BudgetExceeded) as caught:
        ask(limits, run, step=3)
    error = caught.value
    assert (error.limit, error.spent, error.scope, error.step) == ("usd", 2 * CALL, "run", 3)
    assert error.stop_reason == "budget_exceeded"
    assert run.stop_reason == "budget_exceeded"
    assert outcomes(run) == [("warn", "usd"), ("stop", "usd")]
    assert "0.00042 of 0.0005" in run.decisions[-1].reason


def test_what_is_held_counts_until_it_is_settled(store, run, ask, answered):
    limits = Limits([Budget(tokens=2500, action="stop")], store=store)
    first = ask(limits, run)
    second = ask(limits, run)
    with pytest.raises(BudgetExceeded, match="held by calls under way"):
        ask(limits, run)
    limits.settle_model(run, first, answered(tokens=10, output=5))
    third = ask(limits, run)
    limits.release(third)
    limits.release(third)
    limits.settle_model(run, second, answered(tokens=20, output=5))
    (standing,) = limits.standing(run)
    assert (standing.spent, standing.held, standing.left) == (40, 0, 2460)


def test_a_settled_reservation_is_not_released(store, run, ask, answered):
    limits = Limits([Budget(tokens=10_000, action="stop")], store=store)
    reservation = ask(limits, run)
    limits.settle_model(run, reservation, answered(tokens=10, output=5))
    limits.settle_model(run, reservation, answered(tokens=10, output=5))
    limits.release(reservation)
    (standing,) = limits.standing(run)
    assert (standing.spent, standing.held) == (15, 0)


def test_a_call_that_failed_without_usage_gives_everything_back(run, ask, answered):
    limits = Limits([Budget(usd=1, tokens=10_000, action="stop")])
    limits.settle_model(run, ask(limits, run), answered(usage=Usage(), error="timeout"))
    assert [(s.spent, s.held) for s in limits.standing(run)] == [(0, 0), (0, 0)]


def test_a_call_whose_provider_says_nothing_is_charged_what_was_held(run, ask, answered):
    limits = Limits([Budget(usd=1, tokens=10_000, action="stop")])
    limits.settle_model(run, ask(limits, run), answered(usage=Usage()))
    assert [(s.limit, s.spent, s.held) for s in limits.standing(run)] == [("usd", CALL, 0), ("tokens", 1100, 0)]


def test_a_call_without_a_reservation_is_counted_too(run, answered):
    limits = Limits([Budget(usd=1, tokens=10_000)])
    limits.settle_model(run, None, answered())
    assert [s.spent for s in limits.standing(run)] == [CALL, 1100]


@pytest.mark.parametrize(("action", "said"), [("observe", "allow"), ("warn", "warn")])
def test_observing_and_warning_budgets_let_calls_through_and_say_so_once(action, said, run, ask, answered):
    limits = Limits([Budget(tokens=2200, action=action)])
    told = []
    limits.listeners.append(lambda run, decision: told.append((run.id, decision.outcome, decision.value)))
    for step in range(1, 6):
        limits.settle_model(run, ask(limits, run, step=step), answered(step=step))
    assert outcomes(run) == [("warn", "tokens"), (said, "tokens")]
    assert told == [("r1", "warn", 2200), ("r1", said, 3300)]
    assert run.stop_reason is None


def test_warns_at_the_share_that_was_asked_for(run, ask, answered):
    limits = Limits([Budget(tokens=10_000, warn_at=0.5)])
    for step in range(1, 6):
        limits.settle_model(run, ask(limits, run, step=step), answered(step=step))
        assert len(run.decisions) == (1 if step == 5 else 0)
    assert (run.decisions[0].value, run.decisions[0].maximum, run.decisions[0].scope) == (5500, 10_000, "run")


def test_steps_are_counted_once_and_end_the_run_with_their_own_reason(store, run, ask, answered):
    limits = Limits([Budget(steps=2, action="stop")], store=store)
    for step in (1, 1, 2):
        limits.settle_model(run, ask(limits, run, step=step), answered(step=step))
        limits.before_tool(run, name="t", args_hash="h", step=step)
    for _ in range(2):
        with pytest.raises(BudgetExceeded) as caught:
            ask(limits, run, step=3)
    assert (caught.value.limit, caught.value.stop_reason, run.stop_reason) == ("steps", "max_steps", "max_steps")
    assert limits.standing(run)[0].spent == 2


def test_a_step_that_begins_by_hand_counts_at_once_and_its_calls_count_no_other(store, run, ask):
    limits = Limits([Budget(steps=2, action="stop")], store=store)
    for number in (1, 2):
        limits.before_step(run, number)
        ask(limits, run, step=number)
    assert limits.standing(run)[0].spent == 2
    with pytest.raises(BudgetExceeded) as caught:
        limits.before_step(run, 3)
    assert (caught.value.limit, caught.value.step, run.stop_reason) == ("steps", 3, "max_steps")


def test_tool_calls_are_counted_before_they_are_made(store, run):
    limits = Limits([Budget(tool_calls=2, action="stop")], store=store)
    for _ in range(2):
        reservation = limits.before_tool(run, name="t", args_hash="h", step=1)
        limits.settle_tool(run, reservation, ToolUse("t", "h", 0.1, 1))
    with pytest.raises(BudgetExceeded) as caught:
        limits.before_tool(run, name="t", args_hash="h", step=1)
    assert (caught.value.limit, caught.value.stop_reason) == ("tool_calls", "budget_exceeded")


def test_a_tool_call_that_nobody_announced_counts_too(run):
    limits = Limits([Budget(tool_calls=1, action="stop")])
    limits.settle_tool(run, None, ToolUse("t", "h", None, 1))
    with pytest.raises(BudgetExceeded):
        limits.before_tool(run, name="t", args_hash="h", step=1)


def test_what_a_tool_costs_counts_into_the_money(run, ask):
    limits = Limits([Budget(usd="0.01", action="stop")])
    reservation = limits.before_tool(run, name="t", args_hash="h", step=1)
    limits.settle_tool(run, reservation, ToolUse("t", "h", 1.0, 1, cost=Decimal("0.0099")))
    with pytest.raises(BudgetExceeded):
        ask(limits, run)


def test_time_ends_the_run_with_a_timeout(run, ask):
    limits = Limits([Budget(seconds=60, action="stop")])
    ask(limits, run)
    assert run.decisions == []
    run.started -= 50 * 10**9
    ask(limits, run)
    ask(limits, run)
    assert outcomes(run) == [("warn", "seconds")]
    run.started -= 11 * 10**9
    with pytest.raises(BudgetExceeded) as caught:
        limits.before_tool(run, name="t", args_hash=None, step=4)
    assert (caught.value.stop_reason, caught.value.limit) == ("timeout", "seconds")


def test_a_budget_of_a_user_is_shared_by_their_runs_and_by_nobody_elses(store, ask, answered):
    limits = Limits([Budget(scope="user", tokens=1500, action="stop")], store=store)
    one, two, other, nobody = (Run(f"r{n}", user_id=user) for n, user in enumerate(["a", "a", "b", None]))
    limits.settle_model(one, ask(limits, one), answered())
    with pytest.raises(BudgetExceeded) as caught:
        ask(limits, two)
    assert caught.value.scope == "user"
    assert two.decisions[-1].subject == "a"
    ask(limits, other)
    for _ in range(3):
        limits.settle_model(nobody, ask(limits, nobody), answered())


@pytest.mark.parametrize(
    ("budget", "hit"),
    [
        (Budget(scope="agent", tokens=1, action="stop"), True),
        (Budget(scope="agent", name="sup*", per="run", tokens=1, action="stop"), True),
        (Budget(scope="agent", name="plan*", tokens=1, action="stop"), False),
        (Budget(scope="team", name="care", tokens=1, action="stop"), True),
        (Budget(scope="team", name="sales", tokens=1, action="stop"), False),
        (Budget(scope="session", tokens=1, action="stop"), True),
    ],
)
def test_a_budget_is_for_whom_it_names(budget, hit, run, ask):
    limits = Limits([budget])
    if hit:
        with pytest.raises(BudgetExceeded):
            ask(limits, run)
    else:
        assert ask(limits, run) is not None


def test_a_run_inside_a_run_pays_for_both(ask, answered):
    outer = Run("outer", name="boss")
    inner = Run("inner", name="worker", parent=outer)
    limits = Limits([Budget(tokens=2500, action="stop")])
    limits.settle_model(inner, ask(limits, inner), answered())
    limits.settle_model(outer, ask(limits, outer), answered())
    ask(limits, Run("inner2", parent=None))
    with pytest.raises(BudgetExceeded):
        ask(limits, Run("inner3", name="worker", parent=outer))


def test_two_budgets_on_one_counter_count_it_once(run, ask, answered):
    limits = Limits([Budget(tokens=5000, action="stop"), Budget(tokens=3000, action="warn"), Budget(tokens=4000)])
    limits.settle_model(run, ask(limits, run), answered())
    assert [s.spent for s in limits.standing(run)] == [1100] * 3


def test_a_budget_that_holds_nothing_lets_calls_in_until_it_is_spent(run, ask, answered):
    limits = Limits([Budget(tokens=2000, action="stop", reserve="none")])
    one, two = ask(limits, run), ask(limits, run)
    limits.settle_model(run, one, answered())
    limits.settle_model(run, two, answered())
    with pytest.raises(BudgetExceeded):
        ask(limits, run)
    assert limits.standing(run)[0].spent == 2200


def test_a_request_that_sets_no_maximum_holds_the_assumed_one(run, ask):
    limits = Limits([Budget(tokens=100_000, action="stop")])
    ask(limits, run, tokens=10, most=None)
    assert limits.standing(run)[0].held == 10 + 4096


def test_without_an_estimate_the_last_calls_input_stands_for_it(run, ask, answered):
    limits = Limits([Budget(tokens=100_000, action="stop")])
    limits.settle_model(run, ask(limits, run), answered(tokens=700, output=1))
    ask(limits, run, tokens=None, most=100)
    assert limits.standing(run)[0].held == 800


@pytest.mark.parametrize(("action", "said"), [("observe", "allow"), ("warn", "warn")])
def test_a_model_without_a_price_is_said_once(action, said, run, ask, answered):
    limits = Limits([Budget(usd=1, action="stop", unpriced=action)])
    for _ in range(2):
        limits.settle_model(run, ask(limits, run, model="made-up"), answered(model="made-up"))
    assert outcomes(run) == [(said, "unpriced")]
    assert limits.standing(run)[0].spent == 0


def test_a_model_without_a_price_can_be_refused(run, ask):
    limits = Limits([Budget(usd=1, action="stop", unpriced="stop")])
    with pytest.raises(BudgetExceeded, match="made-up has no price"):
        ask(limits, run, model="made-up")


def test_the_day_ends_at_midnight_of_the_zone(monkeypatch, ask, answered):
    now = [1_795_219_200.0]  # 2026-11-21 00:00 UTC, an hour into the day in Berlin
    monkeypatch.setattr(time, "time", lambda: now[0])
    limits = Limits([Budget(scope="user", tokens=1500, action="stop")], zone="Europe/Berlin")
    one = Run("r1", user_id="a")
    limits.settle_model(one, ask(limits, one), answered())
    now[0] += 22.9 * 3600
    with pytest.raises(BudgetExceeded):
        ask(limits, one)
    now[0] += 0.2 * 3600
    assert ask(limits, one) is not None


def test_the_price_of_a_reservation_is_at_least_that_of_the_call(run):
    at = time.time_ns()
    for provider, model in (("openai", "gpt-4o"), ("anthropic", "claude-sonnet-4-5"), ("gcp.gemini", "gemini-2.5-pro")):
        for tokens in (10, 200_000, 200_001, 900_000):
            worst = pricing.estimate(provider, model, tokens, 500, at)
            for usage in (
                Usage(uncached=tokens, output=500),
                Usage(uncached=0, cache_read=tokens, output=400),
                Usage(uncached=0, cache_write=tokens, output=500),
            ):
                price = pricing.price(usage, provider=provider, model=model, at=at)
                assert worst >= price.amount * 10**12 or "cache_write_tokens" in price.unpriced_units


def test_a_call_in_a_dear_tier_holds_its_price(run):
    limits = Limits([Budget(usd=1, action="stop")])
    for tier, dollars in ((None, "2"), ("default", "2"), ("priority", "4"), ("flex", "2"), ("made-up", "2")):
        one = Run(f"r-{tier}")
        settings = {"gen_ai.request.max_tokens": 1000, "openai.request.service_tier": tier}
        request = Request(model="gpt-5", settings={k: v for k, v in settings.items() if v is not None})
        held = limits.before_model(one, provider="openai", model="gpt-5", request=request, estimate_tokens=8000, step=1)
        (standing,) = limits.standing(one)
        assert standing.held == Decimal(dollars) / 100, tier
        limits.release(held)


def test_a_mistake_of_ours_stops_no_call(monkeypatch, run, ask, answered):
    shield.strict(on=False)
    limits = Limits([Budget(tokens=1, action="stop")])
    monkeypatch.setattr(limits._states, "of", lambda run: 1 / 0)
    assert ask(limits, run) is None
    assert limits.before_tool(run, name="t", args_hash="h", step=1) is None
    limits.settle_model(run, None, answered())
    limits.settle_tool(run, None, ToolUse("t", "h", 1.0, 1))


def test_decisions_are_bounded_per_run(run, ask):
    limits = Limits([Budget(tokens=1, action="stop")])
    for _ in range(500):
        with pytest.raises(LimitExceeded):
            ask(limits, run)
    assert len(run.decisions) == 400
    assert limits.voice.refusals == 500


def test_what_is_remembered_is_bounded(monkeypatch, ask):
    monkeypatch.setattr(state, "MAX_RUNS", 10)
    limits = Limits([Budget(tokens=10_000, action="stop")], store=MemoryStore(max_counters=20))
    for number in range(100):
        ask(limits, Run(f"r{number}"))
    assert len(limits._states) == 10
    assert len(limits.store._counters) == 20


def test_an_ended_run_leaves_nothing(run, ask):
    limits = Limits([Budget(tokens=10_000, usd=1, action="stop")])
    ask(limits, run)
    limits.ended(run)
    assert not limits.store._counters
    assert len(limits._states) == 0


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 2000), st.integers(0, 7000)), max_size=30))
def test_what_is_spent_is_the_sum_of_what_was_used_and_never_held_beyond_the_limit(calls):
    limits, run = Limits([Budget(usd="0.01", tokens=50_000, action="stop")]), Run("r")
    spent, total = Decimal(0), 0
    for tokens, most, used in calls:
        request = Request(settings={"gen_ai.request.max_tokens": most or 1})
        try:
            held = limits.before_model(
                run, provider="openai", model="gpt-4o-mini", request=request, estimate_tokens=tokens, step=1
            )
        except BudgetExceeded:
            continue
        money, counted = limits.standing(run)
        assert money.spent + money.held <= money.maximum
        assert counted.spent + counted.held <= counted.maximum
        usage = Usage(uncached=min(used, tokens), output=min(used, most))
        call = ModelCall("chat", "openai", "gpt-4o-mini", None, usage, time.time_ns(), time.time_ns(), 1)
        limits.settle_model(run, held, call)
        spent += pricing.price_call(call).amount
        total += usage.total
    money, counted = limits.standing(run)
    assert (money.spent, money.held, counted.spent, counted.held) == (spent, 0, total, 0)
    assert counted.spent <= 50_000
    assert money.spent <= Decimal("0.01")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"usd": "much"}, "usd is 'much'"),
        ({"usd": -1}, "usd is -1"),
        ({"tokens": 1.5}, "tokens is 1.5"),
        ({"steps": True}, "steps is True"),
        ({"scope": "users", "usd": 1}, "did you mean 'user'"),
        ({"action": "halt", "usd": 1}, "valid: observe, warn, stop"),
        ({"per": "day", "usd": 1}, "per is 'day'"),
        ({"scope": "user", "seconds": 5}, "seconds counts per run"),
        ({"warn_at": 0, "usd": 1}, "warn_at is 0"),
        ({"reserve": "worse", "usd": 1}, "did you mean 'worst'"),
        ({}, "has no limit"),
    ],
)
def test_a_bad_budget_is_an_error_that_says_what_would_be_valid(words, said):
    with pytest.raises(ConfigurationError) as caught:
        Budget(**words)
    assert said in str(caught.value)


def test_a_zone_that_is_none_is_an_error():
    with pytest.raises(ConfigurationError, match="Europe/Berlin"):
        Limits(zone="Mars/Olympus")
