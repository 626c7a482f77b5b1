"""What `configure` finds set up is protected as well: metrics, log records, baggage; and given back afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from opentelemetry import baggage, propagate
from opentelemetry.context import attach, detach, get_current
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import AlwaysOnExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import spanledger
from spanledger import semconv
from spanledger.config import Settings
from spanledger.hashing import hasher
from spanledger.notes import noted
from spanledger.pipeline import BYPASSING, LedgerSpanProcessor, labels
from spanledger.pipeline.attach import protect_baggage, protect_logs, protect_metrics
from spanledger.report.checks import examine

MAIL, KEY, CARD = "jane@leak.example.com", "sk-ant-api03-Zq9vAb1Cd2Ef3Gh4Ij5Kl6Mn7Op8AA", "4111 1111 1111 1111"


@pytest.fixture
def meters():
    reader = InMemoryMetricReader()
    made = MeterProvider([reader], exemplar_filter=AlwaysOnExemplarFilter(), shutdown_on_exit=False)
    yield made, reader
    made.shutdown()


def told(reader):
    return reader.get_metrics_data().to_json()


def test_metrics_of_any_reader(meters):
    provider, reader = meters
    undo = protect_metrics(provider, Settings())
    later = InMemoryMetricReader()
    provider.add_metric_reader(later)
    counter = provider.get_meter("m").create_counter("calls")
    counter.add(1, {"to": MAIL, "key": KEY, "plain": "yes", "user.id": MAIL})
    for each in (reader, later):
        assert MAIL not in told(each)
        assert KEY not in told(each)
    counter.add(1, {"to": MAIL})
    text = told(reader)
    assert '"plain": "yes"' in text
    assert "[EMAIL]" in text
    assert "hmac-sha256" not in text
    undo()
    counter.add(1, {"to": MAIL})
    assert MAIL in told(reader)


def test_metrics_are_protected_once(meters):
    provider, _ = meters
    first = protect_metrics(provider, Settings())
    protect_metrics(provider, Settings())()
    counter = provider.get_meter("m").create_counter("calls")
    counter.add(1, {"to": MAIL})
    assert MAIL not in told(meters[1])
    first()


def test_a_reader_at_work_does_not_keep_the_settings_before(meters, monkeypatch):
    provider, reader = meters
    provider.get_meter("m").create_counter("calls").add(1, {"badge": "E-77"})
    protect_metrics(provider, Settings())
    make = labels.labelling_redactor

    def renewed_meanwhile(settings):
        made = make(settings)
        if "badge" not in settings.redact_keys:
            protect_metrics(provider, Settings(redact_keys=("badge",)))
        return made

    monkeypatch.setattr(labels, "labelling_redactor", renewed_meanwhile)
    told(reader)
    assert "E-77" not in told(reader)


def test_a_provider_that_we_do_not_know_is_named(caplog):
    class Moved:
        def force_flush(self):
            return True

    protect_metrics(Moved(), Settings())()
    assert "metrics are NOT protected" in caplog.text


def test_log_records_before_the_exporters_that_were_there():
    kept = InMemoryLogRecordExporter()
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(kept))
    undo = protect_logs(provider, Settings())
    protect_logs(provider, Settings())()
    provider.get_logger("l").emit(body=f"to {MAIL} {CARD}", attributes={"k": KEY})
    (record,) = kept.get_finished_logs()
    assert record.log_record.body == "to [EMAIL] [CARD]"
    assert KEY not in str(dict(record.log_record.attributes))
    undo()
    provider.get_logger("l").emit(body=MAIL)
    assert kept.get_finished_logs()[-1].log_record.body == MAIL
    provider.shutdown()


def test_baggage_keeps_our_own_and_loses_what_must_not_leave():
    before = propagate.get_global_textmap()
    undo = protect_baggage(Settings())
    context = get_current()
    for name, value in {
        semconv.RUN_ID: "4111111111111111",
        semconv.SESSION_ID: MAIL,
        "to": MAIL,
        "tenant": "acme",
    }.items():
        context = baggage.set_baggage(name, value, context)
    token = attach(context)
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    detach(token)
    undo()
    assert propagate.get_global_textmap() is before
    found = baggage.get_all(before.extract(carrier))
    assert found == {
        semconv.RUN_ID: "4111111111111111", semconv.SESSION_ID: hasher().hash(MAIL, "session").text, "tenant": "acme",
    }  # fmt: skip


def test_configure_protects_all_of_it_and_gives_it_back(meters, tmp_path):
    provider, reader = meters
    before = propagate.get_global_textmap()
    made = spanledger.configure(
        tracer_provider=TracerProvider(shutdown_on_exit=False), meter_provider=provider, journal=tmp_path / "j.db",
        instrument=False,
    )  # fmt: skip
    try:
        provider.get_meter("m").create_counter("calls").add(1, {"to": MAIL})
        assert MAIL not in told(reader)
        assert propagate.get_global_textmap() is not before
    finally:
        made.shutdown()
    assert propagate.get_global_textmap() is before


def test_the_doctor_names_an_exporter_that_bypasses_us(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(LedgerSpanProcessor(InMemorySpanExporter(), settings=Settings()))
    provider.add_span_processor(BatchSpanProcessor(InMemorySpanExporter()))
    provider.get_tracer("t").start_span("s").end()
    provider.shutdown()
    assert noted(BYPASSING)[0]["said"] == [
        "opentelemetry.sdk.trace.export.in_memory_span_exporter.InMemorySpanExporter"
    ]
    (finding,) = examine({})["bypass"]
    assert finding.level == "problem"
    assert "InMemorySpanExporter" in finding.text
    assert json.loads((tmp_path / "spanledger" / "unprotected.json").read_text())

    again = TracerProvider(shutdown_on_exit=False)
    again.add_span_processor(LedgerSpanProcessor(InMemorySpanExporter(), settings=Settings()))
    again.get_tracer("t").start_span("s").end()
    again.shutdown()
    assert noted(BYPASSING) == []
    assert [finding.level for finding in examine({})["bypass"]] == ["ok"]


PROGRAM = """
from opentelemetry import _logs, baggage, metrics, propagate, trace
from opentelemetry.context import attach
from spanledger.launch import Configurator

Configurator().configure()
metrics.get_meter("m").create_counter("calls").add(1, {"to": "jane@leak.example.com"})
_logs.get_logger("l").emit(body="card 4111 1111 1111 1111")
attach(baggage.set_baggage("to", "jane@leak.example.com", baggage.set_baggage("tenant", "acme")))
with trace.get_tracer("t").start_as_current_span("ask jane@leak.example.com"):
    headers = {}
    propagate.inject(headers)
print(headers["baggage"])
"""


def test_the_launcher_protects_them_where_there_is_no_client_to_watch(tmp_path):
    console = {f"OTEL_{signal}_EXPORTER": "console" for signal in ("TRACES", "METRICS", "LOGS")}
    environ = {**os.environ, **console, "XDG_STATE_HOME": str(tmp_path), "OTEL_METRIC_EXPORT_INTERVAL": "60000"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environ, capture_output=True, text=True, check=True)
    assert "tenant=acme\n" in done.stdout
    assert done.stdout.count("[EMAIL]") >= 2
    assert "card [CARD]" in done.stdout
    assert "jane" not in done.stdout
    assert "1111 1111" not in done.stdout
