"""
Who is measured: the environment each lives in and how it is switched on.

All end their spans in an SDK provider with a batch processor and an exporter that only counts, except where a peer
insists on its own: logfire makes its own provider, langfuse its own batch processor.  No peer is given a meter
provider; ours is, except in the contender that says so.
"""

# ruff: noqa: PLC0415 - each of them lives in an environment that lacks the others
from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

QUIET = {"max_queue_size": 16_384, "max_export_batch_size": 16_384, "schedule_delay_millis": 3_600_000}
"""A batch processor that works only when it is told to flush: never inside a block that is being timed."""
CONTENT = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"}


@dataclass
class Running:
    """A contender that is switched on."""

    flush: Callable[[], Any]
    """Do what a worker thread does now and then; timed apart."""
    attach: Callable[[Any], None] = lambda _client: None
    """Instrument this one client, for contenders that patch no class."""
    inside: Callable[[], AbstractContextManager[Any] | None] = lambda: None
    """A context for each block of calls."""


@dataclass(frozen=True)
class Contender:
    """How one contender is started: `start` gets the counting exporter."""

    start: Callable[[Any], Running]
    environment: str
    variables: dict[str, str] = field(default_factory=dict)
    ours: bool = False


def _provider(*processors: Any) -> Any:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

    provider = TracerProvider()
    for processor in processors:
        provider.add_span_processor(processor)
    trace.set_tracer_provider(provider)
    return provider


def _batch(exporter: Any) -> Any:
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    return BatchSpanProcessor(exporter, **QUIET)


def _nothing(_exporter: Any) -> Running:
    return Running(lambda: None)


def _hand(*, content: bool) -> Callable[[Any], Running]:
    def start(exporter: Any) -> Running:
        from hand import Hand

        provider = _provider(_batch(exporter))
        return Running(provider.force_flush, Hand(provider.get_tracer("hand"), content=content).attach)

    return start


def _spanledger(*, metrics: bool = True, run: bool = False, whole: bool = False) -> Callable[[Any], Running]:
    """Ours, content on; *run*: each block inside one `run`; *whole*: pipeline and journal on the worker."""

    def start(exporter: Any) -> Running:
        home = tempfile.mkdtemp(prefix="spanledger-bench-")
        os.environ["XDG_STATE_HOME"] = home
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import InMemoryMetricReader

        import spanledger
        from spanledger.config import Settings
        from spanledger.hashing import configure_hasher
        from spanledger.instrument import instrument
        from spanledger.ledger import ledger
        from spanledger.signals import Metrics

        settings = Settings.load(journal=str(Path(home) / "journal.db"))
        configure_hasher(settings)
        provider = _provider(_protected(exporter, settings) if whole else _batch(exporter))
        watching = instrument(settings, tracer_provider=provider)
        reader = InMemoryMetricReader()
        if metrics:
            measured = Metrics(ledger, MeterProvider([reader]))
            ledger.listen(ended=measured.run_ended)
            watching.engine.listeners.append(measured.call_ended)

        def flush() -> None:
            provider.force_flush()
            if metrics:
                reader.get_metrics_data()

        return Running(flush, inside=(lambda: spanledger.run("bench")) if run else lambda: None)

    return start


def _protected(exporter: Any, settings: Any) -> Any:
    from spanledger.journal import Journal, JournalSpanExporter
    from spanledger.pipeline import Pipeline, RedactingSpanExporter, default_steps

    exporters = [exporter, JournalSpanExporter(Journal(settings.journal_path))]
    return _batch(RedactingSpanExporter(exporters, Pipeline(default_steps(settings))))


def _official(exporter: Any) -> Running:
    from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor

    provider = _provider(_batch(exporter))
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    return Running(provider.force_flush)


def _openinference(exporter: Any) -> Running:
    from openinference.instrumentation.openai import OpenAIInstrumentor

    provider = _provider(_batch(exporter))
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    return Running(provider.force_flush)


def _openllmetry(exporter: Any) -> Running:
    from opentelemetry.instrumentation.openai import OpenAIInstrumentor

    provider = _provider(_batch(exporter))
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    return Running(provider.force_flush)


def _openlit(exporter: Any) -> Running:
    import openlit

    provider = _provider(_batch(exporter))
    prices = Path(tempfile.mkdtemp()) / "prices.json"  # it would fetch them
    prices.write_text(json.dumps({"chat": {"gpt-4o-mini": {"promptPrice": 0.00015, "completionPrice": 0.0006}}}))
    openlit.init(pricing_json=str(prices), capture_message_content=True, disable_metrics=True, disable_events=True)
    return Running(provider.force_flush)


def _logfire(exporter: Any) -> Running:
    import logfire

    processor = _batch(exporter)
    logfire.configure(
        send_to_logfire=False, console=False, inspect_arguments=False, metrics=False,
        additional_span_processors=[processor],
    )  # fmt: skip
    logfire.instrument_openai()
    return Running(processor.force_flush)


def _langfuse(exporter: Any) -> Running:
    os.environ["OTEL_BSP_MAX_QUEUE_SIZE"] = str(QUIET["max_queue_size"])
    from langfuse import Langfuse

    provider = _provider()
    Langfuse(
        public_key="pk-lf-none", secret_key="sk-lf-none", base_url="http://127.0.0.1:9", tracer_provider=provider,
        span_exporter=exporter, flush_at=QUIET["max_export_batch_size"], flush_interval=3600,
    )  # fmt: skip
    import langfuse.openai  # noqa: F401 - importing it is what patches the client

    return Running(provider.force_flush)


WORKLOADS = ("short", "history", "stream", "concurrent")
YARDSTICK = "hand+orjson"
CONTENDERS: dict[str, Contender] = {
    "nothing": Contender(_nothing, "ours"),
    "hand": Contender(_hand(content=False), "ours"),
    YARDSTICK: Contender(_hand(content=True), "ours"),
    "spanledger": Contender(_spanledger(), "ours", CONTENT, ours=True),
    "spanledger, in a run": Contender(_spanledger(run=True), "ours", CONTENT, ours=True),
    "spanledger, no meter": Contender(_spanledger(metrics=False), "ours", CONTENT, ours=True),
    "spanledger, whole": Contender(_spanledger(whole=True), "ours", CONTENT, ours=True),
}
PEERS: dict[str, Contender] = {
    "official": Contender(_official, "official", CONTENT),
    "openinference": Contender(_openinference, "openinference"),
    "openllmetry": Contender(_openllmetry, "openllmetry"),
    "openlit": Contender(_openlit, "openlit"),
    "logfire": Contender(_logfire, "logfire"),
    "langfuse": Contender(_langfuse, "langfuse"),
}
