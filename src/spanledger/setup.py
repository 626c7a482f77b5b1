"""
Wires provider, pipeline, journal, metrics and instrumentation together; takes it apart again.
"""

from __future__ import annotations

import atexit
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

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
from .pipeline.deadline import keep_ready, within
from .pipeline.pace import Pace, queues_of
from .pipeline.relay import batched
from .shield import logger, shield
from .termination import die

if TYPE_CHECKING:
    from .frameworks import Frameworks
    from .instrument import Brakes, Instrumentation
    from .journal import Journal, LiveRuns
    from .limits import Limits
    from .signals import Metrics

__all__ = ["Spanledger", "configure", "start"]

JOURNAL_SECONDS: Final = 1.0
"""How much longer than for everything an exit waits for the journal, which is to have what a collector did not take."""


@dataclass
class Spanledger:
    """What `configure` set up.  `shutdown` delivers what is left and takes everything back."""

    settings: Settings
    provider: Any
    journal: Journal | None
    live: LiveRuns | None
    metrics: Metrics
    instrumentation: Instrumentation | None = None
    frameworks: Frameworks | None = None
    brakes: Brakes | None = None
    processors: list[Any] = field(default_factory=list)
    undo: list[Callable[[], Any]] = field(default_factory=list)
    """What takes back the protection of metrics, log records and baggage, and the handlers of signals."""
    endings: list[Callable[[], Any]] = field(default_factory=list)
    """What ends the rest of an SDK that was built for us."""
    terminated: int = 0
    """The signal by which somebody asked the process to end, or 0."""
    done: bool = False
    """Whether all is delivered that could be."""
    _over: bool = False
    _taken_back: bool = False

    def force_flush(self) -> bool:
        """Deliver what is waiting; true when all of it left within the deadline."""
        seconds = self.settings.flush_seconds
        done = within(seconds, *(partial(each.force_flush, int(seconds * 1000)) for each in self.processors))
        if self.live is not None:
            with shield("flushing the journal"):
                self.live.flush()
        return done

    def end_worker(self) -> None:
        """Deliver what a worker of `multiprocessing` has left when it ends, and say what was not delivered."""
        if not self.force_flush():
            self._give_up()
        within(self.settings.flush_seconds, *(self.brakes.debts() if self.brakes is not None else ()))
        self._tell_unsent()

    def finish(self, *also: Callable[[], Any]) -> None:
        """
        End what is going on and deliver it, as at the exit of the process; once.

        Everything that was set up for us, and what is done *also*, has the same ``flush_seconds``, side by side.
        """
        if self._over:
            return
        self._over = True
        until = time.monotonic() + self.settings.flush_seconds
        with shield("finishing"):
            pace = Pace(self.provider, self.settings.flush_seconds * 0.7)  # the rest is for what is in the queues then
            if self.terminated:
                runs.end_all("cancelled", pace)
            if self.instrumentation is not None:
                self.instrumentation.engine.end_streams()
            runs.end_all(None, pace)
            for ending in self.endings:  # or the SDK would wait for a dead collector once more
                atexit.unregister(ending)
            ours = [getattr(each, "deliver_all", each.shutdown) for each in self.processors] + self.endings
            if self.live is not None:
                ours.append(partial(self.live.close, self.settings.flush_seconds))
            if self.brakes is not None:
                ours += self.brakes.debts()
            all_left = within(until - time.monotonic(), *ours, *also)
            if not all_left:
                self._give_up()
            self._tell_unsent()
        self.done = True
        if self.terminated:
            die(self.terminated)

    def _pipelines(self) -> list[LedgerSpanProcessor]:
        return [each for each in self.processors if isinstance(each, LedgerSpanProcessor)]

    def _give_up(self) -> None:
        """Wait a little longer for what is on its way to the journal, though a collector had the time; then no more."""
        ours, until = self._pipelines(), time.monotonic() + JOURNAL_SECONDS
        while self.journal is not None and time.monotonic() < until:
            if all(each.idle for each in ours) and (self.live is None or self.live.idle):
                break
            time.sleep(0.01)
        for each in ours:
            each.give_up()

    def _tell_unsent(self) -> None:
        """Say what no exporter took, and write it down for `doctor` and `show`."""
        for each in self._pipelines():
            each.say_unsent()
        ours = [each.missing() for each in self._pipelines()]
        if self.journal is not None and (found := [missing for missing in ours if missing]):
            within(JOURNAL_SECONDS, partial(self.journal.end_with, found))

    def shutdown(self) -> None:
        """Finish, and put back everything that was patched; once."""
        self.finish()
        if self._taken_back:
            return
        self._taken_back = True
        for undo in self.undo:
            with shield("taking protection back"):
                undo()
        runs.configure(Settings())
        if self.brakes is not None:
            self.brakes.off()
        if self.frameworks is not None:
            self.frameworks.undo()
        if self.instrumentation is not None:
            self.instrumentation.undo()
        ledger.ignore(self.metrics.run_ended)
        with contextlib.suppress(ValueError):
            runs.tool_listeners.remove(self.metrics.tool_ended)


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
    while _now:
        _now.pop().shutdown()
    provider = tracer_provider or trace.get_tracer_provider()
    return start(
        loaded,
        provider if isinstance(provider, TracerProvider) else None,
        meter_provider=meter_provider,
        exporters=exporters,
        watch=instrument,
        limits=limits,
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
) -> Spanledger:
    """Set up with *settings* on *provider*; *protected* says that its exporters stand behind our pipeline already."""
    # rooms that only a program that sets us up needs: importing the package must cost little
    from .journal import Journal, JournalSpanExporter, LiveRuns, protection, version_of  # noqa: PLC0415
    from .signals import Metrics  # noqa: PLC0415

    patient_sdk()
    limits = _checked(settings, limits, watch)
    journal = None if settings.journal_off else Journal(settings.journal_path, days=settings.journal_days)
    outputs: list[SpanExporter] = [*exporters]
    if journal is not None and not protected:
        outputs.insert(0, JournalSpanExporter(journal))
    processors: list[Any] = []
    if provider is None:
        provider = TracerProvider(resource=Resource.create())
        if (otlp := otlp_exporter_from_environment()) is not None:
            outputs.append(otlp)
        processors.append(LedgerSpanProcessor(outputs, settings=settings))
        trace.set_tracer_provider(provider)
    elif not protected:
        processors.append(LedgerSpanProcessor(settings=settings))
        processors += [batched(output) for output in outputs]
    for processor in processors:
        provider.add_span_processor(processor)
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
        Metrics(ledger, meter_provider, settings.metric_names), processors=processors, endings=endings,
    )  # fmt: skip
    ledger.listen(ended=made.metrics.run_ended)
    runs.tool_listeners.append(made.metrics.tool_ended)
    runs.use_provider(provider)
    if limits is not None:
        _watch(made, limits)
    _protect_others(made, meter_provider)
    bypassing = unprotected(provider)
    note(BYPASSING, bypassing)
    for name in bypassing:
        logger.warning("%s exports what spanledger did not look at; add it behind LedgerSpanProcessor", name)
    _now.append(made)
    made.undo += watch_the_end(made)
    return made


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
    made.frameworks = watch_frameworks()
    made.brakes = Brakes(made.instrumentation.engine, limits)
    made.brakes.limits.listeners.append(made.metrics.decided)


def current() -> Spanledger | None:
    """What is set up in this process."""
    return _now[-1] if _now else None

