"""
Protects what a program sets up itself besides spans, before us or after: its metrics, log records, outgoing baggage.

Metrics are redacted where their readers collect them, log records before the first of their processors, baggage before
the program's propagator writes it into headers.  Each gives back what undoes it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from opentelemetry import _logs, metrics, propagate
from opentelemetry.propagators.textmap import TextMapPropagator

from spanledger.config import Settings
from spanledger.shield import logger, shield

from .baggage import RedactingPropagator
from .late import MARK, watch_setting

__all__ = ["Undo", "protect_all", "protect_baggage", "protect_logs", "protect_metrics", "raw_ways_out"]

Undo: TypeAlias = Callable[[], None]


def protect_all(settings: Settings, meter_provider: Any = None) -> list[Undo]:
    """
    All three, on *meter_provider* and the global providers, those of now and those set later.  Never raises.

    What is protected already stays so: by us, with these *settings* from now on; by the program, with its own.
    """
    undo: list[Undo] = []
    asked = propagate.get_global_textmap  # as it is before `late` stands in its place
    with shield("protecting metrics, log records and baggage"):
        providers = [meter_provider] if meter_provider is not None else []
        undo += [protect_metrics(provider, settings) for provider in (*providers, metrics.get_meter_provider())]
        undo += [protect_logs(_logs.get_logger_provider(), settings), protect_baggage(settings, asked)]
        later = watch_setting(
            lambda provider: protect_metrics(provider, settings),
            lambda provider: protect_logs(provider, settings),
            lambda: protect_baggage(settings, asked),
        )
        undo.insert(0, later)
    return undo


def raw_ways_out() -> list[str]:
    """The global providers of metrics and logs that have somewhere to send them and that nobody protects."""
    found = []
    meters: Any = metrics.get_meter_provider()
    collect = getattr(getattr(meters, "_measurement_consumer", None), "collect", None)
    if hasattr(meters, "force_flush") and _readers(meters) != [] and not getattr(collect, MARK, False):
        found.append(f"metrics of {_kind(meters)}")
    loggers: Any = _logs.get_logger_provider()
    if hasattr(loggers, "force_flush"):
        known = getattr(getattr(loggers, "_multi_log_record_processor", None), "_log_record_processors", (None,))
        if known and not any(type(each).__name__ == "RedactingLogRecordProcessor" for each in known):
            found.append(f"log records of {_kind(loggers)}")
    return found


def _kind(provider: Any) -> str:
    return f"{type(provider).__module__}.{type(provider).__qualname__}"


def protect_metrics(provider: Any, settings: Settings) -> Undo:
    """Redact the attributes and exemplars of all metrics that *provider*'s readers collect, now and later."""
    consumer: Any = getattr(provider, "_measurement_consumer", None)
    collect = getattr(consumer, "collect", None)
    readers: Any = _readers(provider)
    if collect is None or readers is None:
        if hasattr(provider, "force_flush"):  # an SDK, built as we do not know it
            logger.error("metrics are NOT protected: this SDK moved; use RedactingMetricExporter around the exporter")
        return _nothing
    if getattr(collect, MARK, False):
        return _renewed(getattr(collect, "protect", None), settings)
    from .metrics import Protection  # noqa: PLC0415 - the SDK's metrics, which few programs use

    protect = Protection(settings)

    def collected(reader: Any, timeout_millis: float = 10_000, **kwargs: Any) -> Any:
        return protect(collect(reader, timeout_millis=timeout_millis, **kwargs))

    setattr(collected, MARK, True)
    collected.protect = protect  # type: ignore[attr-defined]  # a function holds what it is given
    consumer.collect = collected  # what readers that are added later will call
    for reader in readers:
        reader._set_collect_callback(collected)  # noqa: SLF001 - as the provider does

    def undo() -> None:
        consumer.__dict__.pop("collect", None)
        for reader in readers:
            reader._set_collect_callback(collect)  # noqa: SLF001 - as above

    return undo


def _readers(provider: Any) -> Any:
    found = getattr(provider, "_metric_readers", None)
    return found if found is not None else getattr(getattr(provider, "_sdk_config", None), "metric_readers", None)


def protect_logs(provider: Any, settings: Settings) -> Undo:
    """Redact every log record of *provider* before its processors and exporters get it."""
    multi: Any = getattr(provider, "_multi_log_record_processor", None)
    known = getattr(multi, "_log_record_processors", None)
    if known is None or "Synchronous" not in type(multi).__name__:
        if hasattr(provider, "add_log_record_processor"):
            logger.error("log records are NOT protected; add RedactingLogRecordProcessor() before their exporters")
        return _nothing
    from .logs import RedactingLogRecordProcessor  # noqa: PLC0415 - the SDK's logs, which few programs use

    for processor in known:
        if isinstance(processor, RedactingLogRecordProcessor):
            return _renewed(processor if processor.ours else None, settings)
    ours = RedactingLogRecordProcessor(settings)
    ours.ours = True
    multi._log_record_processors = (ours, *known)  # noqa: SLF001 - the public way appends, after the exporters

    def undo() -> None:
        now = multi._log_record_processors  # noqa: SLF001 - as above
        multi._log_record_processors = tuple(each for each in now if each is not ours)  # noqa: SLF001 - as above

    return undo


def protect_baggage(settings: Settings, asked: Callable[[], TextMapPropagator] = propagate.get_global_textmap) -> Undo:
    """Redact the baggage that the program's propagator, as *asked*, writes into the headers of calls to others."""
    before = asked()
    if isinstance(before, RedactingPropagator):
        return _renewed(before if before.ours else None, settings)
    ours = RedactingPropagator(before, settings)
    ours.ours = True
    propagate.set_global_textmap(ours)

    def undo() -> None:
        if asked() is ours:
            propagate.set_global_textmap(before)

    return undo


def _renewed(protection: Any, settings: Settings) -> Undo:
    """Have *protection*, which we put there before, go on by *settings*; the program's own stays as it is."""
    if protection is None or protection.settings == settings:
        return _nothing
    before = protection.settings
    protection.renew(settings)
    return lambda: protection.renew(before)


def _nothing() -> None:
    """Nothing was done."""
