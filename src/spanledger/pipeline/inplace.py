"""
Protecting a whole provider: the span itself is changed while it is ending, before any processor or exporter sees it.

The SDK has no public way to do it, so private fields are written, and every new process tries first on a span of its
own whether that still works.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceFlags

from spanledger.shield import report

from .exporter import RedactingSpanExporter
from .record import Record, without_state
from .steps import Pipeline

__all__ = ["InPlace", "wrap_exporters"]

logger = logging.getLogger("spanledger")

_CANARY: Final = "self-test.4fd0c2@spanledger.invalid"


class InPlace(SpanProcessor):
    """Changes each span while it is ending."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def _on_ending(self, span: Any) -> None:
        try:
            record = self._pipeline.record(span)
            new = record.span()
        except Exception as error:  # noqa: BLE001 - fails closed: nothing but the name of our failure leaves
            _empty(span)
            report("protecting a span in place", error)
            return
        try:
            _write(span, new)
        except Exception as error:  # noqa: BLE001 - fails closed
            _empty(span)
            report("writing a protected span", error)


def _write(span: Any, new: ReadableSpan) -> None:
    held = span._attributes  # noqa: SLF001 - there is no public way, see above
    with held._lock:  # noqa: SLF001
        held._dict.clear()  # noqa: SLF001
        held._dict.update(new.attributes or {})  # noqa: SLF001
    span._name = new.name  # noqa: SLF001
    span._status = new.status  # noqa: SLF001
    span._context = new.context  # noqa: SLF001
    span._resource = new.resource  # noqa: SLF001
    span._instrumentation_scope = new.instrumentation_scope  # noqa: SLF001
    for name, items in (("_events", new.events), ("_links", new.links)):
        bounded = getattr(span, name)
        with bounded._lock:  # noqa: SLF001
            bounded._dq.clear()  # noqa: SLF001
            bounded._dq.extend(items)  # noqa: SLF001


def _empty(span: Any) -> None:
    emptied = {
        "_attributes": {}, "_events": (), "_links": (), "_name": "span", "_status": Status(span.status.status_code),
        "_resource": Resource({}), "_instrumentation_scope": None, "_context": without_state(span.context),
    }  # fmt: skip
    for name, value in emptied.items():
        try:
            setattr(span, name, value)
        except Exception as error:  # noqa: BLE001, PERF203 - the others may still go
            report("emptying a span", error)


class _Seen(SpanExporter):
    def __init__(self) -> None:
        self.text = ""
        self.spans = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        for span in spans:
            self.spans += 1
            self.text += span.to_json()
        return SpanExportResult.SUCCESS


def _hide(record: Record) -> None:
    """Take the canary out: what is tested is the way, not what redaction knows."""
    record.name = "self-test"
    record.attributes = {"self.test": "[HIDDEN]"}
    record.description = "[HIDDEN]"
    for event in record.events:
        event.attributes = {}
    record.links.clear()


def works() -> bool:
    """Whether a canary reaches neither an exporter that was there before us nor one that came after."""
    pipeline = Pipeline([_hide])
    before, after = _Seen(), _Seen()
    provider = TracerProvider(sampler=ALWAYS_ON, resource=Resource({}), shutdown_on_exit=False)
    for processor in (SimpleSpanProcessor(before), InPlace(pipeline), SimpleSpanProcessor(after)):
        provider.add_span_processor(processor)
    link = Link(SpanContext(1, 1, is_remote=False, trace_flags=TraceFlags(1)), {"self.test": _CANARY})
    span = provider.get_tracer("spanledger.self-test").start_span(
        f"ask {_CANARY}", attributes={"self.test": _CANARY}, links=[link]
    )
    span.add_event("self-test", {"self.test": _CANARY})
    span.set_status(StatusCode.ERROR, _CANARY)
    span.end()
    provider.shutdown()
    seen = before.text + after.text
    # no span at all: the SDK is switched off, so nothing can leak
    return _CANARY not in seen and before.spans == after.spans


def wrap_exporters(processors: Sequence[Any], pipeline: Pipeline) -> int:
    """Put a protecting exporter in front of the exporter of each of *processors*; how many there were."""
    wrapped = 0
    for processor in processors:
        for holder in (processor, getattr(processor, "_batch_processor", None)):
            for name in ("_exporter", "span_exporter"):
                exporter = getattr(holder, "__dict__", {}).get(name)
                if isinstance(exporter, SpanExporter) and not isinstance(exporter, RedactingSpanExporter):
                    setattr(holder, name, RedactingSpanExporter([exporter], pipeline))
                    wrapped += 1
    return wrapped
