"""Values, spans and batches of bounded size; a span that can't be sent costs no other."""

from __future__ import annotations

import json

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from spanledger import semconv
from spanledger.config import Settings
from spanledger.pipeline import RedactingSpanExporter, default_pipeline
from spanledger.pipeline.bounds import PROFILES, limits, size_of


class Counting(SpanExporter):
    def __init__(self):
        self.batches = []

    def export(self, spans):
        encode_spans(spans)
        self.batches.append([span.name for span in spans])
        return SpanExportResult.SUCCESS


def words(size):
    return " ".join("word" for _ in range(size // 5))


def test_a_profile_sets_the_limits_and_what_was_set_wins():
    assert limits(Settings(backend="tempo"))["max_value_bytes"] == PROFILES["tempo"]["max_value_bytes"] == 2048
    assert limits(Settings(backend="tempo", max_value_bytes=512))["max_value_bytes"] == 512
    assert limits(Settings())["max_batch_bytes"] < 4 << 20


def test_tempo_gets_json_that_it_does_not_cut(finished):
    messages = json.dumps([{"role": "user", "parts": [{"type": "text", "content": words(9000)}]}])
    protected = default_pipeline(Settings(backend="tempo"))(finished(attributes={semconv.INPUT_MESSAGES: messages}))
    text = protected.attributes[semconv.INPUT_MESSAGES]
    assert len(text) <= 2048
    assert json.loads(text)[0]["role"] == "user"


def test_a_span_stays_below_its_limit(finished):
    attributes = {f"a{i}": words(40_000) for i in range(40)}
    events = [(f"e{i}", {"x": words(40_000)}) for i in range(20)]
    protected = default_pipeline(Settings(max_span_bytes=200_000))(finished(attributes=attributes, events=events))
    size = size_of(protected.attributes) + sum(size_of(event.attributes) for event in protected.events)
    assert size <= 200_000
    assert protected.attributes["agent.truncated.a0.size"] == len(words(40_000))


def test_what_is_huge_is_cut_before_it_is_scanned_and_says_its_full_size(finished):
    text = words(3_000_000)
    protected = default_pipeline(Settings())(finished(attributes={"a": text}))
    assert len(protected.attributes["a"]) <= 65_536
    assert protected.attributes["agent.truncated.a.size"] == len(text)
    assert list(protected.attributes[semconv.TRUNCATED]) == ["a"]


def test_batches_are_split(finished):
    spans = [finished(f"s{i}", {"a": words(30_000)}) for i in range(10)]
    exporter = Counting()
    RedactingSpanExporter([exporter], default_pipeline(Settings(max_batch_bytes=100_000))).export(spans)
    assert [name for batch in exporter.batches for name in batch] == [f"s{i}" for i in range(10)]
    assert all(len(batch) == 3 for batch in exporter.batches[:3])


def test_a_span_that_cannot_be_encoded_costs_no_other(finished, lenient):
    class Choosy(Counting):
        def export(self, spans):
            if any(span.name == "poison" for span in spans):
                raise ValueError
            return super().export(spans)

    exporter = Choosy()
    ours = RedactingSpanExporter([exporter], default_pipeline(Settings()))
    spans = [finished(f"s{i}") for i in range(5)] + [finished("poison")] + [finished(f"t{i}") for i in range(5)]
    assert ours.export(spans) is SpanExportResult.FAILURE
    assert sum(map(len, exporter.batches)) == 10
    assert ours.unsent == {"Choosy": 1}


@pytest.mark.parametrize(
    "value", ["\ud800 lone", 2**70, -(2**65), b"\xff\xfe\x00", {"a": {"b": 2**64}}, [1, "x", None]]
)
def test_what_otlp_cannot_say_is_said_otherwise(finished, value):
    from spanledger.pipeline import Record

    record = Record.of(finished())
    record.attributes["odd"] = value
    from spanledger.pipeline import Redactor

    Redactor().record(record)
    assert encode_spans([record.span()]).SerializeToString()
