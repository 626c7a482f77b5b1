"""The four ways in, each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from processes import AGENT, BIN, EXEC, LAUNCHER, Sink
from spanledger.journal import Archive


@pytest.mark.parametrize("command", [LAUNCHER, EXEC], ids=["opentelemetry-instrument", "spanledger exec"])
def test_without_a_line_of_code(command, ended, runs_of, tmp_path):
    with Sink() as sink:
        out, _ = ended(AGENT, *command, OTEL_EXPORTER_OTLP_ENDPOINT=sink.url)
    assert out == "Hello\n"
    (run,) = runs_of()
    assert run.stop_reason == "completed"
    (span,) = sink.spans
    assert span.name == "chat gpt-4o-mini"
    sent = b"".join(sink.bodies) + (tmp_path / "journal.db").read_bytes()
    assert b"dana@example.com" not in sent
    assert b"[EMAIL" in sent


OF_ITS_OWN = """
    import openai, spanledger
    def look(city):
        return f"sunny in {city}"
    KNOWN = {"look": look}
    with spanledger.run("support"):
        openai.OpenAI().chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Hi"}])
        print(look("Paris"), KNOWN["look"]("Rome"), KNOWN["look"] is look)
"""


@pytest.mark.parametrize("named", ["__main__:look", "agent:look", "agent:*"])
def test_tools_of_the_program_itself(named, ended, tmp_path):
    out, err = ended(OF_ITS_OWN, *LAUNCHER, SPANLEDGER_TOOLS=named, OTEL_TRACES_EXPORTER="none")
    assert (out, err) == ("sunny in Paris sunny in Rome True\n", "")
    with Archive(tmp_path / "journal.db") as archive:
        (run,) = archive.runs()
        tools = [span for span in archive.spans(run.run_id) if span.operation == "execute_tool"]
    assert [span.name for span in tools] == ["execute_tool look"] * 2


def test_a_tool_that_the_program_itself_does_not_have(ended):
    out, err = ended(OF_ITS_OWN, *LAUNCHER, SPANLEDGER_TOOLS="__main__:lock", OTEL_TRACES_EXPORTER="none")
    assert out == "sunny in Paris sunny in Rome True\n"
    assert err == "SPANLEDGER_TOOLS: __main__:lock is no such function; nothing is watched there\n"


def test_nothing_has_to_be_installed_for_it():
    """An instrumentation that names what it instruments is left out by the launcher where none of that is installed."""
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert "\ninstruments" not in project


def test_by_name(ended, runs_of):
    with Sink() as sink:
        ended(AGENT, *LAUNCHER, OTEL_EXPORTER_OTLP_ENDPOINT=sink.url, OTEL_TRACES_EXPORTER="spanledger")
    assert [span.name for span in sink.spans] == ["chat gpt-4o-mini"]
    assert b"dana@example.com" not in b"".join(sink.bodies)
    assert len(runs_of()) == 1


def test_in_a_declarative_configuration_file(ended, runs_of, tmp_path):
    config = tmp_path / "otel.yaml"
    config.write_text(
        "file_format: '1.0'\ntracer_provider:\n  processors:\n    - batch:\n        exporter:\n          spanledger: {}\n"
    )
    with Sink() as sink:
        _, err = ended(AGENT, *LAUNCHER, OTEL_EXPORTER_OTLP_ENDPOINT=sink.url, OTEL_CONFIG_FILE=str(config))
    assert [span.name for span in sink.spans] == ["chat gpt-4o-mini"], err
    assert b"dana@example.com" not in b"".join(sink.bodies)
    assert len(runs_of()) == 1


IN_CODE = (
    """
    import spanledger
    made = spanledger.configure(agent="support")
"""
    + AGENT
)


def test_in_code(ended, runs_of):
    with Sink() as sink:
        ended(IN_CODE, OTEL_EXPORTER_OTLP_ENDPOINT=sink.url)
    assert [span.name for span in sink.spans] == ["chat gpt-4o-mini"]
    (run,) = runs_of()
    assert (run.name, run.stop_reason) == ("support", "completed")


IN_PLACE = (
    """
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    before, after = InMemorySpanExporter(), InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(before))
    trace.set_tracer_provider(provider)
    {how}
    provider.add_span_processor(SimpleSpanProcessor(after))
"""
    + AGENT
    + """
    provider.force_flush()
    for exporter in (before, after):
        (span,) = exporter.get_finished_spans()
        assert "dana" not in span.attributes["gen_ai.input.messages"], span.attributes
        assert span.attributes["gen_ai.usage.cost.amount"] > 0
"""
)


@pytest.mark.parametrize(
    "how",
    [
        "import spanledger; spanledger.configure()",
        "import spanledger as s, spanledger.instrument as i; provider.add_span_processor(s.LedgerSpanProcessor()); i.instrument()",
    ],
    ids=["configure", "one span processor"],
)
def test_in_an_existing_set_up_every_exporter_is_protected_whatever_the_order(how, ended):
    ended(IN_PLACE.replace("{how}", how))


def test_configuring_again_replaces_and_shutting_down_takes_everything_back(ended):
    ended("""
        import openai, spanledger
        request = vars(openai._base_client.SyncAPIClient)["request"]
        first = spanledger.configure(journal_off=True)
        second = spanledger.configure(journal_off=True)
        assert vars(openai._base_client.SyncAPIClient)["request"] is not request
        second.shutdown()
        assert vars(openai._base_client.SyncAPIClient)["request"] is request
    """)


def test_runs_are_listed_as_json(ended, tmp_path):
    ended(IN_CODE)
    done = subprocess.run(
        [BIN / "spanledger", "show", "latest", "--json"], capture_output=True, text=True, check=True,
        env={**os.environ, "SPANLEDGER_JOURNAL": str(tmp_path / "journal.db")},
    )  # fmt: skip
    assert json.loads(done.stdout)["run"]["stop_reason"] == "completed"
