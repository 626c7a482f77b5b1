"""Exporters see protected copies; one that fails does not hurt the others; what the wire gets holds no needle."""

from __future__ import annotations

import json

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from spanledger import runs, shield
from spanledger.config import Settings
from spanledger.errors import ConfigurationError
from spanledger.pipeline import (
    LedgerSpanProcessor,
    Pipeline,
    RedactingSpanExporter,
    default_steps,
    inplace,
    otlp_exporter_from_environment,
)

SETTINGS = Settings()
NEEDLES = (
    "jane.roe@leak.example.com",
    "4111111111111111",
    "sk-proj-Zq9vAb1Cd2Ef3Gh4Ij5Kl6Mn7Op8",
    "ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
)


class Failing(SpanExporter):
    def export(self, spans):
        raise ConnectionError

    def shutdown(self):
        raise ConnectionError


class Refusing(SpanExporter):
    def export(self, spans):
        return SpanExportResult.FAILURE


def protecting(*exporters):
    return RedactingSpanExporter(exporters, Pipeline(default_steps(SETTINGS)))


def test_several_exporters_get_the_same_protected_copies(finished):
    one, two = InMemorySpanExporter(), InMemorySpanExporter()
    assert protecting(one, two).export([finished("to jane@leak.com")]) is SpanExportResult.SUCCESS
    assert one.get_finished_spans()[0].name == "to [EMAIL]"
    assert one.get_finished_spans()[0] is two.get_finished_spans()[0]


def test_one_that_fails_does_not_hurt_the_others_and_is_counted(finished, lenient):
    memory = InMemorySpanExporter()
    exporter = protecting(Failing(), memory, Refusing())
    assert exporter.export([finished(), finished()]) is SpanExportResult.FAILURE
    assert len(memory.get_finished_spans()) == 2
    assert exporter.unsent == {"Failing": 2, "Refusing": 2}
    exporter.shutdown()
    assert exporter.export([finished()]) is SpanExportResult.FAILURE


def wire(memory):
    return encode_spans(memory.get_finished_spans()).SerializeToString().decode("latin-1")


def say(provider, needle):
    tracer = provider.get_tracer("app " + needle)
    with tracer.start_as_current_span("ask " + needle, attributes={"text": needle, "k " + needle: "x"}) as span:
        span.set_attribute("messages", json.dumps([{"role": "user", "content": json.dumps({"x": needle})}]))
        span.set_attribute("list", [needle])
        span.set_attribute("map", {"a": {"b": needle}})
        span.set_attribute("bytes", needle.encode())
        span.add_event("event " + needle, {"exception.message": needle})
        span.set_status(StatusCode.ERROR, "failed for " + needle)


@pytest.mark.parametrize("needle", NEEDLES)
@pytest.mark.parametrize("mode", ["copies", "in place"])
def test_no_needle_on_the_wire(needle, mode):
    memory = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    if mode == "copies":
        provider.add_span_processor(LedgerSpanProcessor(memory, settings=SETTINGS))
    else:
        provider.add_span_processor(SimpleSpanProcessor(memory))  # before us, on purpose
        provider.add_span_processor(LedgerSpanProcessor(settings=SETTINGS))
    say(provider, needle)
    provider.force_flush()
    exported = wire(memory)
    provider.shutdown()
    assert "ask" in exported
    assert needle not in exported


def test_in_place_protects_exporters_on_both_sides():
    before, after = InMemorySpanExporter(), InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    ours = LedgerSpanProcessor(settings=SETTINGS)
    for each in (SimpleSpanProcessor(before), ours, SimpleSpanProcessor(after)):
        provider.add_span_processor(each)
    assert ours.mode == "in place"
    say(provider, NEEDLES[0])
    for memory in (before, after):
        (span,) = memory.get_finished_spans()
        assert span.name == "ask [EMAIL]"
        assert span.attributes["agent.redaction.count.email"] > 5
        assert span.events[0].name == "event [EMAIL]"
    provider.shutdown()


def test_where_the_sdk_moved_it_says_so_loudly_and_wraps_the_exporters(monkeypatch, caplog):
    monkeypatch.setattr(inplace, "_write", lambda _span, _new: None)
    memory = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    ours = LedgerSpanProcessor(settings=SETTINGS)
    provider.add_span_processor(ours)
    assert ours.mode == "wrapped"
    assert "NOT protected" in caplog.text
    say(provider, NEEDLES[0])
    assert NEEDLES[0] not in wire(memory)
    provider.shutdown()


def test_a_write_that_breaks_leaves_nothing(monkeypatch, lenient):
    memory = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    provider.add_span_processor(LedgerSpanProcessor(settings=SETTINGS))

    def broken(span, new):
        raise AttributeError

    monkeypatch.setattr(inplace, "_write", broken)
    say(provider, NEEDLES[0])
    assert NEEDLES[0] not in wire(memory)
    provider.shutdown()


def test_nothing_of_ours_reaches_the_users_block(monkeypatch, lenient):
    provider = TracerProvider(shutdown_on_exit=False)
    ours = LedgerSpanProcessor(InMemorySpanExporter(), settings=SETTINGS)

    def broken(*_arguments):
        raise RuntimeError

    ours._stamp = broken
    monkeypatch.setattr(ours._inner, "on_end", broken)
    provider.add_span_processor(ours)
    say(provider, "x")
    assert shield.failures["queueing a span"]
    provider.shutdown()


class Hanging(SpanExporter):
    def __init__(self, released):
        self.released = released

    def export(self, spans):
        self.released.wait(60)
        return SpanExportResult.SUCCESS


def test_a_dead_collector_does_not_hold_the_exit(caplog):
    import threading

    released = threading.Event()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(LedgerSpanProcessor(Hanging(released), settings=Settings(flush_seconds=0.2)))
    say(provider, "x")
    provider.shutdown()  # comes back though the exporter does not
    assert "unsent" in caplog.text
    released.set()


def test_the_collector_is_chosen_by_the_standard_variables(monkeypatch):
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        monkeypatch.delenv(name, raising=False)
    assert otlp_exporter_from_environment() is None
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    exporter = otlp_exporter_from_environment()
    assert "http" in type(exporter).__module__
    exporter.shutdown()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")
    with pytest.raises(ConfigurationError, match="http/protobuf"):
        otlp_exporter_from_environment()


def test_grpc_says_what_to_install(monkeypatch):
    import sys

    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.grpc.trace_exporter", None)
    with pytest.raises(ConfigurationError, match=r"spanledger\[grpc\]"):
        otlp_exporter_from_environment()


def test_runs_are_stamped_when_a_span_starts():
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(LedgerSpanProcessor(settings=SETTINGS))
    runs.use_provider(provider)
    with runs.run("a") as run, provider.get_tracer("t").start_as_current_span("here") as span:
        pass
    assert span.attributes["agent.run.id"] == run.id
    provider.shutdown()
