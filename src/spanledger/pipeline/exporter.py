"""Exporters that see only what may leave."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from threading import get_ident
from typing import Final

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from spanledger.errors import ConfigurationError
from spanledger.shield import report

from . import native
from .bounds import split
from .relay import Missing, Relay
from .steps import Pipeline

__all__ = ["RedactingSpanExporter", "otlp_exporter_from_environment"]

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


class RedactingSpanExporter(SpanExporter):
    """
    Runs the pipeline and hands the same protected copies to each exporter.

    Works on the thread that calls it: put it inside a `BatchSpanProcessor`.  An exporter that fails does not hurt the
    others.
    """

    def __init__(self, exporters: Sequence[SpanExporter], pipeline: Pipeline) -> None:
        self.exporters = tuple(exporters)
        self.pipeline = pipeline
        self.done = 0
        """How many spans went through the pipeline, whatever became of them."""
        self.handed_on = 0
        """How many were handed to each exporter, whether it took them or not."""
        # the journal says itself what it could not write, and a relay what it could not send
        known = [isinstance(each, Relay) or getattr(each, "counts_losses", False) for each in self.exporters]
        self._missing = [None if elsewhere else Missing() for elsewhere in known]
        self._inside = threading.Lock()
        """Held while a span is in the pipeline."""
        self._thread: int | None = None
        self._closed = self._given_up = False

    @property
    def unsent(self) -> dict[str, int]:
        """How many spans each exporter did not take (yet), by its class."""
        found: Counter[str] = Counter()
        for exporter, missing in self.missing():
            found[type(exporter).__name__] += missing.total
        return dict(+found)

    def missing(self) -> list[tuple[SpanExporter, Missing]]:
        """What each exporter did not take (yet)."""
        relays = [(each.exporter, each.missing) for each in self.exporters if isinstance(each, Relay)]
        ours = [(each, found) for each, found in zip(self.exporters, self._missing, strict=True) if found is not None]
        return [*ours, *relays]

    def begin_anew(self) -> None:
        """Count from zero, in a forked child."""
        self.done = self.handed_on = 0
        self._inside, self._thread = threading.Lock(), None
        for _, missing in self.missing():
            missing.forget()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Protect *spans* and send them to all; failure when any of the exporters failed."""
        if self._closed:
            return SpanExportResult.FAILURE
        result = SpanExportResult.SUCCESS
        protected = [*self._protected(spans)]
        if len(protected) < len(spans):
            return SpanExportResult.FAILURE
        self.done += len(spans)
        for batch in split(protected, self.pipeline.batch_bytes):
            for exporter, missing in zip(self.exporters, self._missing, strict=True):
                if missing is not None:
                    missing.add(batch)
                if not self._send(exporter, batch, missing):
                    result = SpanExportResult.FAILURE
            self.handed_on += len(batch)
        return result

    def _protected(self, spans: Sequence[ReadableSpan]) -> Iterator[ReadableSpan]:
        for span in spans:
            with self._inside:
                self._thread = me = get_ident()
                native.watch(me)
                try:
                    if self._given_up:
                        return
                    protected = self.pipeline(span)
                finally:
                    self._thread = None
                    native.admit(me)
            yield protected

    def give_up(self, seconds: float = 5.0) -> None:
        """Protect nothing any more, for the process ends; waits *seconds* at most for RE2, see `native`."""
        self._given_up = True
        if (thread := self._thread) is not None:
            native.bar(thread, seconds)

    def _send(self, exporter: SpanExporter, spans: Sequence[ReadableSpan], missing: Missing | None) -> bool:
        try:
            if exporter.export(spans) is SpanExportResult.SUCCESS:
                if missing is not None:
                    missing.arrived(spans)
                return True
        except Exception as error:  # noqa: BLE001 - one exporter must not hurt the others
            if len(spans) > 1 and not isinstance(error, OSError):
                # one of them can't be encoded: the others must not pay for it
                half = len(spans) // 2
                return self._send(exporter, spans[:half], missing) & self._send(exporter, spans[half:], missing)
            report(f"exporting to {type(exporter).__name__}", error)
        return False

    def shutdown(self) -> None:
        """Shut the exporters down, each once, whatever the others do."""
        if self._closed:
            return
        self._closed = True
        for exporter in self.exporters:
            try:
                exporter.shutdown()
            except Exception as error:  # noqa: BLE001, PERF203 - the others must be shut down as well
                report(f"shutting down {type(exporter).__name__}", error)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush the exporters within *timeout_millis*; whether all did."""
        deadline = time.monotonic() + timeout_millis / 1000
        flushed = True
        for exporter in self.exporters:
            left = max(1, int((deadline - time.monotonic()) * 1000))
            try:
                flushed &= bool(exporter.force_flush(left))
            except Exception as error:  # noqa: BLE001 - the others must be flushed as well
                report(f"flushing {type(exporter).__name__}", error)
                flushed = False
        return flushed


def otlp_exporter_from_environment() -> SpanExporter | None:
    """
    The OTLP exporter that the standard variables ask for; `None` when they name no endpoint.

    ``OTEL_EXPORTER_OTLP_(TRACES_)PROTOCOL`` chooses; HTTP with protobuf unless it says ``grpc``.
    """
    if not any(os.environ.get(name) for name in _ENDPOINTS):
        return None
    protocol = next((value for name in _PROTOCOLS if (value := os.environ.get(name, "").strip())), "http/protobuf")
    if protocol == "grpc":
        try:
            from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (  # noqa: PLC0415 - an extra
                OTLPSpanExporter as GrpcExporter,
            )
        except ImportError as error:
            msg = "OTEL_EXPORTER_OTLP_PROTOCOL is 'grpc', which needs: pip install 'spanledger[grpc]'"
            raise ConfigurationError(msg) from error
        exporter: SpanExporter = GrpcExporter()
        return exporter
    if protocol != "http/protobuf":
        msg = f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol!r}; the Python exporters speak 'grpc' and 'http/protobuf'"
        raise ConfigurationError(msg)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - heavy
        OTLPSpanExporter as HttpExporter,
    )

    return HttpExporter()
