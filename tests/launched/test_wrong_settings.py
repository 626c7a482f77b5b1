"""What is wrong is said, and the program runs and is watched all the same."""

from __future__ import annotations

import pytest

from processes import AGENT, LAUNCHER
from spanledger.journal import Archive


def test_a_configuration_that_means_nothing_does_not_stop_the_program(ended):
    out, err = ended(AGENT, *LAUNCHER, SPANLEDGER_REDAKT="1")
    assert out == "Hello\n"
    assert "unknown variable SPANLEDGER_REDAKT; did you mean 'SPANLEDGER_REDACT'?" in err
    assert "Traceback" not in err


def test_a_journal_that_cannot_be_written_does_not_stop_the_program(ended, tmp_path):
    (tmp_path / "file").write_text("")
    out, err = ended(AGENT, *LAUNCHER, SPANLEDGER_JOURNAL=str(tmp_path / "file" / "journal.db"))
    assert out == "Hello\n"
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"SPANLEDGER_TOOLS": "nothing"}, "'nothing' names no tool"),
        ({"SPANLEDGER_HASH_KEY": "zz"}, "must be base64 of at least 32"),
        ({"SPANLEDGER_LIMITS_STORE": "carrier-pigeon"}, "carrier-pigeon"),
        ({"SPANLEDGER_PRICES": "nowhere.toml"}, "nowhere.toml"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}, "http/json"),
        ({"OTEL_TRACES_EXPORTER": "otpl"}, "did you mean 'otlp'?"),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}, "http/json"),
        ({"OTEL_METRICS_EXPORTER": "nothing"}, "OTEL_METRICS_EXPORTER names 'nothing'"),
        ({"OTEL_PYTHON_ID_GENERATOR": "nothing"}, "'nothing' not found"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_once_and_the_program_is_watched_all_the_same(wrong, said, ended, tmp_path):
    out, err = ended(AGENT, *LAUNCHER, **wrong)
    assert out == "Hello\n"
    assert err.count(said) == 1, err
    assert "Traceback" not in err
    [path] = [*tmp_path.rglob("journal.db")]  # where it was to be, or where the safe defaults put it
    with Archive(path) as archive:
        assert [run.stop_reason for run in archive.runs()] == ["completed"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tracer_provider:\n  procesors: []\n", "'procesors' was unexpected"),
        ("tracer_provider: {processors: [{batch: {exporter: {spanleger: {}}}}]}\n", "Plugin 'spanleger' not found"),
        ("meter_provider: {readers: [{periodic: {exporter: {nothing: {}}}}]}\n", "Plugin 'nothing' not found"),
        (None, "not found"),
    ],
    ids=["an unknown key", "an unknown exporter", "an unknown exporter of metrics", "no file"],
)  # fmt: skip
def test_a_declarative_configuration_that_is_wrong_is_said_and_the_program_is_watched(
    text, said, ended, runs_of, tmp_path
):
    file = tmp_path / "otel.yaml"
    if text is not None:
        file.write_text(f"file_format: '1.0'\n{text}")
    out, err = ended(AGENT, *LAUNCHER, OTEL_CONFIG_FILE=str(file))
    assert out == "Hello\n"
    assert f"spanledger: OpenTelemetry's SDK can't be set up as OTEL_CONFIG_FILE={file} says: " in err
    assert said in err
    assert "Traceback" not in err
    assert [run.stop_reason for run in runs_of()] == ["completed"]


def test_brakes_hold_though_something_else_that_was_set_is_wrong(ended, tmp_path):
    (tmp_path / "spanledger.yaml").write_text(
        "budgets:\n  - {tokens: 3, action: stop, retires: 4}\n  - {scope: usr, usd: 5, action: stop}\nprice: 7\n",
        encoding="utf-8",
    )
    program = """
import openai, spanledger
client = openai.OpenAI()
try:
    client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Hi"}])
except spanledger.BudgetExceeded:
    print("stopped")
"""
    out, err = ended(program, *LAUNCHER, SPANLEDGER_PRICES="nowhere.toml")
    assert out == "stopped\n", err
    for said in ("'retires'; did you mean 'retries'?", "scope is 'usr'", "unknown setting 'price'", "nowhere.toml"):
        assert err.count(said) == 1, err


def test_otlp_without_a_protocol_is_what_is_installed(ended, runs_of):
    """The SDK's default is gRPC, which few have; then it would set up nothing."""
    out, err = ended(AGENT, *LAUNCHER, OTEL_TRACES_EXPORTER="otlp", OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9",
                     SPANLEDGER_FLUSH_SECONDS="3")  # fmt: skip
    assert out == "Hello\n"
    assert "not found in entry point" not in err
    assert [run.stop_reason for run in runs_of()] == ["completed"]
