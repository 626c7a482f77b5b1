"""
Exporters that get spans without our protection: found and named.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from opentelemetry.sdk.trace.export import SpanExporter

from .exporter import RedactingSpanExporter

__all__ = ["BYPASSING", "exporters_of", "name_of", "processors_of", "unprotected"]

BYPASSING: Final = "unprotected"
"""The kind of notes that tell of them."""


def unprotected(provider: Any) -> list[str]:
    """
    The exporters of *provider* that see raw spans, by class and endpoint; none when it is protected in place.

    *provider* is a `TracerProvider`, or the processors themselves.
    """
    processors = list(processors_of(provider))
    if any(getattr(processor, "mode", None) in ("in place", "wrapped") for processor in processors):
        return []
    return [
        name_of(exporter)
        for processor in processors
        for exporter in exporters_of(processor)
        if not isinstance(exporter, RedactingSpanExporter)
    ]


def processors_of(holder: Any) -> Iterator[Any]:
    """The span processors of a provider, those inside composed ones included."""
    holder = getattr(holder, "_active_span_processor", holder)
    for processor in holder if isinstance(holder, (tuple, list)) else getattr(holder, "_span_processors", ()):
        if getattr(processor, "_span_processors", None):
            yield from processors_of(processor)
        else:
            yield processor


def exporters_of(processor: Any) -> list[SpanExporter]:
    """The exporters that *processor* hands spans to."""
    if getattr(processor, "mode", None) is not None:
        return []  # one of ours
    found: list[SpanExporter] = []
    for holder in (processor, getattr(processor, "_batch_processor", None)):
        for name in ("span_exporter", "_exporter", "exporter"):
            exporter = getattr(holder, name, None)
            if isinstance(exporter, SpanExporter) and exporter not in found:
                found.append(exporter)
    return found


def name_of(exporter: SpanExporter, *, short: bool = False) -> str:
    """*exporter* by class, without its module where *short*, and, without credentials, endpoint."""
    kind = type(exporter).__qualname__ if short else f"{type(exporter).__module__}.{type(exporter).__qualname__}"
    endpoint = getattr(exporter, "_endpoint", None) or getattr(exporter, "endpoint", None)
    return f"{kind} ({_without_userinfo(str(endpoint))})" if endpoint else kind


def _without_userinfo(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}".partition("?")[0]
