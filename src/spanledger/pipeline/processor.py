"""The one line for an existing set-up: enriches spans when they start, protects them when they end."""

from __future__ import annotations

import logging
import os
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakSet

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter

from spanledger import runs
from spanledger.config import Settings
from spanledger.notes import note
from spanledger.shield import failures, report, shield

from . import native
from .bypass import BYPASSING, name_of, unprotected
from .deadline import keep_ready, within
from .exporter import RedactingSpanExporter
from .inplace import InPlace, works, wrap_exporters
from .relay import Relay, apart, batched
from .steps import default_pipeline, redactor_of

__all__ = ["LedgerSpanProcessor"]

logger = logging.getLogger("spanledger")


class LedgerSpanProcessor(SpanProcessor):
    """
    Puts runs and steps on spans and lets nothing leave unprotected.

    With an *exporter*, or several: a pipeline of its own, on a worker thread, on copies; other exporters of the
    provider are not touched.  Without: every exporter of the provider is protected, whatever the order, on the thread
    that ends the span.  `mode` says which: ``copies``, ``in place``, or ``wrapped`` where the SDK does not allow ``in
    place``.  Of several processors of one provider only one needs *stamps*.
    """

    looks_at_start = False
    """Whether it wants to see the first attributes of a span; see `runs.start_span`."""

    def __init__(
        self,
        exporter: SpanExporter | Sequence[SpanExporter] | None = None,
        *,
        settings: Settings | None = None,
        stamps: bool = True,
    ) -> None:
        self.settings = settings or Settings.load()
        self.pipeline = default_pipeline(self.settings)
        self._beside: object = None
        self.exporter: RedactingSpanExporter | None = None
        self._inner: SpanProcessor | None = None
        self._stamps = stamps
        self._queued = 0
        self._over = self._given_up = self._said = False
        _watch_forks(self)
        if exporter is not None:
            self.mode = "copies"
            exporters = [exporter] if isinstance(exporter, SpanExporter) else apart(exporter)
            self.exporter = RedactingSpanExporter(exporters, self.pipeline)
            self._inner = batched(self.exporter)
            keep_ready(1)
        elif self._works():
            self.mode = "in place"
            self._inner = InPlace(self.pipeline)
            if self.settings.redact:  # the first span must not wait for the patterns
                # no daemon: one that is in RE2's C++ when the interpreter ends would abort the process
                threading.Thread(target=self._warm, name="spanledger-warm", daemon=False).start()
        else:
            self.mode = "wrapped"
            logger.error(
                "this OpenTelemetry SDK does not let spans be changed while they end: spanledger wraps the exporters"
                " that it finds instead; exporters added later are NOT protected. Use LedgerSpanProcessor(exporter)"
            )

    def renew(self, settings: Settings) -> None:
        """Go on by other *settings*, with the same exporters."""
        self.settings, self.pipeline = settings, default_pipeline(settings)
        if self.exporter is not None:
            self.exporter.pipeline = self.pipeline
        elif isinstance(self._inner, InPlace):
            self._inner = InPlace(self.pipeline)

    def _warm(self) -> None:
        with shield("preparing redaction"):
            redactor_of(self.settings).text("")

    def _works(self) -> bool:
        try:
            return works()
        except Exception as error:  # noqa: BLE001 - an SDK that we do not know
            report("testing protection in place", error)
            return False

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Put run, step, session and user on the span."""
        if self._stamps:
            with shield("stamping a span"):
                runs.stamp(span, parent_context)
                runs.server_started(span)
        if self.mode != "in place":
            processors = getattr(getattr(span, "_span_processor", None), "_span_processors", None)
            if processors is not self._beside:
                self._beside = processors
                self._look_beside(processors or ())

    def _look_beside(self, processors: Sequence[Any]) -> None:
        """Wrap, or name, what the processors beside us export unprotected."""
        with shield("looking for unprotected exporters"):
            if self.mode == "wrapped":
                wrap_exporters([each for each in processors if each is not self], self.pipeline)
                return
            names = unprotected(processors)
            note(BYPASSING, names)
            for name in names:
                logger.warning(
                    "%s gets spans that spanledger does not protect; put LedgerSpanProcessor() on the provider to"
                    " protect all of them, or give it to LedgerSpanProcessor(exporter)", name,
                )  # fmt: skip

    def _on_ending(self, span: Span) -> None:
        if self._stamps:
            with shield("taking in a tool call"):
                runs.tool_ending(span)
        if self._inner is not None:
            with shield("ending a span"):
                self._inner._on_ending(span)  # noqa: SLF001 - the SDK calls us by this name

    def on_end(self, span: ReadableSpan) -> None:
        """Queue the span for the worker thread; end the run that was bound to it."""
        if self._stamps:
            with shield("ending a run with its request"):
                runs.server_ended(span)
        if self.exporter is not None and self._inner is not None:
            with shield("queueing a span"):
                self._queued += span.context is not None and span.context.trace_flags.sampled
                self._inner.on_end(span)

    @property
    def unsent(self) -> int:
        """How many of the spans that ended have not arrived at each exporter (yet)."""
        if self.exporter is None:
            return 0
        missing = self._queued - self.exporter.done + sum(self.exporter.unsent.values())
        return min(missing, self._queued * len(self.exporter.exporters))  # some may be counted while they move on

    @property
    def idle(self) -> bool:
        """Whether nothing is on its way to the journal or, where there is none, to the one exporter."""
        return self.exporter is None or self.exporter.handed_on >= self._queued

    def missing(self) -> dict[str, Counter[str]]:
        """Exporter, by class and endpoint, to run id to how many spans it did not get; the empty id: nobody knows."""
        if self.exporter is None:
            return {}
        found: dict[str, Counter[str]] = {}
        for exporter, missing in self.exporter.missing():
            found.setdefault(name_of(exporter, short=True), Counter()).update(missing.runs)
        if (stuck := self._queued - self.exporter.done) > 0:  # never came through the pipeline
            for exporter in self.exporter.exporters:
                aim = exporter.exporter if isinstance(exporter, Relay) else exporter
                if not getattr(aim, "counts_losses", False):
                    found.setdefault(name_of(aim, short=True), Counter())[""] += stuck
        return {name: +counts for name, counts in found.items() if any(counts.values())}

    def shutdown(self) -> None:
        """Deliver what is left, for at most ``flush_seconds``; once."""
        if self._inner is None or self._over or self._given_up:
            return
        if not within(self.settings.flush_seconds, self.deliver_all):
            self.give_up()
        self.say_unsent()

    def deliver_all(self) -> None:
        """Deliver what is left, for as long as that takes; once.  For who has a deadline of their own."""
        if self._inner is not None and not self._over:
            self._over = True
            self._inner.shutdown()

    def give_up(self) -> None:
        """Protect and send nothing more, for the process ends; what is on its way to an exporter may arrive yet."""
        self._given_up = True
        if self.exporter is not None:
            self.exporter.give_up()

    def begin_anew(self) -> None:
        """Count from zero: what is queued in a forked child's parent is the parent's to send."""
        self._queued = 0
        if self.exporter is not None:
            self.exporter.begin_anew()

    def say_unsent(self) -> None:
        """Say how many spans did not leave, once; nothing more is expected to."""
        if self.unsent and not self._said:
            self._said = True
            failures["sending spans"] += self.unsent
            number = f"{self.unsent} span{' was' if self.unsent == 1 else 's were'}"
            after = f" after {self.settings.flush_seconds} s" if self._given_up else ""
            to = f", to {', '.join(where)}" if (where := self.missing()) else ""
            logger.warning("%s left unsent%s%s", number, after, to)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Deliver what is queued, to each exporter; whether that was within *timeout_millis* and ``flush_seconds``."""
        return within(min(timeout_millis / 1000, self.settings.flush_seconds), self._deliver)

    def _deliver(self) -> bool:
        done = [queue() for queue in self.queues()]  # the first hands on to the others
        return all(done)

    def queues(self) -> list[Callable[[], bool]]:
        """What empties each queue of ours: the one of the pipeline first, then those of exporters that have one."""
        if self._inner is None:
            return []
        exporters = self.exporter.exporters if self.exporter is not None else ()
        return [self._inner.force_flush, *(each.force_flush for each in exporters if isinstance(each, Relay))]


_all: WeakSet[LedgerSpanProcessor] = WeakSet()


def _watch_forks(processor: LedgerSpanProcessor) -> None:
    if not _all and hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_after_fork)
    _all.add(processor)


def _after_fork() -> None:
    native.forget()
    for processor in list(_all):
        processor.begin_anew()
