from __future__ import annotations

import subprocess
import sys
from decimal import Decimal

import pytest

from spanledger import pricing
from spanledger.config import Settings, state_directory
from spanledger.errors import ConfigurationError
from spanledger.ledger import Run
from spanledger.limits import Budget, MemoryStore, RedisStore, SqliteStore, configured, kill_store
from spanledger.model import Usage

FILE = """
budgets:
  - usd: 0.50
    steps: 15
    action: stop
  - scope: user
    usd: "5"
    warn_at: 0.9
rules:
  - agent: support
    tools: [search, "mail.*"]
loops:
  action: stop
  same_result: 4
limits_store: sqlite
day_zone: Europe/Berlin
"""


def settings(text, tmp_path):
    path = tmp_path / "spanledger.yaml"
    path.write_text(text)
    return Settings.load({}, path)


def test_the_file_says_it_all(tmp_path):
    limits = configured(settings(FILE, tmp_path))
    first, second = limits.budgets
    assert (first.usd, first.steps, first.action, first.per) == (Decimal("0.5"), 15, "stop", "run")
    assert (second.scope, second.usd, second.warn_at, second.per) == ("user", Decimal(5), 0.9, "day")
    assert limits.loops.same_result == 4
    assert isinstance(limits.store, SqliteStore)
    assert limits.store.path == state_directory() / "limits.db"


def test_variables_make_a_budget_for_each_run():
    environ = {
        "SPANLEDGER_BUDGET_USD": "0.5", "SPANLEDGER_BUDGET_TOKENS": "9", "SPANLEDGER_BUDGET_STEPS": "8",
        "SPANLEDGER_BUDGET_TOOL_CALLS": "7", "SPANLEDGER_BUDGET_SECONDS": "6.5", "SPANLEDGER_BUDGET_ACTION": "stop",
    }  # fmt: skip
    limits = configured(Settings.load(environ))
    assert limits.budgets == (Budget(usd="0.5", tokens=9, steps=8, tool_calls=7, seconds=6.5, action="stop"),)
    assert isinstance(limits.store, MemoryStore)


def test_by_default_there_is_no_budget_and_loops_are_watched(ask, run):
    limits = configured(Settings())
    assert limits.budgets == ()
    assert limits.loops.action == "observe"
    assert ask(limits, run) is None or run.decisions == []
    assert not (state_directory() / "limits.db").exists()


def test_redis_by_its_address():
    assert isinstance(configured(Settings(limits_store="redis://127.0.0.1:1/0")).store, RedisStore)
    assert isinstance(kill_store(Settings(limits_store="redis://127.0.0.1:1/0")), RedisStore)
    assert kill_store(Settings()).path == state_directory() / "limits.db"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("budgets: 5", "budgets is 5; it must be a list"),
        ("budgets: [{usd: 1, scpe: user}]", "number 1 of budgets: a key is 'scpe'; did you mean 'scope'"),
        ("budgets: [{usd: 1}, {scope: usr, usd: 1}]", "scope is 'usr'; did you mean 'user'"),
        ("budgets: [{scope: user}]", "has no limit"),
        ("rules: [{tools: search}]", "must be a list of texts"),
        ("loops: {repeats: 0}", "repeats is 0"),
        ("loops: stop", "must be a mapping"),
        ("budget_usd: lots", "budget_usd is 'lots'; it must be a number"),
        ("budget_steps: -1", "budget_steps is -1"),
        ("budget_action: halt", "budget_action is 'halt'"),
        ("limits_down: ajar", "limits_down is 'ajar'"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_the_file(tmp_path, text, said):
    with pytest.raises(ConfigurationError, match=r"spanledger\.yaml") as caught:
        settings(text, tmp_path)
    assert said in str(caught.value)


def test_a_store_that_is_none_is_an_error():
    with pytest.raises(ConfigurationError, match="redis://HOST:PORT/DB"):
        configured(Settings(limits_store="postgres"))


def test_context_windows_are_watched(run, ask, answered):
    pricing.warm()
    limits = configured(Settings(budget_tokens=10**9))
    for tokens, count in ((100_000, 0), (110_000, 1)):
        call = answered(usage=Usage(uncached=tokens, output=1))
        limits.settle_model(run, ask(limits, run), call)
        assert len(run.decisions) == count
    (decision,) = run.decisions
    assert (decision.outcome, decision.limit, decision.value, decision.maximum) == ("warn", "context", 110_000, 128_000)


def test_settling_a_call_without_a_budget_does_not_load_the_price_library():
    code = (
        "import sys, time; from spanledger.limits import configured; from spanledger.config import Settings\n"
        "from spanledger.ledger import ModelCall, Run; from spanledger.model import Usage\n"
        "limits = configured(Settings()); run = Run('r')\n"
        "call = ModelCall('chat', 'openai', 'gpt-4o', None, Usage(uncached=1, output=1), 1, 2, 1)\n"
        "limits.settle_model(run, None, call)\n"
        "assert not {'genai_prices', 'redis'} & set(sys.modules), sys.modules.keys()\n"
        "assert run.decisions == []"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_runs_of_two_names_are_two_runs(ask):
    limits = configured(Settings(budget_tokens=1500, budget_action="stop"))
    assert ask(limits, Run("a")) is not None
    assert ask(limits, Run("b")) is not None
