"""Settings: where they come from, and what is said of those that mean nothing."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from spanledger.config import Settings, state_directory
from spanledger.errors import ConfigurationError
from spanledger.pipeline import others
from spanledger.understood import understood


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("DIALECTS", "openlit,openinfernce", "dialects has 'openinfernce'; did you mean 'openinference'?"),
        ("STORE_RESULTS_RATE", "7", "store_results_rate is 7.0; it must be from 0 to 1"),
        ("CAPTURE_UNTIL", "yesterday", "capture_until is 'yesterday'; it must be a moment"),
        ("TOOLS", "nothing", "tools: 'nothing' names no tool"),
        ("BUDGET_WARN_AT", "7", "warn_at"),
    ],
)
def test_what_is_wrong_is_told_with_the_place_where_it_stands(variable, value, said, tmp_path):
    name, environ = f"SPANLEDGER_{variable}", {"SPANLEDGER_BUDGET_USD": "1"}
    with pytest.raises(ConfigurationError) as caught:
        Settings.load({**environ, name: value})
    assert str(caught.value).startswith(f"the variable {name}: ")
    assert said in str(caught.value)
    file = tmp_path / "mine.yaml"
    file.write_text(f"{variable.lower()}: {value}\n", encoding="utf-8")
    _, [refused] = Settings.salvage(environ, file)
    assert str(refused).startswith(f"{file}: ")
    assert said in str(refused)
    with pytest.raises(ConfigurationError, match="the arguments: "):
        Settings.load(environ, **{variable.lower(): float(value) if value == "7" else value})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        *[("flush_seconds", value, "a number of seconds from 0 to 86400") for value in (math.nan, math.inf, 1e12)],
        ("implicit_run_idle_seconds", math.nan, "a number, not negative"),
        *[(f"max_{what}_bytes", 0, "a whole number above 0") for what in ("value", "span", "batch")],
        ("max_value_bytes", math.inf, "a whole number"),
        ("budget_warn_at", 5.0, "a share above 0, up to 1"),
        ("budget_warn_at", 0.0, "a share above 0, up to 1"),
        ("journal", "", "a path (to keep no journal set journal_off)"),
    ],
)
def test_numbers_and_paths_that_mean_nothing_are_refused(name, value, said):
    """Also where nothing else is said: a share of no budget."""
    with pytest.raises(ConfigurationError, match=re.escape(f"the arguments: {name} is {value!r}; it must be {said}")):
        Settings.load({}, **{name: value})
    if value != "":  # that variable would be as good as not set
        with pytest.raises(ConfigurationError, match=f"the variable SPANLEDGER_{name.upper()}: {name} is "):
            Settings.load({f"SPANLEDGER_{name.upper()}": str(value)})


def test_numbers_that_mean_something_are_kept():
    settings = Settings.load(
        {}, flush_seconds=0, implicit_run_idle_seconds=math.inf, max_value_bytes=1, budget_warn_at=1
    )
    assert (settings.flush_seconds, settings.max_value_bytes, settings.budget_warn_at) == (0, 1, 1)


def test_the_defaults_are_the_safe_ones():
    settings = Settings.load({})
    assert (settings.content, settings.store_arguments, settings.store_results, settings.redact) == (
        "no_content", False, "none", True,
    )  # fmt: skip
    assert {"email", "phone", "token", "authorization", "cookie"} <= set(settings.redact_keys)


def test_code_wins_over_environment_over_file(tmp_path):
    file = tmp_path / "spanledger.yaml"
    file.write_text("agent: from-file\nagent_version: '1'\njournal_days: 7\n")
    environ = {"SPANLEDGER_CONFIG": str(file), "SPANLEDGER_AGENT": "from-env", "SPANLEDGER_AGENT_VERSION": "2"}
    settings = Settings.load(environ, agent_version="3")
    assert (settings.agent, settings.agent_version, settings.journal_days) == ("from-env", "3", 7)


def test_a_file_beside_the_program_is_found(tmp_path, monkeypatch):
    (tmp_path / "spanledger.yaml").write_text("tools: [a:b, c:*]\n")
    monkeypatch.chdir(tmp_path)
    assert Settings.load({}).tools == ("a:b", "c:*")


def test_the_standard_switch_decides_content():
    settings = Settings.load({"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"})
    assert settings.content_on_spans


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"SPANLEDGER_REDAKT": "1"}, r"unknown variable SPANLEDGER_REDAKT; did you mean 'SPANLEDGER_REDACT'\?"),
        (
            {"SPANLEDGER_CONTENT": "span_only"},
            r"SPANLEDGER_CONTENT; did you mean 'OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT'\?",
        ),
        ({"SPANLEDGER_REDACT": "maybe"}, r"SPANLEDGER_REDACT: redact is 'maybe'; it must be true or false"),
        ({"SPANLEDGER_JOURNAL_DAYS": "-1"}, r"journal_days is '-1'; it must be a whole number, not negative"),
        ({"SPANLEDGER_STORE_RESULTS": "sampeld"}, r"store_results is 'sampeld'; did you mean 'sampled'\?"),
        ({"SPANLEDGER_CONFIG": "/nowhere.yaml"}, r"can't read the configuration file /nowhere.yaml"),
    ],
)
def test_what_means_nothing_is_named(environ, said):
    with pytest.raises(ConfigurationError, match=said):
        Settings.load(environ)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("redakt: true", r"unknown setting 'redakt' in .*spanledger.yaml; did you mean 'redact'\?"),
        ("redact: [", "is not valid YAML"),
        ("- redact", "must hold a mapping of settings, not a list"),
        ("tools: 3", "tools is 3; it must be a list of texts"),
        ("agent: a\nredact: true\nagent: b", "'agent' stands twice, in lines 1 and 3; write it once"),
        ("budgets:\n  - {usd: 1, steps: 3, usd: 20}", "'usd' stands twice, in lines 2 and 2"),
    ],
)
def test_a_file_that_means_nothing_is_named(text, said, tmp_path):
    file = tmp_path / "spanledger.yaml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=said):
        Settings.load({}, file=file)


def test_of_a_key_that_stands_twice_the_last_holds_for_those_who_go_on(tmp_path):
    file = tmp_path / "spanledger.yaml"
    file.write_text(
        "agent: a\ncontent: span_only\npolicy: {types: {ip: keep, ip: drop}}\nagent: &name b\nprompt_version: *name\n"
    )
    settings, refused = Settings.salvage({}, file=file)
    assert [str(error).partition(": ")[2].partition(",")[0] for error in refused] == [
        "'ip' stands twice", "'agent' stands twice",
    ]  # fmt: skip
    assert (settings.agent, settings.prompt_version) == ("b", "b")
    assert settings.content == "no_content"  # until it is sure what is to be taken out


def test_what_is_wrong_is_told_in_one_traceback():
    with pytest.raises(ConfigurationError) as told:
        Settings.load({}, flush_seconds=-1)
    assert told.value.__suppress_context__
    assert told.value.__cause__ is None


def test_a_path_may_start_at_home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    assert Settings.load({"SPANLEDGER_JOURNAL": "~/j.db"}).journal_path == Path("/home/somebody/j.db")


@pytest.mark.parametrize("word", ["off", "False", "no"])
def test_a_switch_is_no_path(word):
    with pytest.raises(ConfigurationError, match=rf"journal is '{word}'; it must be a path \(to keep no journal set"):
        Settings.load({"SPANLEDGER_JOURNAL": word})


def salvaged(tmp_path, text="", environ=None):
    file = tmp_path / "spanledger.yaml"
    file.write_text(text, encoding="utf-8")
    settings, refused = Settings.salvage(environ or {}, file=file)
    with pytest.raises(ConfigurationError):
        Settings.load(environ or {}, file=file)
    return settings, [str(error) for error in refused]


def test_each_part_that_is_right_holds_where_another_is_wrong(tmp_path):
    settings, refused = salvaged(
        tmp_path,
        "agent: support\nnothing: 1\nstore_results: perhaps\nrules: [{deny_tools: delete_*}, {deny_models: ['*-pro']}, 7]\n"
        "loops: {action: stop, repeats: 1, cycles: 5}\n",
        {"SPANLEDGER_BUDGET_STEPS": "many", "SPANLEDGER_BUDGET_TOKENS": "900", "SPANLEDGER_BUDGET_ACTION": "stop",
         "SPANLEDGER_BUGDET_USD": "3", "SPANLEDGER_TOOLS": "nothing,a:b", "SPANLEDGER_BUDGET_USD": "nan"},
    )  # fmt: skip
    assert (settings.agent, settings.store_results, settings.tools) == ("support", "none", ("a:b",))
    assert (settings.own_budget.tokens, settings.own_budget.steps, settings.own_budget.usd) == (900, None, None)
    assert settings.own_budget.action == "stop"
    assert [rule.deny_models for rule in settings.rules] == [(), ("*-pro",)]
    assert (settings.loops.action, settings.loops.repeats, settings.loops.cycles) == ("stop", 5, 5)
    named = " | ".join(refused)
    for each in ("unknown setting 'nothing'", "store_results is 'perhaps'", "deny_tools is 'delete_*'", "number 3 of rules is 7",
                 "loops: repeats is 1", "budget_steps is 'many'", "SPANLEDGER_BUGDET_USD; did you mean 'SPANLEDGER_BUDGET_USD'?",
                 "'nothing' names no tool", "usd is nan"):  # fmt: skip
        assert named.count(each) == 1, refused


@pytest.mark.parametrize(
    ("entry", "left"),
    [
        ("{usd: 1, action: stop, stesp: 4}", {"usd": 1, "action": "stop", "steps": None}),
        ("{usd: 1, action: stop, steps: -4}", {"usd": 1, "action": "stop", "steps": None}),
        ("{steps: 4, action: halt}", {"steps": 4, "action": "warn"}),  # neither silent nor what nobody said
        ("{steps: 4, acton: stop}", {"steps": 4, "action": "warn"}),
        ("{steps: 4, action: stop, warn_at: 7}", {"steps": 4, "action": "stop", "warn_at": 0.7}),
        ("{scope: usr, steps: 4}", None),  # it would be for others
        ("{socpe: user, steps: 4}", None),
        ("{steps: many}", None),
        ("7", None),
    ],
)
def test_of_a_budget_holds_what_is_right_for_those_it_is_for(entry, left, tmp_path):
    settings, refused = salvaged(tmp_path, f"budgets: [{entry}, {{scope: user, tokens: 5, action: stop}}]\n")
    assert len(refused) >= 1
    *found, other = settings.budgets
    assert (other.scope, other.tokens, other.action) == ("user", 5, "stop")
    assert [{name: getattr(each, name) for name in left} for each in found] == ([left] if left else [])


@pytest.mark.parametrize("wrong", ["policy: {defualt: keep}", "redact_keys: 7", "policy: [", "- a list"])
def test_where_what_to_take_out_is_not_understood_nothing_is_stored(wrong, tmp_path):
    environ = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY", "SPANLEDGER_STORE_ARGUMENTS": "true",
               "SPANLEDGER_STORE_RESULTS": "full", "SPANLEDGER_BUDGET_STEPS": "3"}  # fmt: skip
    settings, _ = salvaged(tmp_path, wrong, environ)
    assert (settings.content, settings.store_arguments, settings.store_results) == ("no_content", False, "none")
    assert settings.redact
    assert settings.own_budget.steps == 3


def test_what_is_right_is_not_refused():
    environ = {"SPANLEDGER_BUDGET_STEPS": "3", "SPANLEDGER_TOOLS": "a:b"}
    assert Settings.salvage(environ) == (Settings.load(environ), [])


@pytest.mark.parametrize(
    ("environ", "said", "field"),
    [
        ({"SPANLEDGER_HASH_KEY": "zz"}, "hash_key (SPANLEDGER_HASH_KEY) must be base64", "hash_key"),
        ({"SPANLEDGER_HASH_KEY_PREVIOUS": "zz"}, "(SPANLEDGER_HASH_KEY_PREVIOUS) must be base64", "hash_key_previous"),
        ({"SPANLEDGER_PRICES": "nowhere.toml"}, "nowhere.toml", "prices"),
        ({"SPANLEDGER_LIMITS_STORE": "pigeon"}, "'pigeon'", "limits_store"),
        ({"SPANLEDGER_DAY_ZONE": "Mars"}, "'Mars' is no time zone", "day_zone"),
        ({"SPANLEDGER_DIALECTS": "klingon"}, "'klingon'", "dialects"),
    ],
)
def test_what_only_its_user_can_judge_is_left_out_alone(environ, said, field):
    settings, refused = understood({**environ, "SPANLEDGER_BUDGET_STEPS": "3", "SPANLEDGER_STORE_ARGUMENTS": "yes"})
    assert [said in each for each in refused] == [True]
    assert getattr(settings, field) == getattr(Settings(), field)
    assert settings.own_budget.steps == 3
    assert settings.store_arguments


def test_a_detector_that_is_not_installed_leaves_nothing_stored(tmp_path, monkeypatch):
    monkeypatch.setattr(others, "find_spec", lambda _: None)
    file = tmp_path / "s.yaml"
    file.write_text("policy: {detectors: [presidio]}\nstore_arguments: true\nbudget_steps: 3\n", encoding="utf-8")
    settings, refused = understood({"SPANLEDGER_CONFIG": str(file)})
    assert "spanledger[presidio]" in refused[0]
    assert "are stored" in refused[1]
    assert not settings.store_arguments
    assert settings.own_budget.steps == 3


def test_a_user_without_a_home_has_a_place_all_the_same(monkeypatch):
    """As in a container whose user stands in no list of users."""

    def nobody(_cls):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", classmethod(nobody))
    assert state_directory() == Path("/.local/state/spanledger")
    assert Settings().journal_path.name == "journal.db"
