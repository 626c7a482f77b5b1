"""Spans for a test to look at: everything that ends while a block runs."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, overload

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider

from .. import runs, semconv

__all__ = ["Spans", "capture_spans"]


class Spans(Sequence[ReadableSpan]):
    """Finished spans in the order in which they ended."""

    def __init__(self, found: Sequence[ReadableSpan] = ()) -> None:
        self._found = list(found)
        self._lock = threading.Lock()

    @overload
    def __getitem__(self, index: int) -> ReadableSpan: ...
    @overload
    def __getitem__(self, index: slice) -> Spans: ...
    def __getitem__(self, index: int | slice) -> ReadableSpan | Spans:
        return Spans(self._found[index]) if isinstance(index, slice) else self._found[index]

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        return f"Spans({[span.name for span in self._found]})"

    def add(self, span: ReadableSpan) -> None:
        """Take one more; from any thread."""
        with self._lock:
            self._found.append(span)

    def of(self, operation: str, **attributes: Any) -> Spans:
        """
        Those of one GenAI operation (``chat``, ``execute_tool``, ``invoke_agent`` ...).

        *attributes* must all be equal, written with ``_`` for ``.``: ``gen_ai_tool_name="send"``.
        """
        return Spans([span for span in self if _operation(span) == operation and _matches(span, attributes)])

    def one(self, operation: str, **attributes: Any) -> ReadableSpan:
        """The only one of *operation*; `AssertionError`, saying what there is, when there are none or several."""
        found = self.of(operation, **attributes)
        if len(found) != 1:
            raise AssertionError(f"{len(found)} spans of {operation!r} {attributes or ''}; there are {self!r}")
        return found[0]

    def under(self, parent: ReadableSpan) -> Spans:
        """The direct children of *parent*."""
        assert parent.context is not None  # noqa: S101 - finished spans have one
        wanted = parent.context.span_id
        return Spans([span for span in self if span.parent is not None and span.parent.span_id == wanted])


def _operation(span: ReadableSpan) -> Any:
    return (span.attributes or {}).get(semconv.OPERATION)


def _matches(span: ReadableSpan, attributes: dict[str, Any]) -> bool:
    found = {name.replace(".", "_"): value for name, value in (span.attributes or {}).items()}
    return all(name in found and found[name] == value for name, value in attributes.items())


class _Collector(SpanProcessor):
    """Hands ended spans to whoever listens just now; one for each provider, as none can be taken off again."""

    looks_at_start = False

    def __init__(self) -> None:
        self.listeners: list[Spans] = []

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        if self.listeners:
            runs.stamp(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        for spans in tuple(self.listeners):
            spans.add(span)


_collectors: weakref.WeakKeyDictionary[TracerProvider, _Collector] = weakref.WeakKeyDictionary()


@contextmanager
def capture_spans(provider: TracerProvider | None = None) -> Iterator[Spans]:
    """
    Collect all spans that end in the block, as they are before redaction and prices.

    From *provider*, else from the one that spanledger makes its spans with; where no SDK is set up, from a private one
    that spanledger uses for as long as the block runs.
    """
    before = runs.provider()
    current = provider or before
    private = not isinstance(current, TracerProvider)
    source = current if isinstance(current, TracerProvider) else TracerProvider()
    collector = _collectors.get(source)
    if collector is None:
        collector = _collectors[source] = _Collector()
        source.add_span_processor(collector)
    spans = Spans()
    collector.listeners.append(spans)
    if private:
        runs.use_provider(source)
    try:
        yield spans
    finally:
        collector.listeners.remove(spans)
        if private:
            runs.use_provider(None if before is trace.get_tracer_provider() else before)
            source.shutdown()
