"""Exporters that see only what may leave."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Final

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from spanledger.errors import ConfigurationError
from spanledger.shield import report

from .bounds import split
from .relay import Relay
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
        """How many spans went through here, whatever became of them."""
        self._unsent: dict[str, int] = {}
        self._lock = threading.Lock()
        self._inside = threading.Lock()
        """Held while a span is in the pipeline."""
        self._closed = self._given_up = False

    @property
    def unsent(self) -> dict[str, int]:
        """How many spans each exporter did not take (yet), by its class."""
        waiting = {type(e.exporter).__name__: e.unsent for e in self.exporters if isinstance(e, Relay) and e.unsent}
        return {**self._unsent, **waiting}

    def begin_anew(self) -> None:
        """Count from zero, in a forked child."""
        self.done, self._unsent, self._lock, self._inside = 0, {}, threading.Lock(), threading.Lock()
        for exporter in self.exporters:
            if isinstance(exporter, Relay):
                exporter.begin_anew()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Protect *spans* and send them to all; failure when any of the exporters failed."""
        if self._closed:
            return SpanExportResult.FAILURE
        result = SpanExportResult.SUCCESS
        protected = [*self._protected(spans)]
        if len(protected) < len(spans):
            return SpanExportResult.FAILURE
        for batch in split(protected, self.pipeline.batch_bytes):
            for exporter in self.exporters:
                if not self._send(exporter, batch):
                    result = SpanExportResult.FAILURE
        self.done += len(spans)
        return result

    def _protected(self, spans: Sequence[ReadableSpan]) -> Iterator[ReadableSpan]:
        for span in spans:
            with self._inside:
                if self._given_up:
                    return
                protected = self.pipeline(span)
            yield protected

    def give_up(self, seconds: float = 1.0) -> None:
        """
        Protect nothing any more; waits *seconds* at most for the span that is in the pipeline.

        An interpreter that ends while a thread of the SDK's is inside of RE2 aborts: it can't unwind what is C++.
        """
        self._given_up = True
        if self._inside.acquire(timeout=seconds):
            self._inside.release()

    def _send(self, exporter: SpanExporter, spans: Sequence[ReadableSpan]) -> bool:
        try:
            if exporter.export(spans) is SpanExportResult.SUCCESS:
                return True
        except Exception as error:  # noqa: BLE001 - one exporter must not hurt the others
            if len(spans) > 1 and not isinstance(error, OSError):
                # one of them can't be encoded: the others must not pay for it
                half = len(spans) // 2
                return self._send(exporter, spans[:half]) & self._send(exporter, spans[half:])
            self._count(exporter, len(spans))
            report(f"exporting to {type(exporter).__name__}", error)
            return False
        self._count(exporter, len(spans))
        return False

    def _count(self, exporter: SpanExporter, number: int) -> None:
        if getattr(exporter, "counts_losses", False):  # the journal says itself what it could not write
            return
        name = type(exporter).__name__
        with self._lock:
            self._unsent[name] = self._unsent.get(name, 0) + number

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
