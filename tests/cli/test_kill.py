from __future__ import annotations

import json

import pytest

from recorded import RUN
from spanledger.config import Settings
from spanledger.errors import Killed
from spanledger.ledger import Run
from spanledger.limits import configured
from spanledger.model import Request


def ask(limits, run):
    return limits.before_model(run, provider="openai", model="m", request=Request(), estimate_tokens=1, step=1)


def test_a_run_is_stopped_by_the_beginning_of_its_id_and_revived(recorded_path, call):
    limits, run = configured(Settings()), Run(RUN, name="support")
    limits._poll._seconds = 0.0
    ask(limits, run)
    found = call("kill", RUN[:6], "--why", "loops all night", "--by", "bob")
    assert found.exit_code == 0
    assert f"run:{RUN} stopped by bob" in found.output
    with pytest.raises(Killed, match="loops all night"):
        ask(limits, run)
    assert call("revive", RUN[:6]).output == "nothing is stopped\n"
    ask(limits, run)


def test_agents_and_everything(call):
    call("kill", "--agent", "support", "--by", "bob")
    data = json.loads(call("kill", "--all", "--by", "eve", "--why", "fire", "--json").output)
    assert [(k["target"], k["by"], k["why"]) for k in data["kills"]] == [
        ("agent:support", "bob", ""), ("all", "eve", "fire"),
    ]  # fmt: skip
    limits = configured(Settings())
    with pytest.raises(Killed):
        ask(limits, Run("x", name="planner"))
    assert json.loads(call("revive", "--all", "--json").output)["kills"][0]["target"] == "agent:support"
    assert "agent:support stopped by bob" in call("kill", "--list").output


def test_mistakes_are_said_and_stop_nothing(recorded_path, call):
    for arguments in (("kill",), ("kill", RUN, "--all"), ("revive", "--all"), ("kill", "nothere"), ("revive",)):
        assert call(*arguments).exit_code == 2
    assert call("kill", "--list").output == "nothing is stopped\n"


@pytest.mark.parametrize("command", ["kill", "revive"])
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--agent", ""), "the NAME after --agent is empty"),
        (("--agent", " "), "the NAME after --agent is empty"),
        (("",), "RUN is empty"),
    ],
)
def test_an_empty_name_is_refused(recorded_path, call, command, arguments, said):
    """A run whose id begins with nothing is any run; no agent has no name."""
    found = call(command, *arguments)
    assert found.exit_code == 2
    assert f"{said}; nothing was changed" in found.stderr
    assert call("kill", "--list").output == "nothing is stopped\n"


def test_a_store_that_is_away_is_said(call, monkeypatch):
    monkeypatch.setenv("SPANLEDGER_LIMITS_STORE", "redis://127.0.0.1:1/0")
    found = call("kill", "--all")
    assert found.exit_code == 2
    assert "nothing was stopped" in found.output
