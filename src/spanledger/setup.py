"""
Wires provider, pipeline, journal, metrics and instrumentation together; takes it apart again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opentelemetry import _logs, metrics, trace
from opentelemetry.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter

from . import runs
from .config import Settings
from .ending import watch_the_end
from .greenlets import patient_sdk
from .hashing import configure_hasher
from .ledger import ledger
from .notes import note
from .pipeline import BYPASSING, LedgerSpanProcessor, otlp_exporter_from_environment, processors_of, unprotected
from .pipeline.deadline import keep_ready
from .pipeline.pace import queues_of
from .pipeline.relay import batched
from .running import Spanledger
from .shield import logger

if TYPE_CHECKING:
    from .journal import Journal
    from .limits import Limits
    from .signals import Metrics

__all__ = ["Spanledger", "configure", "start"]

_now: list[Spanledger] = []
"""What is set up in this process: one or nothing."""


def configure(
    *,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
    exporters: Sequence[SpanExporter] = (),
    instrument: bool = True,
    limits: Limits | None = None,
    config_file: str | Path | None = None,
    **settings: Any,
) -> Spanledger:
    """
    Set spanledger up: watch clients and tools, protect what leaves, keep the journal.

    *settings* are the fields of `Settings` and win over environment and file.  With an SDK provider in place, given or
    global, it is used and everything that it exports is protected; else one is made, exporting to OTLP where the
    environment names an endpoint, and to *exporters*.  *limits* are those of the settings unless given.  Calling it
    again replaces what was set up before.
    Raises `ConfigurationError` for settings that it does not understand.
    """
    loaded = Settings.load(file=config_file, **settings)
    provider = tracer_provider or trace.get_tracer_provider()
    before = _now[-1] if _now else None
    kept = before is not None and before.protected and before.provider is provider
    while _now:
        _now.pop().shutdown(keep=kept)
    return start(
        loaded,
        provider if isinstance(provider, TracerProvider) else None,
        meter_provider=meter_provider,
        exporters=exporters,
        watch=instrument,
        protected=kept,
        limits=limits,
        before=before,
    )


def start(
    settings: Settings,
    provider: TracerProvider | None,
    *,
    meter_provider: MeterProvider | None = None,
    exporters: Sequence[SpanExporter] = (),
    watch: bool = True,
    protected: bool = False,
    limits: Limits | None = None,
    before: Spanledger | None = None,
) -> Spanledger:
    """
    Set up with *settings* on *provider*.

    *protected* says that its exporters stand behind our pipeline already, *before* what was set up until now.
    """
    # rooms that only a program that sets us up needs: importing the package must cost little
    from .journal import Journal, JournalSpanExporter, LiveRuns, protection, version_of  # noqa: PLC0415

    patient_sdk()
    limits = _checked(settings, limits, watch)
    journal = None if settings.journal_off else Journal(settings.journal_path, days=settings.journal_days)
    own = provider is None or (before is not None and before.own and before.provider is provider)
    provider = provider or TracerProvider(resource=Resource.create())
    outputs: list[SpanExporter] = [*exporters]
    renewed = [each for each in processors_of(provider) if isinstance(each, LedgerSpanProcessor)] if protected else []
    journaled = [_renew(each, settings, journal) for each in renewed]
    if journal is not None and not any(journaled):
        outputs.insert(0, JournalSpanExporter(journal))
    processors = _processors(settings, outputs, own=own, protected=protected)
    for processor in processors:
        provider.add_span_processor(processor)
    if own and trace.get_tracer_provider() is not provider:
        trace.set_tracer_provider(provider)
    endings: list[Callable[[], Any]] = []
    if protected:
        processors = [each for each in processors_of(provider) if isinstance(each, LedgerSpanProcessor)]
        others: tuple[Any, ...] = (metrics.get_meter_provider(), _logs.get_logger_provider())
        endings = [each.shutdown for each in others if hasattr(each, "shutdown")]  # an SDK's, not the placeholders
    keep_ready(len(processors) + len(endings) + len(queues_of(provider)) + 1)
    live = None
    if journal is not None:
        program = version_of(provider.resource.attributes)
        live = LiveRuns(journal, ledger, describe=protection(settings), version=program, before=runs.end_answered)
    made = Spanledger(
        settings, provider, journal, live,
        _measured(before, settings, meter_provider), processors=processors, endings=endings,
        protected=protected, own=own, meter_provider=meter_provider,
    )  # fmt: skip
    ledger.listen(ended=made.metrics.run_ended)
    runs.tool_listeners.append(made.metrics.tool_ended)
    runs.use_provider(provider)
    if limits is not None:
        _watch(made, limits)
    _protect_others(made, meter_provider)
    _tell_bypassing(provider)
    _now.append(made)
    made.undo += watch_the_end(made)
    return made


def _tell_bypassing(provider: TracerProvider) -> None:
    """Say which exporters of *provider* get what we did not look at, and keep it for `doctor`."""
    bypassing = unprotected(provider)
    note(BYPASSING, bypassing)
    for name in bypassing:
        logger.warning("%s exports what spanledger did not look at; add it behind LedgerSpanProcessor", name)


def _measured(before: Spanledger | None, settings: Settings, meter_provider: MeterProvider | None) -> Metrics:
    """The metrics; those from *before* where they fit, for the SDK makes no instrument twice."""
    from .signals import Metrics  # noqa: PLC0415 - as above

    known = (before.meter_provider, before.settings.metric_names) if before is not None else None
    if before is not None and known == (meter_provider, settings.metric_names):
        return before.metrics
    return Metrics(ledger, meter_provider, settings.metric_names)


def _processors(settings: Settings, outputs: list[SpanExporter], *, own: bool, protected: bool) -> list[Any]:
    """What hands spans to *outputs*: on a provider of our *own*, one that is *protected* already, or somebody's."""
    if own:
        otlp = otlp_exporter_from_environment()
        return [LedgerSpanProcessor(outputs if otlp is None else [*outputs, otlp], settings=settings)]
    if protected:
        return [LedgerSpanProcessor(outputs, settings=settings, stamps=False)] if outputs else []
    return [LedgerSpanProcessor(settings=settings), *map(batched, outputs)]


def _renew(processor: LedgerSpanProcessor, settings: Settings, journal: Journal | None) -> bool:
    """Let *processor*, which the launcher made, go on with *settings*; whether it writes the journal."""
    from .journal import JournalSpanExporter  # noqa: PLC0415 - as above

    exporters = processor.exporter.exporters if processor.exporter is not None else ()
    writing = [each for each in exporters if isinstance(each, JournalSpanExporter)]
    if processor.settings != settings:
        processor.renew(settings)
        for exporter in writing:
            exporter.move(journal)
    return bool(writing)


def _protect_others(made: Spanledger, meter_provider: MeterProvider | None) -> None:
    """Protect metrics, log records and outgoing baggage as well, where the program has set them up."""
    if made.settings.redact:
        from .pipeline.attach import protect_all  # noqa: PLC0415 - as above

        made.undo += protect_all(made.settings, meter_provider)


def _checked(settings: Settings, limits: Limits | None, watch: bool) -> Limits | None:
    """Take what may be refused in *settings* first, before anybody listens: the key, the prices, the limits."""
    from . import pricing  # noqa: PLC0415 - as above

    configure_hasher(settings)
    pricing.configure(settings.prices)
    pricing.use_table(pricing.fetched_table(settings.price_table))
    if watch and limits is None:
        from .limits import configured  # noqa: PLC0415 - as above

        limits = configured(settings)
    runs.configure(settings)
    return limits if watch else None


def _watch(made: Spanledger, limits: Limits) -> None:
    """Watch clients, tools and frameworks, with the limits at the door."""
    from .frameworks import watch_frameworks  # noqa: PLC0415 - as above
    from .instrument import Brakes, instrument  # noqa: PLC0415 - as above

    made.instrumentation = instrument(made.settings, tracer_provider=made.provider)
    made.instrumentation.engine.listeners.append(made.metrics.call_ended)
    made.instrumentation.engine.awaited.listeners.append(made.metrics.tokens_came)
    made.frameworks = watch_frameworks()
    made.brakes = Brakes(made.instrumentation.engine, limits)
    made.brakes.limits.listeners.append(made.metrics.decided)


def current() -> Spanledger | None:
    """What is set up in this process."""
    return _now[-1] if _now else None
