"""
Exporters that may be slow or away, each behind a queue of its own, so that none holds up the others.
"""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

__all__ = ["Relay", "apart"]


class Relay(SpanExporter):
    """Hands spans on to *exporter* from a thread of its own; `unsent` counts what *exporter* did not take (yet)."""

    def __init__(self, exporter: SpanExporter) -> None:
        self.exporter = exporter
        self._counting = _Counting(exporter)
        self._queue = BatchSpanProcessor(self._counting)
        self._given = 0

    @property
    def unsent(self) -> int:
        """How many of the spans that were handed over did not arrive."""
        return self._given - self._counting.sent

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Queue *spans*; what becomes of them is not known yet."""
        for span in spans:
            self._given += 1
            self._queue.on_end(span)
        return SpanExportResult.SUCCESS

    def begin_anew(self) -> None:
        """Count from zero, in a forked child."""
        self._given = self._counting.sent = 0

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Deliver what is queued."""
        return self._queue.force_flush(timeout_millis)

    def shutdown(self) -> None:
        """Deliver what is queued, then give *exporter* back."""
        self._queue.shutdown()  # type: ignore[no-untyped-call]


class _Counting(SpanExporter):
    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self.sent = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            self.sent += len(spans)
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
