"""
Exporters that may be slow or away, each behind a queue of its own, so that none holds up the others.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from typing import Final

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from spanledger import semconv
from spanledger.greenlets import patient_sdk
from spanledger.shield import logger

__all__ = ["Missing", "Relay", "apart", "batched"]

MAX_RUNS: Final = 1_000
"""Of how many runs it is known which spans are missing."""


def batched(exporter: SpanExporter) -> BatchSpanProcessor:
    """A queue before *exporter* as ``OTEL_BSP_*`` say; as the standard says where those mean nothing."""
    patient_sdk()
    try:
        return BatchSpanProcessor(exporter)
    except ValueError as error:
        logger.warning("OTEL_BSP_*: %s; the standard's values hold", error)
        return BatchSpanProcessor(exporter, 2_048, 5_000, 512, 30_000)


class Relay(SpanExporter):
    """Hands spans on to *exporter* from a thread of its own; `unsent` counts what *exporter* did not take (yet)."""

    def __init__(self, exporter: SpanExporter) -> None:
        self.exporter = exporter
        self.missing = Missing()
        self._queue = batched(_Counting(exporter, self.missing))

    @property
    def unsent(self) -> int:
        """How many of the spans that were handed over did not arrive."""
        return self.missing.total

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Queue *spans*; what becomes of them is not known yet."""
        self.missing.add(spans)
        for span in spans:
            self._queue.on_end(span)
        return SpanExportResult.SUCCESS

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Deliver what is queued."""
        return self._queue.force_flush(timeout_millis)

    def shutdown(self) -> None:
        """Deliver what is queued, then give *exporter* back."""
        self._queue.shutdown()  # type: ignore[no-untyped-call]


class Missing:
    """How many spans have not arrived, in all and by run; beyond `MAX_RUNS` runs only in all."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Count from zero."""
        self.total = 0
        self._runs: dict[str, int] = {}
        self._lock = threading.Lock()

    @property
    def runs(self) -> dict[str, int]:
        """Run id to how many; the empty id has those of whom it is not known."""
        with self._lock:
            known = dict(self._runs)
        if (rest := self.total - sum(known.values())) > 0:
            known[""] = rest
        return known

    def add(self, spans: Sequence[ReadableSpan]) -> None:
        """*spans* are on their way, or lost."""
        with self._lock:
            self.total += len(spans)
            for run, number in _by_run(spans).items():
                if run in self._runs or len(self._runs) < MAX_RUNS:
                    self._runs[run] = self._runs.get(run, 0) + number

    def arrived(self, spans: Sequence[ReadableSpan]) -> None:
        """*spans* are not missing any more."""
        with self._lock:
            self.total -= len(spans)
            for run, number in _by_run(spans).items():
                if (left := self._runs.get(run, 0) - number) > 0:
                    self._runs[run] = left
                else:
                    self._runs.pop(run, None)


def _by_run(spans: Sequence[ReadableSpan]) -> Counter[str]:
    found = Counter(str((span.attributes or {}).get(semconv.RUN_ID, "")) for span in spans)
    found.pop("", None)
    return found


class _Counting(SpanExporter):
    def __init__(self, exporter: SpanExporter, missing: Missing) -> None:
        self._exporter = exporter
        self._missing = missing

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            self._missing.arrived(spans)
        return result

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)

    def shutdown(self) -> None:
        self._exporter.shutdown()


def apart(exporters: Sequence[SpanExporter]) -> list[SpanExporter]:
    """
    *exporters*, of which the first is served at once and the others each from a queue of their own.

    The first is the journal, where there is one: it is near and has what others did not take.
    """
    return [*exporters[:1], *(Relay(exporter) for exporter in exporters[1:])]
