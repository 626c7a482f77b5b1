"""Every place where something can stand, and every needle: none is in the bytes that leave over OTLP."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from opentelemetry import baggage
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import AlwaysOnExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanContext, StatusCode, TraceFlags, TraceState

from spanledger.config import Settings
from spanledger.pipeline import LedgerSpanProcessor, RedactingLogRecordProcessor, RedactingPropagator
from spanledger.pipeline.attach import protect_metrics

NEEDLES = {
    "card": "4111111111111111", "key": "sk-ant-api03-Zq9vAb1Cd2Ef3Gh4Ij5Kl6Mn7Op8AA", "mail": "jane.roe@leak.example.com",
    "token": "ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
}  # fmt: skip
SETTINGS = Settings(store_arguments=True, store_results="full")


def message(n):
    return {"role": "user", "parts": [{"type": "text", "content": f"say {n} now"}]}


ATTRIBUTES = {
    "text": lambda n: {"x": f"say {n} now"},
    "key": lambda n: {f"x.{n}": 1},
    "bytes": lambda n: {"x": f"say {n} now".encode()},
    "list": lambda n: {"x": ["a", n]},
    "map": lambda n: {"x": {"a": {"b": [n]}}},
    "map key": lambda n: {"x": {n: 1}},
    "json": lambda n: {"x": json.dumps({"a": [n]})},
    "json in json": lambda n: {"x": json.dumps({"a": json.dumps({"b": json.dumps([n])})})},
    "url": lambda n: {"url.full": f"https://x/p?to={quote(n)}&n=1", "url.path": f"/u/{n}/edit"},
    "headers": lambda n: {"http.request.header.x-note": [n], "http.request.header.authorization": [f"Bearer {n}"]},
    "sql": lambda n: {"db.query.text": f"SELECT * FROM t WHERE a = '{n}'", "db.query.parameter.0": n},
    "arguments": lambda n: {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.arguments": json.dumps({"to": n})},
    "result": lambda n: {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.result": f"sent to {n}"},
    "messages": lambda n: {"gen_ai.input.messages": json.dumps([message(n)])},
    "system": lambda n: {"gen_ai.system_instructions": json.dumps([{"type": "text", "content": n}])},
    "tool schema": lambda n: {"gen_ai.tool.definitions": json.dumps([{"name": "f", "description": n, "parameters": {
        "properties": {"password": {"type": "string", "default": n}}}}])},
    "openinference": lambda n: {"openinference.span.kind": "LLM", "llm.input_messages.0.message.content": n,
                                "input.value": json.dumps({"q": n}), "llm.prompt_template.variables": json.dumps({"v": n})},
    "openllmetry": lambda n: {"traceloop.span.kind": "workflow", "gen_ai.prompt.0.content": n, "traceloop.entity.input":
                              json.dumps({"inputs": {"q": n}}), "traceloop.association.properties.note": n},
    "openlit": lambda n: {"gen_ai.system": "openai", "gen_ai.prompt": n, "gen_ai.completion": n},
    "logfire": lambda n: {"logfire.msg": n, "request_data": json.dumps({"messages": [{"content": n}]}), "events": json.dumps([{"content": n}])},
    "langfuse": lambda n: {"langfuse.observation.input": json.dumps([{"content": n}]), "langfuse.trace.metadata.note": n},
    "user": lambda n: {"user.id": n, "enduser.id": n, "session.id": n, "user.email": n},
    "base64": lambda n: {"x": base64.b64encode(f"please tell {n} of it".encode()).decode()},
    "media": lambda n: {"x": "data:text/plain;base64," + base64.b64encode((n + " ") .encode() * 40).decode()},
}  # fmt: skip


class Spans:
    """A provider whose exported bytes can be read."""

    def __init__(self, in_place, **more):
        self.kept = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False, sampler=more.pop("sampler", ALWAYS_ON), **more)
        if in_place:
            self.provider.add_span_processor(SimpleSpanProcessor(self.kept))
            self.provider.add_span_processor(LedgerSpanProcessor(settings=SETTINGS))
        else:
            self.provider.add_span_processor(LedgerSpanProcessor(self.kept, settings=SETTINGS))
        self.tracer = self.provider.get_tracer("t")

    def sent(self):
        self.provider.force_flush()
        spans = self.kept.get_finished_spans()
        assert spans
        data = encode_spans(spans).SerializeToString()
        self.provider.shutdown()
        return data


def forms(needle):
    return [needle.encode(), base64.b64encode(needle.encode())[4:-8], quote(needle).encode()]


def safe(data, needle):
    return not any(form in data for form in forms(needle))


@pytest.fixture(params=[False, True], ids=["copies", "in place"])
def in_place(request):
    return request.param


@pytest.mark.parametrize("needle", NEEDLES.values(), ids=NEEDLES)
@pytest.mark.parametrize("place", ATTRIBUTES)
def test_attributes(place, needle, in_place):
    made = Spans(in_place)
    made.tracer.start_span("s", attributes=ATTRIBUTES[place](needle)).end()
    data = made.sent()
    assert safe(data, needle)
    if place == "tool schema":
        assert b'"password": {"type": "string"' in data


@pytest.mark.parametrize("needle", NEEDLES.values(), ids=NEEDLES)
def test_what_a_span_is_made_of(needle, in_place):
    class Sampled(Sampler):
        def should_sample(self, parent_context, trace_id, name, *args, **kwargs):
            return SamplingResult(Decision.RECORD_AND_SAMPLE, {"sampled": needle}, TraceState([("vendor", state)]))

        def get_description(self):
            return "sampled"

    state = needle.replace("@", "-at-") if "@" in needle else needle
    linked = SpanContext(1, 1, is_remote=False, trace_flags=TraceFlags(1), trace_state=TraceState([("a", state)]))
    made = Spans(
        in_place,
        resource=Resource({"process.command_args": ["x", "--api-key", needle], "note": needle}),
        sampler=Sampled(),
    )
    tracer = made.provider.get_tracer(f"lib {needle}", attributes={"by": needle})
    with tracer.start_as_current_span(f"ask {needle}", links=[Link(linked, {"why": needle})]) as span:
        span.add_event(f"said {needle}", {"note": needle, f"k {needle}": 1})
        span.set_status(StatusCode.ERROR, f"failed for {needle}")
        try:
            int(f"no {needle}")
        except ValueError as error:
            span.record_exception(error)
    assert safe(made.sent(), needle)


def test_numbers(in_place):
    made = Spans(in_place)
    made.tracer.start_span("s", attributes={"x": 4111111111111111, "y": [4111111111111111]}).end()
    data = made.sent()
    assert (4111111111111111).to_bytes(8, "little") not in data
    assert b"\x18\xb8\x92\xf3" not in data
    assert b"[CARD]" in data


@pytest.mark.parametrize("needle", ["4111 1111 1111 1111", *list(NEEDLES.values())[1:]])
@pytest.mark.parametrize("size", [3, 7])
def test_chunks_of_a_stream(needle, size, in_place):
    made = Spans(in_place)
    span = made.tracer.start_span("s")
    text = f"well, {needle} it is, and more"
    for at in range(0, len(text), size):
        span.add_event("gen_ai.content.chunk", {"chunk": text[at : at + size], "number": at})
    span.end()
    made.provider.force_flush()
    (spoken,) = made.kept.get_finished_spans()
    joined = "".join(event.attributes["chunk"] for event in spoken.events)
    assert joined.startswith("well, [")
    assert joined.endswith("] it is, and more")
    assert made.sent()


@pytest.mark.parametrize("needle", NEEDLES.values(), ids=NEEDLES)
def test_log_records(needle):
    kept = InMemoryLogRecordExporter()
    provider = LoggerProvider(resource=Resource({"note": needle}), shutdown_on_exit=False)
    provider.add_log_record_processor(RedactingLogRecordProcessor(SETTINGS))
    provider.add_log_record_processor(SimpleLogRecordProcessor(kept))
    logger = provider.get_logger(f"l {needle}")
    for place in ATTRIBUTES.values():
        logger.emit(body={"content": needle, "parts": [needle]}, attributes=place(needle), event_name=f"e {needle}")
        logger.emit(body=f"say {needle} now")
    provider.shutdown()
    assert safe(encode_logs(kept.get_finished_logs()).SerializeToString(), needle)


@pytest.mark.parametrize("needle", NEEDLES.values(), ids=NEEDLES)
def test_metrics_and_exemplars(needle):
    reader = InMemoryMetricReader()
    provider = MeterProvider(
        [reader], resource=Resource({"note": needle}), exemplar_filter=AlwaysOnExemplarFilter(), shutdown_on_exit=False
    )  # fmt: skip
    protect_metrics(provider, SETTINGS)
    meter = provider.get_meter(f"m {needle}")
    for attributes in ({"x": needle}, {f"x.{needle}": "a"}, {"x": [needle]}):
        meter.create_counter("calls", description=f"of {needle}").add(1, attributes)
        meter.create_histogram("seconds").record(1.0, attributes)
    data = encode_metrics(reader.get_metrics_data()).SerializeToString()
    provider.shutdown()
    assert safe(data, needle)


@pytest.mark.parametrize("needle", NEEDLES.values(), ids=NEEDLES)
def test_baggage(needle):
    context = baggage.set_baggage("note", f"to {needle}", baggage.set_baggage("tenant", "acme"))
    carrier: dict[str, str] = {}
    RedactingPropagator(W3CBaggagePropagator(), SETTINGS).inject(carrier, baggage.set_baggage("x", needle, context))
    assert carrier == {"baggage": "tenant=acme"}
