"""Decisions are kept: in the journal, in `spanledger show` and in `runs --live`, with whoever wanted them."""

from __future__ import annotations

import json
import time
from decimal import Decimal

import pytest
from click.testing import CliRunner

import spanledger
from clients import CHAT, CHAT_ASK, Answers, clients
from spanledger import setup
from spanledger.budget import Budget, Rule
from spanledger.cli import main
from spanledger.errors import BudgetExceeded, Killed
from spanledger.journal import Archive
from spanledger.report.words import instant


@pytest.fixture
def configure(provider, tmp_path, monkeypatch):
    path = tmp_path / "journal.db"
    monkeypatch.setenv("SPANLEDGER_JOURNAL", str(path))
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.chdir(tmp_path)
    yield lambda **settings: spanledger.configure(tracer_provider=provider, **settings)
    while setup._now:
        setup._now.pop().shutdown()


@pytest.fixture
def chat():
    answers = Answers([CHAT] * 50)
    client = clients(answers)["openai"][0]
    return lambda **more: client.chat.completions.create(**CHAT_ASK, **more)


def command(*arguments):
    found = CliRunner().invoke(main, arguments)
    assert found.exit_code == 0, found.output
    return found.output


def test_every_decision_of_a_run_is_in_the_journal_and_shown(configure, chat):
    made = configure(
        budgets=[Budget(tokens=30, action="stop"), Budget(scope="user", usd="0.000001")],
        rules=[Rule(deny_tools=("mail",), action="warn", why="SEC-12")],
    )  # fmt: skip
    with pytest.raises(BudgetExceeded), spanledger.run("support", user_id="u-7") as run:
        chat(max_tokens=2)
        with spanledger.tool("mail"):
            pass
        for _ in range(3):
            chat(max_tokens=2)
    made.force_flush()
    with Archive(made.journal.path) as archive:
        row = archive.run(run.id)
    kept = [(d["outcome"], d["limit"], d["scope"], d.get("value"), d["step"]) for d in row.decisions]
    assert kept == [(d.outcome, d.limit, d.scope, spelled(d.value), d.step) for d in run.decisions]
    assert {limit for _, limit, *_ in kept} == {"tokens", "usd", "tool"}
    (denied,) = [d for d in row.decisions if d["limit"] == "tool"]
    assert (denied["by"], denied["why"]) == ("the rule for agent *", "SEC-12")

    shown = command("show", run.id)
    assert "decision  stop  tokens  step 2  the next call may use" in shown
    assert "decision  warn  tool  step 1  tool mail is denied to agent support by 'mail' (SEC-12)" in shown
    assert "by the rule for agent *" in shown
    data = json.loads(command("show", run.id, "--json"))["run"]
    assert [d["limit"] for d in data["decisions"]] == [d.limit for d in run.decisions]
    assert data["decisions"][-1]["at"].endswith("Z")
    assert json.loads(command("runs", "--json"))["runs"][0]["decisions"] == data["decisions"]


def spelled(value):
    return format(value, "f") if isinstance(value, Decimal) else value


def test_who_stopped_a_run_when_and_why_is_in_the_journal(configure, chat):
    made = configure()
    made.brakes.limits._poll._seconds = 0.0
    with pytest.raises(Killed), spanledger.run("night") as run:
        chat()
        command("kill", "--agent", "night", "--by", "bob", "--why", "sleep")
        chat()
    before = time.time_ns()
    made.force_flush()
    (kept,) = json.loads(command("show", run.id, "--json"))["run"]["decisions"]
    assert (kept["limit"], kept["by"], kept["why"], kept["scope"], kept["subject"]) == (
        "kill", "bob", "sleep", "agent", "night",
    )  # fmt: skip
    assert kept["since"] <= kept["at"] <= instant(before)
    assert "agent:night was stopped by bob: sleep  by bob  since 20" in command("show", run.id)


def test_what_goes_on_shows_its_last_decision_and_who_stopped_it(configure, chat):
    made = configure(budget_tokens=14)
    with spanledger.run("one"), spanledger.run("two") as two:
        chat()
        made.force_flush()
        shown = command("runs", "--live")
        assert "DECIDED" in shown
        assert "warn tokens 13 of 14" in shown
        command("kill", two.id, "--by", "bob", "--why", "loops")
        shown = command("runs", "--live")
        assert "killed by bob 0 s ago: loops" in shown
        live = {row["agent"]: row for row in json.loads(command("runs", "--live", "--json"))["runs"]}
        assert (live["two"]["killed"]["by"], live["two"]["killed"]["why"]) == ("bob", "loops")
        assert live["one"]["killed"] is None
        command("revive", two.id)
        assert "killed" not in command("runs", "--live")
        assert "killed" not in json.loads(command("runs", "--json"))["runs"][0]


def test_a_store_that_is_away_hides_no_run(configure, monkeypatch):
    made = configure()
    with spanledger.run("one"):
        made.force_flush()
        monkeypatch.setenv("SPANLEDGER_LIMITS_STORE", "redis://127.0.0.1:1/0")
        shown = command("runs", "--live")
    assert "one" in shown
    assert "what is stopped is not known" in shown


def test_retries_are_in_the_journal(configure, chat):
    made = configure()
    with spanledger.run("one") as run:
        run._run.retries, run._run.retry_wait = 3, 1.5
        chat()
    made.force_flush()
    assert json.loads(command("show", run.id, "--json"))["run"]["retries"] == {"attempts": 3, "wait_seconds": 1.5}
    assert "3 retries, waited 1.5 s" in command("show", run.id)


def test_a_long_list_is_shown_by_its_ends(configure, chat):
    made = configure(budget_tokens=1, budget_action="stop")
    with spanledger.run("one") as run:
        for _ in range(60):
            with pytest.raises(BudgetExceeded):
                chat()
    made.force_flush()
    shown = command("show", run.id)
    assert shown.count("decision  stop") == 20
    assert "40 more" in shown
