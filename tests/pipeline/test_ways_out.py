"""The other ways out: metrics, baggage, and exporters that bypass us."""

from __future__ import annotations

import pytest
from opentelemetry import baggage
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from spanledger.config import Settings
from spanledger.pipeline import LedgerSpanProcessor, RedactingMetricExporter, RedactingPropagator, unprotected

MAIL = "jane@leak.com"


class Kept(MetricExporter):
    def __init__(self):
        super().__init__()
        self.seen = []

    def export(self, metrics_data, timeout_millis=10_000, **kwargs):
        self.seen.append(metrics_data)
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis=10_000):
        return True

    def shutdown(self, timeout_millis=30_000, **kwargs):
        pass


def test_metric_attributes_are_redacted_without_tokens():
    kept = Kept()
    settings = Settings.load({}, policy={"types": {"email": "hash"}})
    reader = PeriodicExportingMetricReader(RedactingMetricExporter(kept, settings))
    provider = MeterProvider([reader], shutdown_on_exit=False)
    provider.get_meter("t").create_counter("c").add(1, {"who": MAIL, "model": "gpt-5"})
    provider.force_flush()
    provider.shutdown()
    told = kept.seen[0].to_json()
    assert MAIL not in told
    assert '"[EMAIL]"' in told
    assert "gpt-5" in told


def test_metrics_that_break_are_not_sent(lenient, monkeypatch):
    kept = Kept()
    exporter = RedactingMetricExporter(kept, Settings())
    assert exporter.export(object()) is MetricExportResult.FAILURE
    assert kept.seen == []


def test_baggage_that_must_not_leave_stays_here():
    context = baggage.set_baggage("user.email", MAIL, baggage.set_baggage("tenant", "acme"))
    context = baggage.set_baggage("api_key", "Zq9vLeakValue7", context)
    carrier: dict[str, str] = {}
    ours = RedactingPropagator(W3CBaggagePropagator(), Settings())
    ours.inject(carrier, context)
    assert carrier == {"baggage": "tenant=acme"}
    assert baggage.get_baggage("tenant", ours.extract(carrier)) == "acme"
    assert ours.fields == {"baggage"}


@pytest.fixture
def provider():
    made = TracerProvider(shutdown_on_exit=False)
    yield made
    made.shutdown()


def test_an_exporter_beside_us_is_named(provider, caplog):
    provider.add_span_processor(LedgerSpanProcessor(InMemorySpanExporter(), settings=Settings()))
    provider.add_span_processor(SimpleSpanProcessor(InMemorySpanExporter()))
    assert unprotected(provider) == [
        "opentelemetry.sdk.trace.export.in_memory_span_exporter.InMemorySpanExporter"
    ]  # fmt: skip
    for _ in range(3):
        provider.get_tracer("t").start_span("x").end()
    assert caplog.text.count("InMemorySpanExporter gets spans that spanledger does not protect") == 1


def test_in_place_nothing_bypasses_us(provider):
    provider.add_span_processor(SimpleSpanProcessor(InMemorySpanExporter()))
    provider.add_span_processor(LedgerSpanProcessor(settings=Settings()))
    assert unprotected(provider) == []


def test_an_endpoint_is_named_without_its_password(provider):
    class Exporter(InMemorySpanExporter):
        _endpoint = "https://user:hunter2@collector:4318/v1/traces?key=hunter2"

    provider.add_span_processor(SimpleSpanProcessor(Exporter()))
    (name,) = unprotected(provider)
    assert name.endswith("(https://collector:4318/v1/traces)")
