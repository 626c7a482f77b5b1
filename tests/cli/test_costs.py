from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from recorded import BEGAN, SUPPORT
from spanledger import semconv
from spanledger.journal import Archive, Journal, SpanRow
from spanledger.report.costs import BY, read_costs

DAY = 86_400 * 10**9
numbers = iter(range(1, 10**6))


FACTS = {
    "cost": semconv.COST_AMOUNT, "model": semconv.RESPONSE_MODEL, "tool": semconv.TOOL_NAME,
    "args": semconv.TOOL_ARGS_HASH, "result": semconv.TOOL_RESULT_HASH, "own": semconv.TOOL_COST,
    "status": semconv.COST_STATUS,
}  # fmt: skip


def span(run_id, step, operation, *, error=False, **facts):
    number = next(numbers)
    attributes = {FACTS[name]: value for name, value in facts.items()}
    return SpanRow(
        trace_id=f"{number:032x}", span_id=f"{number:016x}", run_id=run_id, step=step, name=operation,
        operation=operation, started=BEGAN + number, ended=BEGAN + number + 1, status="ERROR" if error else "UNSET",
        attributes=attributes,
    )  # fmt: skip


def run(run_id, cost, *, status="success", user=None, **words):
    reason = {"success": "completed", "failure": "tool_error", "timeout": "timeout"}[status]
    return replace(
        SUPPORT, run_id=run_id, cost=Decimal(cost), status=status, stop_reason=reason, user_id=user, unpriced=0, **words
    )


@pytest.fixture
def spent(path):
    """Three runs: one fine that repeats itself in its third step, one that failed, and one inside the first."""
    runs = [
        run("a", "0.10", user="alice", name="support", agent_version="1", labels={"team": "care"}),
        run("b", "0.05", status="failure", user="bob", name="support", agent_version="2", started=BEGAN + DAY),
        run("c", "0.02", user="alice", name="planner", parent_id="a", agent_version="1"),
    ]
    spans = [
        span("a", 1, "chat", cost=0.02, model="m1"),
        span("a", 1, "execute_tool", tool="search", args="h1", result="r1"),
        span("a", 2, "chat", cost=0.03, model="m1"),
        span("a", 2, "execute_tool", tool="search", args="h2", result="r2"),
        span("a", 2, "execute_tool", tool="mail", args="h3", result="r3", own=0.005),
        span("a", 3, "chat", cost=0.025, model="m2"),
        span("a", 3, "execute_tool", tool="search", args="h1", result="r1"),
        span("c", 1, "chat", cost=0.02, model="m2"),
        span("c", 1, "chat", cost=0.04, model="m2", status="counted_in_child"),
        span("b", 1, "chat", cost=0.05, model="m1"),
        span("b", 1, "execute_tool", tool="search", args="h9", error=True),
        span("b", 2, "chat", model="house-model"),
        span("b", None, "invoke_agent"),
    ]
    journal = Journal(path, days=100_000)
    assert journal.write_spans(spans, runs)
    journal.close()
    return path


@pytest.fixture
def costs(spent):
    with Archive(spent) as archive:
        yield read_costs(archive)


def by(costs, what):
    return {group.name: group for group in costs.by(what)}


def test_a_run_inside_another_is_paid_once(costs):
    total = costs.total()
    assert (total.cost, total.runs, total.successes) == (Decimal("0.15"), 3, 2)
    agents = by(costs, "agent")
    assert (agents["support"].cost, agents["planner"].cost) == (Decimal("0.13"), Decimal("0.02"))


def test_waste_is_failed_runs_and_steps_that_only_repeat(costs):
    total = costs.total()
    assert total.wasted == Decimal("0.05") + Decimal("0.025")
    assert total.wasted_share == 0.5
    assert total.per_success == Decimal("0.075")


@pytest.mark.parametrize("what", ["user", "session", "agent", "version", "team", "day"])
def test_every_grouping_of_runs_adds_up(costs, what):
    groups = costs.by(what)
    assert sum(g.cost for g in groups) == costs.total().cost
    assert sum(g.wasted for g in groups) == costs.total().wasted
    assert sum(g.runs for g in groups) == 3


def test_by_user_day_team_and_version(costs):
    users = by(costs, "user")
    assert (users["alice"].cost, users["bob"].cost) == (Decimal("0.10"), Decimal("0.05"))
    assert users["bob"].per_success is None
    assert costs.by("user")[0].name == "alice"
    assert [g.name for g in costs.by("day")] == ["2026-01-01", "2026-01-02"]
    assert by(costs, "team")["care"].cost == Decimal("0.10")
    assert by(costs, "version")["2"].wasted == Decimal("0.05")
    assert costs.top_tenth() == (["alice"], pytest.approx(2 / 3))


def test_money_that_nobody_knows_is_no_zero(spent, costs, call):
    models = by(costs, "model")
    assert models["house-model"].known_cost is None
    assert models["m2"].known_cost == Decimal("0.045")
    lines = {
        line.split()[0]: line.split()[1:3]
        for line in call("costs", "--by", "model", "--since", "2025-12-31").output.splitlines()
    }
    assert (lines["house-model"], lines["m2"]) == (["unknown", "1"], ["$0.045", "1"])
    found = json.loads(call("costs", "--by", "model", "--since", "2025-12-31", "--json").output)
    assert {group["name"]: group["cost"] for group in found["groups"]}["house-model"] is None


def test_by_model(costs):
    models = by(costs, "model")
    assert (models["m1"].cost, models["m1"].calls, models["m1"].wasted) == (Decimal("0.10"), 3, Decimal("0.05"))
    assert (models["m2"].cost, models["m2"].unpriced) == (Decimal("0.045"), 1)
    assert (models["house-model"].cost, models["house-model"].unpriced) == (0, 1)


def test_by_tool_with_the_thinking_that_it_took(costs):
    tools = by(costs, "tool")
    search, mail = tools["search"], tools["mail"]
    assert mail.cost == Decimal("0.005") + Decimal("0.015")
    assert search.cost == Decimal("0.02") + Decimal("0.015") + Decimal("0.025") + Decimal("0.05")
    assert (search.calls, search.errors, search.repeats, search.runs) == (4, 1, 1, 2)
    assert (search.dear_runs, mail.dear_runs) == (1.0, 1.0)


def test_by_step(costs):
    assert by(costs, "step")["3"].cost == Decimal("0.025")
    assert by(costs, "step")["3"].wasted == Decimal("0.025")


def test_before_and_after(costs):
    before, after = costs.split(BEGAN + DAY)
    assert (before.runs, before.per_success, after.runs, after.per_success) == (2, Decimal("0.05"), 1, None)


def test_the_command_says_it_in_words_and_in_json(spent, call):
    for what in BY:
        assert call("costs", "--by", what, "--since", "2025-01-01").exit_code == 0
    shown = call("costs", "--since", "2025-01-01", "--until", "2026-06-01").output
    assert (
        "3 runs, $0.15; $0.075 of it wasted (50%): $0.05 on failed runs, $0.025 on duplicates; $0.075 per successful run"
        in shown
    )
    assert "alice" in call("costs", "--by", "user", "--since", "2025-01-01").output
    data = json.loads(call("costs", "--by", "user", "--since", "2025-01-01", "--json").output)
    assert data["total"]["cost"] == "0.15"
    assert data["groups"][0] | {"name": "alice", "cost": "0.10", "runs": 2} == data["groups"][0]
    assert call("costs", "--split", "2026-01-02", "--since", "2025-01-01").exit_code == 0


def test_what_is_left_out_is_not_counted(spent, call):
    data = json.loads(call("costs", "--since", "2026-01-02", "--json").output)
    assert data["total"]["runs"] == 1
    data = json.loads(
        call("costs", "--since", "2025-01-01", "--until", "2026-01-02", "--user", "alice", "--json").output
    )
    assert data["total"]["cost"] == "0.10"


def test_an_empty_journal_costs_nothing(call):
    found = call("costs", "--by", "model")
    assert found.exit_code == 0
    assert "0 runs, $0" in found.output
