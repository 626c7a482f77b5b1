from __future__ import annotations

import itertools
import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanledger import pricing
from spanledger.errors import ConfigurationError, LoopDetected
from spanledger.ledger import Run, ToolUse
from spanledger.limits import Budget, Limits, Loops, state

numbers = itertools.count()


def use(limits, run, name, args, *, error=None, result=None, step=1):
    reservation = limits.before_tool(run, name=name, args_hash=args, step=step)
    limits.settle_tool(run, reservation, ToolUse(name, args, 0.1, step, error, result or f"result {next(numbers)}"))


def kinds(run):
    return [d.reason.partition(":")[0] for d in run.decisions]


def test_work_that_moves_on_is_no_loop(run):
    limits = Limits(loops=Loops())
    for number in range(100):
        use(limits, run, "search", f"query {number}", result="nothing found")
        use(limits, run, "read", f"page {number}")
        if number % 3 == 0:
            use(limits, run, "clock", "now")
    assert run.decisions == []


def test_polling_a_few_times_is_no_loop_and_polling_on_is(run):
    limits = Limits(loops=Loops())
    for _ in range(4):
        use(limits, run, "status", "job 7")
    assert run.decisions == []
    use(limits, run, "status", "job 7")
    assert kinds(run) == ["repeat"]
    assert run.decisions[0].value == 5


def test_the_same_question_with_the_same_answer_is_seen_at_the_third(run):
    limits = Limits(loops=Loops())
    for _ in range(2):
        use(limits, run, "search", "q", result="same")
    assert run.decisions == []
    use(limits, run, "search", "q", result="same")
    assert kinds(run) == ["same_result"]


def test_a_retry_storm(run):
    limits = Limits(loops=Loops())
    for _ in range(3):
        use(limits, run, "mail", "m1", error="rate_limited", result="429")
    assert run.decisions == []
    use(limits, run, "mail", "m1", error="rate_limited", result="429")
    assert kinds(run) == ["retry_storm"]


@pytest.mark.parametrize("period", [2, 3, 5, 8])
def test_a_cycle(run, period):
    limits = Limits(loops=Loops(repeats=10, same_result=10))
    for turn in range(3):
        for place in range(period):
            assert run.decisions == [], f"seen too early, in round {turn} at {place}"
            use(limits, run, f"tool {place % 3}", f"args {place}")
    assert kinds(run) == ["cycle"]
    assert f"a round of {period} tool calls, 3 times" in run.decisions[0].reason


def test_ever_new_queries_to_a_tool_that_fails(run):
    limits = Limits(loops=Loops())
    errors = ["rate_limited", None, "upstream_error", "rate_limited", "upstream_error", "rate_limited", None]
    for number, error in enumerate(errors):
        use(limits, run, "search", f"query {number}", error=error)
    assert kinds(run) == ["failing_queries"]


def test_the_incident_is_seen_within_the_run():
    """A lookup answers 429 or 503 now and then, and the agent answers with ever new queries: 4.3 calls become 11.7."""
    dice, seen, calls = random.Random(7), 0, 0
    for number in range(200):
        limits, run = Limits(loops=Loops()), Run(f"r{number}")
        for call in range(12):
            error = dice.choice(["rate_limited", "upstream_error"]) if dice.random() < 0.65 else None
            use(limits, run, "lookup", f"query {call}", error=error)
            if run.decisions:
                calls += call + 1
                seen += 1
                break
    assert seen >= 180
    assert calls / seen < 8


def ended(limits, run, calls):
    run.tool_calls, run.stop_reason = calls, "completed"
    limits.ended(run)


def test_a_run_unlike_the_agents_runs_before_it_is_seen_while_it_goes_on():
    """4.3 tool calls per run become 11.7, none of them failing or the same."""
    limits, dice = Limits(loops=Loops()), random.Random(3)
    for number in range(60):
        ended(limits, Run(f"old{number}", name="support"), dice.choice([3, 4, 4, 5, 5, 6]))
    run, other = Run("new", name="support"), Run("other", name="planner")
    for call in range(12):
        use(limits, other, "lookup", f"query {call}")
        use(limits, run, "lookup", f"query {call}")
        if run.decisions:
            break
    (decision,) = run.decisions
    assert (decision.outcome, decision.limit) == ("warn", "drift")
    assert 7 <= decision.value <= 10
    assert other.decisions == []


def test_failed_runs_do_not_say_what_is_usual():
    limits = Limits(loops=Loops())
    for number in range(60):
        run = Run(f"old{number}", name="support")
        run.stop_reason = "tool_error"
        limits.ended(run)
    assert limits._states._usual.most("support").calls == float("inf")


def test_a_loop_is_stopped_before_the_next_call(run):
    limits = Limits(loops=Loops(action="stop"))
    for _ in range(2):
        use(limits, run, "search", "q", result="same")
    with pytest.raises(LoopDetected) as caught:
        use(limits, run, "search", "q", result="same")
    assert (caught.value.limit, caught.value.stop_reason, run.stop_reason) == ("loop", "loop_detected", "loop_detected")


def test_calls_that_nobody_announced_stop_the_next_model_call(run, ask):
    limits = Limits(loops=Loops(action="stop"))
    for _ in range(3):
        limits.settle_tool(run, None, ToolUse("search", "q", None, 1, None, "same"))
    assert [d.outcome for d in run.decisions] == ["warn"]
    with pytest.raises(LoopDetected):
        ask(limits, run)


def test_says_what_the_loop_cost(run, ask, answered):
    limits = Limits([Budget(usd=1)], loops=Loops())
    for step in range(1, 4):
        limits.settle_model(run, ask(limits, run, step=step), answered(step=step))
        use(limits, run, "search", "q", result="same", step=step)
    (decision,) = [d for d in run.decisions if d.limit == "loop"]
    assert decision.wasted == 2 * Decimal("0.00021")


@pytest.mark.parametrize(("model", "wasted"), [("gpt-4o-mini", 2 * Decimal("0.00021")), ("nobody-knows", None)])
def test_says_what_the_loop_cost_without_a_budget_too(run, ask, answered, model, wasted):
    pricing.warm()
    limits = Limits(loops=Loops())
    for step in range(1, 4):
        limits.settle_model(run, ask(limits, run, step=step, model=model), answered(step=step, model=model))
        use(limits, run, "search", "q", result="same", step=step)
    (decision,) = run.decisions
    assert decision.wasted == wasted


def test_does_not_say_what_a_loop_cost_that_began_too_long_ago(run, answered, monkeypatch):
    pricing.warm()
    monkeypatch.setattr(state, "MAX_CALLS", 1)
    limits = Limits(loops=Loops())
    for step in range(1, 4):
        limits.settle_model(run, None, answered(step=step))
        use(limits, run, "search", "q", result="same", step=step)
    assert run.decisions[0].wasted is None


def test_says_a_loop_again_only_when_it_has_doubled(run):
    limits = Limits(loops=Loops())
    for _ in range(40):
        use(limits, run, "mail", "m1", error="timeout", result="x")
    assert set(kinds(run)) == {"retry_storm"}
    assert [d.value for d in run.decisions] == [4, 8, 16]


def test_calls_without_a_hash_are_never_repeats(run):
    limits = Limits(loops=Loops())
    for _ in range(20):
        use(limits, run, "search", None, result="same")
    assert run.decisions == []


calls_of_an_agent = st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.sampled_from([None, "timeout"]))


@given(st.lists(calls_of_an_agent, max_size=80))
def test_whatever_an_agent_does_it_is_remembered_in_bounds(calls):
    limits, run = Limits(loops=Loops()), Run("r")
    for name, args, error in calls:
        use(limits, run, name, args, error=error, result=args)
    history = limits._states.of(run).history
    assert len(history._entries) <= 24
    assert history.calls == len(calls)


def test_bad_numbers_are_errors():
    with pytest.raises(ConfigurationError, match="repeats is 1"):
        Loops(repeats=1)
    with pytest.raises(ConfigurationError, match="did you mean 'stop'"):
        Loops(action="stopp")
