from __future__ import annotations

import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

from spanledger.cli import main
from spanledger.config import Settings
from spanledger.errors import ConfigurationError, Denied, Killed
from spanledger.ledger import Run
from spanledger.limits import Budget, Kill, Limits, Rule, SqliteStore, configured


def tool(limits, run, name):
    return limits.before_tool(run, name=name, args_hash="h", step=2)


def test_only_what_is_allowed_and_not_denied_is_called(run, ask):
    rule = Rule(
        agent="sup*", tools=("search", "mail.*"), deny_tools=("mail.delete",), deny_models=("*-pro",), why="SEC-12"
    )  # fmt: skip
    limits = Limits(rules=[rule])
    tool(limits, run, "search")
    tool(limits, run, "mail.send")
    ask(limits, run, model="gpt-4o")
    for name in ("mail.delete", "shell"):
        with pytest.raises(Denied, match="SEC-12") as caught:
            tool(limits, run, name)
        assert (caught.value.limit, caught.value.spent, caught.value.step) == ("tool", name, 2)
    with pytest.raises(Denied, match="denied to agent support"):
        ask(limits, run, model="o1-pro")
    tool(limits, Run("other", name="planner"), "shell")
    assert [(d.outcome, d.limit, d.subject) for d in run.decisions] == [
        ("stop", "tool", "support"), ("stop", "tool", "support"), ("stop", "model", "support"),
    ]  # fmt: skip
    assert run.stop_reason is None  # the agent may take another tool


def test_a_rule_may_only_watch(run):
    limits = Limits(rules=[Rule(deny_tools=("shell",), action="observe")])
    for _ in range(3):
        tool(limits, run, "shell")
    assert [(d.outcome, d.limit) for d in run.decisions] == [("allow", "tool")]


def test_a_rule_is_a_list_of_texts():
    with pytest.raises(ConfigurationError, match="must be a list of texts"):
        Rule(tools="search")


@pytest.mark.parametrize("target", ["run:r1", "agent:support", "all"])
def test_a_kill_takes_effect_before_the_next_call_and_can_be_taken_back(store, run, ask, target):
    for limits in (Limits([Budget(tokens=10**6, action="stop")], store=store), Limits(store=store)):
        ask(limits, run)
        store.kill(Kill(target, "bob", "too loud", 1.5))
        for call in (lambda: ask(limits, run), lambda: tool(limits, run, "search")):  # noqa: B023
            with pytest.raises(Killed, match="stopped by bob: too loud") as caught:
                call()
            assert caught.value.stop_reason == "killed"
        assert run.decisions[-1].limit == "kill"
        ask(limits, Run("r2", name="planner")) if target != "all" else None
        assert store.kills() == [Kill(target, "bob", "too loud", 1.5)]
        assert store.revive(target)
        assert not store.revive(target)
        ask(limits, run)
    assert run.stop_reason == "killed"


def test_a_run_inside_a_killed_run_is_killed(store, ask):
    outer = Run("outer", name="boss")
    store.kill(Kill("run:outer", "bob", "", 1.0))
    with pytest.raises(Killed):
        ask(Limits(store=store), Run("inner", parent=outer))


def test_a_refused_call_holds_nothing(store, run, ask):
    limits = Limits([Budget(tokens=10**6, steps=9, action="stop")], store=store)
    store.kill(Kill("all", "bob", "", 1.0))
    with pytest.raises(Killed):
        ask(limits, run)
    store.revive("all")
    ask(limits, run)
    assert [(s.spent, s.held) for s in limits.standing(run)] == [(0, 1100), (1, 0)]


def test_another_process_kills_what_counts_in_memory(tmp_path, run, ask):
    path = tmp_path / "state" / "limits.db"
    limits = Limits(kills=SqliteStore(path), kill_seconds=0.0)
    ask(limits, run)
    code = (
        "import sys; from spanledger.limits import Kill, SqliteStore\n"
        "SqliteStore(sys.argv[1]).kill(Kill('agent:support', 'bob', 'night', 2.0))"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, timeout=60)
    with pytest.raises(Killed, match="agent:support was stopped by bob: night"):
        ask(limits, run)
    SqliteStore(path).revive("agent:support")
    ask(limits, run)
    assert path.stat().st_mode & 0o077 == 0


def test_kills_are_looked_up_only_so_often(tmp_path, run, ask, monkeypatch):
    store = SqliteStore(tmp_path / "limits.db")
    limits = Limits(kills=store, kill_seconds=3600)
    ask(limits, run)
    store.kill(Kill("all", "bob", "", 1.0))
    ask(limits, run)
    clock = time.monotonic() + 3601
    monkeypatch.setattr(time, "monotonic", lambda: clock)
    with pytest.raises(Killed):
        ask(limits, run)


@pytest.mark.parametrize("kind", ["memory", "sqlite", "redis"])
def test_the_command_line_stops_and_revives_through_the_store_of_the_settings(
    kind, request, tmp_path, monkeypatch, ask
):
    place = f"sqlite:{tmp_path / 'limits.db'}" if kind == "sqlite" else "memory"
    if kind == "redis":
        place = request.getfixturevalue("redis_url")
    monkeypatch.setenv("SPANLEDGER_LIMITS_STORE", place)
    limits, run = configured(Settings.load()), Run(f"run-{kind}", name=f"agent-{kind}")
    limits._poll._seconds = 0.0
    command = CliRunner()
    ask(limits, run)
    assert command.invoke(main, ["kill", "--agent", run.name, "--by", "bob", "--why", "night"]).exit_code == 0
    with pytest.raises(Killed, match="stopped by bob: night"):
        ask(limits, run)
    (decision,) = run.decisions
    assert (decision.by, decision.why, decision.since > 0) == ("bob", "night", True)
    assert f"agent:{run.name} stopped by bob" in command.invoke(main, ["kill", "--list"]).output
    assert command.invoke(main, ["revive", "--agent", run.name]).exit_code == 0
    ask(limits, run)
    limits.store.close()
