"""What is emitted says who made it, and which version of it."""

from __future__ import annotations

from importlib.metadata import version

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

import spanledger
from clients import CHAT, CHAT_ASK, Answers, clients
from spanledger.config import Settings
from spanledger.instrument import instrument
from spanledger.ledger import ledger
from spanledger.signals import Metrics


def test_spans_metrics_and_events_have_our_scope(provider, spans):
    reader, records, loggers = InMemoryMetricReader(), InMemoryLogRecordExporter(), LoggerProvider()
    loggers.add_log_record_processor(SimpleLogRecordProcessor(records))
    metrics = Metrics(ledger, MeterProvider([reader]))
    with instrument(Settings(content="span_and_event"), tracer_provider=provider, logger_provider=loggers) as made:
        made.engine.listeners.append(metrics.call_ended)
        clients(Answers([CHAT]))["openai"][0].chat.completions.create(**CHAT_ASK)
    (measured,) = reader.get_metrics_data().resource_metrics[0].scope_metrics
    loggers.shutdown()
    (span,), (event,) = spans(), records.get_finished_logs()
    ours = ("spanledger", spanledger.__version__)
    for scope in (span.instrumentation_scope, measured.scope, event.instrumentation_scope):
        assert (scope.name, scope.version) == ours


def test_it_is_the_version_that_is_installed():
    assert spanledger.__version__ == version("spanledger")
