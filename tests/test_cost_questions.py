"""The questions about money, asked of a journal that a real program wrote, on the command line."""

from __future__ import annotations

import copy
import json
import time
from decimal import Decimal

import pytest
from click.testing import CliRunner

import spanledger
from clients import CHAT, CHAT_ASK, Answers, clients
from spanledger import setup
from spanledger.cli import main

DEAR, CHEAP = Decimal("0.0125"), Decimal("0.00075")  # gpt-4o and gpt-4o-mini, 1,000 in and 1,000 out
START = 1_795_219_200 * 10**9  # 2026-11-21 00:00 UTC
HOUR = 3600 * 10**9


@spanledger.tool(cost="0.002")
def search(q):
    return {"found": []}


@spanledger.tool
def flaky(q):
    raise TimeoutError(q)


@pytest.fixture
def program(provider, tmp_path, monkeypatch):
    """A program of which each run is told when, for whom and how it went; its journal is that of the commands."""
    monkeypatch.setenv("SPANLEDGER_JOURNAL", str(tmp_path / "journal.db"))
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.chdir(tmp_path)
    clock, answers = [START], Answers()
    monkeypatch.setattr(time, "time_ns", lambda: clock[0])
    made = spanledger.configure(tracer_provider=provider, journal_days=100_000)
    client = clients(answers)["openai"][0]

    def think(model):
        answer = copy.deepcopy(CHAT)
        usage = {"prompt_tokens": 1000, "completion_tokens": 1000, "total_tokens": 2000}
        answers.queue = [{**answer, "model": model, "usage": usage}]
        client.chat.completions.create(**{**CHAT_ASK, "model": model})
        clock[0] += 10**9

    def play(at, user, *steps, version="1", fails=False, labels=None):
        clock[0] = START + int(at * HOUR)
        try:
            with spanledger.run("support", user_id=user, agent_version=version, labels=labels) as run:
                for model, tool, argument in steps:
                    with run.step():
                        think(model)
                        if tool is not None:
                            try:
                                tool(argument)
                            except TimeoutError:
                                if fails:
                                    raise
        except TimeoutError:
            pass

    yield play
    while setup._now:
        setup._now.pop().shutdown()
    del made


@pytest.fixture
def spent(program):
    """Twenty users spend little; one spends much and badly; version 2 began at five o'clock."""
    for number in range(20):
        program(1, f"u{number}", ("gpt-4o-mini", search, "a"), labels={"team": "care", "project": "bot"})
    program(2, "big", ("gpt-4o", search, "a"), ("gpt-4o", search, "a"), ("gpt-4o", None, None))  # asks the same twice
    program(3, "big", ("gpt-4o", flaky, "a"), ("gpt-4o", flaky, "b"), ("gpt-4o", flaky, "c"))  # never gets it
    program(4, "big", ("gpt-4o", flaky, "a"), fails=True)
    program(5.5, "u1", ("gpt-4o-mini", None, None), version="2")
    setup._now[-1].force_flush()
    return lambda *arguments: json.loads(command(*arguments, "--json"))


def command(*arguments):
    found = CliRunner().invoke(main, ["costs", "--since", "2026-11-20", *arguments])
    assert found.exit_code == 0, found.output
    return found.output


TOTAL = 20 * (CHEAP + Decimal("0.002")) + 3 * DEAR + Decimal("0.004") + 3 * DEAR + DEAR + CHEAP


def test_what_was_spent_this_hour_day_and_week(spent, monkeypatch):
    monkeypatch.setattr(time, "time_ns", lambda: START + 6 * HOUR)
    data = spent()
    assert {name: Decimal(amount) for name, amount in data["windows"].items()} == {
        "hour": CHEAP, "day": TOTAL, "week": TOTAL,
    }  # fmt: skip
    assert Decimal(data["total"]["cost"]) == TOTAL
    assert "last hour $0.00075" in command()


def test_which_users_are_in_the_top_decile(spent):
    data = spent("--by", "user")
    assert data["top_tenth_of_users"] == ["big", "u1"]
    assert 0.6 < data["top_tenth_of_users_share"] < 0.9
    assert "the top tenth of the users (big, u1) is behind" in command("--by", "user")


def test_which_tools_drive_the_dearest_runs(spent):
    tools = {group["name"]: group for group in spent("--by", "tool")["groups"]}
    assert tools["flaky"]["share_of_dearest_runs"] == tools["search"]["share_of_dearest_runs"] == 0.5
    assert Decimal(tools["flaky"]["cost"]) == 4 * DEAR
    assert (tools["flaky"]["calls"], tools["flaky"]["failed"]) == (4, 4)


@pytest.mark.parametrize("moment", ["2026-11-21T05:00", "2"])
def test_cost_per_successful_run_before_and_after_a_date_or_a_version(spent, moment):
    before, after = spent("--split", moment)["groups"]
    assert (before["successful_runs"], after["successful_runs"]) == (22, 1)
    assert Decimal(before["per_successful_run"]) == (TOTAL - CHEAP) / 22
    assert Decimal(after["per_successful_run"]) == CHEAP
    versions = {group["name"]: group for group in spent("--by", "version")["groups"]}
    assert versions["2"]["per_successful_run"] == after["per_successful_run"]


def test_a_moment_that_is_none_is_said():
    found = CliRunner().invoke(main, ["costs", "--split", "soon"])
    assert found.exit_code == 2
    assert "neither a time nor a version" in found.output


def test_the_share_of_spend_on_failed_runs_and_what_else_was_wasted(spent):
    total = spent()["total"]
    assert total["failed_runs_share"] == pytest.approx(float(DEAR / TOTAL))
    assert {name: Decimal(amount) for name, amount in total["wasted_on"].items()} == {
        "failed_runs": DEAR, "failed_calls": 0, "retries": 2 * DEAR, "duplicates": DEAR + Decimal("0.002"),
    }  # fmt: skip
    assert Decimal(total["wasted"]) == 4 * DEAR + Decimal("0.002")
    assert "on failed runs" in command()


@pytest.mark.parametrize("label", ["team", "project"])
def test_teams_and_projects(spent, label):
    groups = {group["name"]: Decimal(group["cost"]) for group in spent("--by", label)["groups"]}
    assert groups == {
        "care" if label == "team" else "bot": 20 * (CHEAP + Decimal("0.002")),
        "-": TOTAL - 20 * (CHEAP + Decimal("0.002")),
    }


def test_days_are_those_of_the_zone(spent, monkeypatch):
    assert [group["name"] for group in spent("--by", "day")["groups"]] == ["2026-11-21"]
    monkeypatch.setenv("SPANLEDGER_DAY_ZONE", "America/New_York")
    assert [group["name"] for group in spent("--by", "day")["groups"]] == ["2026-11-20", "2026-11-21"]
