"""Log records are protected before any exporter sees them."""

from __future__ import annotations

import json

import pytest
from opentelemetry._logs import LogRecord
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor

from spanledger import semconv
from spanledger.config import Settings
from spanledger.pipeline import RedactingLogRecordProcessor

MAIL = "jane@leak.com"


@pytest.fixture
def emitted():
    memory = InMemoryLogRecordExporter()
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(RedactingLogRecordProcessor(Settings()))
    provider.add_log_record_processor(SimpleLogRecordProcessor(memory))

    def emit(**record):
        provider.get_logger("app " + MAIL).emit(LogRecord(**record))
        return memory.get_finished_logs()[-1]

    yield emit
    provider.shutdown()


@pytest.mark.parametrize("body", [MAIL, {"who": [MAIL]}, MAIL.encode(), json.dumps({"a": MAIL}), [{"x": MAIL}]])
def test_bodies(emitted, body):
    assert MAIL not in str(emitted(body=body).log_record.body)


def test_attributes_name_and_scope(emitted):
    log = emitted(body="x", attributes={"to": MAIL, "password": "Tr0ub4dor"}, event_name=f"sent {MAIL}")
    told = str((dict(log.log_record.attributes), log.log_record.event_name, log.instrumentation_scope))
    assert MAIL not in told
    assert "Tr0ub4dor" not in told
    assert log.log_record.attributes["agent.redaction.count.email"] == 2


def test_arguments_in_events_are_hashed(emitted):
    log = emitted(body="x", attributes={semconv.TOOL_ARGUMENTS: "{}"})
    assert semconv.TOOL_ARGUMENTS not in log.log_record.attributes
    assert semconv.TOOL_ARGS_HASH in log.log_record.attributes


def test_one_that_breaks_is_emptied(emitted, lenient, monkeypatch):
    from spanledger.pipeline import withhold

    def broken(*_arguments):
        raise RuntimeError

    monkeypatch.setattr(withhold.Withhold, "attributes", broken)
    assert MAIL not in str(emitted(body=MAIL, attributes={"to": MAIL}).log_record)
