"""Content as events: redacted where they are told, structured, and off the spans when only events are wanted."""

from __future__ import annotations

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor

from clients import CHAT, Answers, clients
from spanledger.config import Settings
from spanledger.instrument import instrument


@pytest.fixture
def told(provider):
    exporter = InMemoryLogRecordExporter()
    loggers = LoggerProvider()
    loggers.add_log_record_processor(SimpleLogRecordProcessor(exporter))

    def told(mode):
        with instrument(Settings(content=mode), tracer_provider=provider, logger_provider=loggers):
            clients(Answers([CHAT]))["openai"][0].chat.completions.create(
                model="gpt-4o-mini", messages=[{"role": "user", "content": "I am dana@example.com"}]
            )
        return [data.log_record for data in exporter.get_finished_logs()]

    yield told
    loggers.shutdown()


def test_an_event_has_the_content_redacted_and_structured(told, spans):
    (record,) = told("event_only")
    assert record.event_name == "gen_ai.client.inference.operation.details"
    said = record.attributes
    assert said["gen_ai.usage.input_tokens"] == 9
    assert said["gen_ai.input.messages"][0]["parts"][0]["content"] == "I am [EMAIL]"
    assert said["gen_ai.output.messages"][0]["finish_reason"] == "stop"
    (span,) = spans()
    assert record.trace_id == span.context.trace_id
    assert "gen_ai.input.messages" not in span.attributes


def test_both_may_be_asked_for(told, spans):
    assert len(told("span_and_event")) == 1
    assert "gen_ai.input.messages" in spans()[0].attributes


@pytest.mark.parametrize("mode", ["no_content", "span_only"])
def test_no_event_is_told_unasked(mode, told):
    assert told(mode) == []
