"""
Finished spans into the journal.

It stands behind the redaction: what it is given is what it keeps.
"""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from ..shield import shield
from .program import version_of
from .rows import RunRow, SpanRow
from .store import Journal

__all__ = ["JournalSpanExporter"]


class JournalSpanExporter(SpanExporter):
    """
    Keeps the spans that belong to a run; others are none of the journal's business.

    Never raises.  `FAILURE` means that the spans were lost, and counted; trying again is pointless.
    """

    counts_losses = True

    def __init__(self, journal: Journal) -> None:
        self._journal: Journal | None = journal

    def move(self, journal: Journal | None) -> None:
        """Write to another *journal* from now on, or to none."""
        self.shutdown()
        self._journal = journal

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Store *spans*; a run whose own span is among them is stored too, if nobody else did."""
        rows: list[SpanRow] = []
        runs: list[RunRow] = []
        for span in spans:
            with shield("reading a span for the journal"):
                if (row := SpanRow.of(span)) is None:
                    continue
                rows.append(row)
                if run := RunRow.of_span(row, version_of(span.resource.attributes)):
                    runs.append(run)
        with shield("writing spans to the journal"):
            if self._journal is None or self._journal.write_spans(rows, runs):
                return SpanExportResult.SUCCESS
        return SpanExportResult.FAILURE

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - the interface
        """Nothing is held back, so there is nothing to do."""
        return True

    def shutdown(self) -> None:
        """Give the file back."""
        with shield("closing the journal"):
            if self._journal is not None:
                self._journal.close()
