"""`configure` where something is set up already: by the launcher, or by the same program before."""

from __future__ import annotations

import sys

import pytest

from processes import EXEC, LAUNCHER, Sink
from spanledger.journal import Archive

README = """
    import openai, spanledger
    spanledger.configure(agent="support", redact_keys=["favourite"])
    with spanledger.run("by hand") as run:
        openai.OpenAI().chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": '{"favourite": "strawberries"} dana@example.com'}]
        )
    print(run.stop_reason)
"""
WAYS = {"plain": (sys.executable,), "opentelemetry-instrument": LAUNCHER, "spanledger exec": EXEC}


@pytest.mark.parametrize("way", WAYS)
def test_what_the_environment_exports_goes_on(way, ended, tmp_path):
    with Sink() as sink:
        out, err = ended(
            README, *WAYS[way], OTEL_EXPORTER_OTLP_ENDPOINT=sink.url, OTEL_METRICS_EXPORTER="otlp",
            OTEL_LOGS_EXPORTER="none", OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf",
        )  # fmt: skip
    assert (out, err) == ("completed\n", "")
    assert any(b"agent.run.duration" in body for body in sink.bodies) is (way != "plain"), "metrics are the launcher's"
    sink.bodies = [body for body in sink.bodies if b"agent.run.duration" not in body]
    assert sorted(span.name for span in sink.spans) == ["chat gpt-4o-mini", "invoke_agent by hand"]
    with Archive(tmp_path / "journal.db") as archive:
        (run,) = archive.runs()
        assert len(list(archive.spans(run.run_id))) == 2
    sent = b"".join(sink.bodies) + (tmp_path / "journal.db").read_bytes()
    assert b"dana@example.com" not in sent
    assert b"strawberries" not in sent, "what the program itself wants redacted is"


def test_another_journal_and_another_exporter_under_the_launcher(ended, tmp_path):
    program = """
        import spanledger
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
        memory = InMemorySpanExporter()
        made = spanledger.configure(journal="other.db", exporters=[memory])
        with spanledger.run("here"):
            pass
        made.force_flush()
        print([span.name for span in memory.get_finished_spans()])
    """
    with Sink() as sink:
        out, err = ended(program, *LAUNCHER, OTEL_EXPORTER_OTLP_ENDPOINT=sink.url, OTEL_METRICS_EXPORTER="none")
    assert (out, err) == ("['invoke_agent here']\n", "")
    assert [span.name for span in sink.spans] == ["invoke_agent here"]
    with Archive(tmp_path / "other.db") as archive:
        (run,) = archive.runs()
        assert len(list(archive.spans(run.run_id))) == 1


def test_a_cell_that_is_run_again_exports_each_time_what_is_new(ended):
    program = """
        import spanledger
        from opentelemetry import trace
        for name in ("first", "second", "third"):
            made = spanledger.configure(agent=name)
            with spanledger.run(name):
                pass
        made.shutdown()
        print(len(made.provider._active_span_processor._span_processors), trace.get_tracer_provider() is made.provider)
    """
    with Sink() as sink:
        out, err = ended(program, OTEL_EXPORTER_OTLP_ENDPOINT=sink.url)
    assert (out, err) == ("0 True\n", "")
    assert [span.name for span in sink.spans] == ["invoke_agent first", "invoke_agent second", "invoke_agent third"]


def test_metrics_log_records_and_baggage_follow_what_the_program_says(ended):
    program = """
        import logging, spanledger
        from opentelemetry import _logs, baggage, metrics, propagate
        made = spanledger.configure(policy={"attributes": {"favourite": "drop"}}, redact_keys=["favourite"])
        metrics.get_meter("m").create_counter("eaten").add(1, {"favourite": "strawberries", "who": "dana@example.com"})
        record = _logs.LogRecord(body='{"favourite": "strawberries"} dana@example.com', attributes={"favourite": "strawberries"})
        _logs.get_logger("l").emit(record)
        carrier = {}
        propagate.inject(carrier, baggage.set_baggage("favourite", "strawberries"))
        print("strawberries" in str(carrier), carrier.get("baggage"))
        made.force_flush()
    """
    with Sink() as sink:
        out, err = ended(
            program, *LAUNCHER, OTEL_EXPORTER_OTLP_ENDPOINT=sink.url, OTEL_METRICS_EXPORTER="otlp",
            OTEL_LOGS_EXPORTER="otlp", OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf",
        )  # fmt: skip
    assert err == ""
    assert out.startswith("False")
    sent = b"".join(sink.bodies)
    assert b"eaten" in sent
    assert b"strawberries" not in sent
    assert b"dana@example.com" not in sent
