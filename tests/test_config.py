"""Settings: where they come from, and what is said of those that mean nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from spanledger.config import Settings
from spanledger.errors import ConfigurationError


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
    ],
)
def test_a_file_that_means_nothing_is_named(text, said, tmp_path):
    file = tmp_path / "spanledger.yaml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=said):
        Settings.load({}, file=file)


def test_a_path_may_start_at_home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    assert Settings.load({"SPANLEDGER_JOURNAL": "~/j.db"}).journal_path == Path("/home/somebody/j.db")


@pytest.mark.parametrize("word", ["off", "False", "no"])
def test_a_switch_is_no_path(word):
    with pytest.raises(ConfigurationError, match=rf"journal is '{word}'; it must be a path \(to keep no journal set"):
        Settings.load({"SPANLEDGER_JOURNAL": word})
