"""
How large what leaves may be: each value, each span, each batch; and what well-known backends allow.

Values are bounded twice: generously before they are scanned, so that no value costs more than it is worth, and to
their limit afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from opentelemetry.sdk.trace import ReadableSpan

from spanledger.config import Settings

from .record import Record
from .truncate import truncate

__all__ = ["PROFILES", "before_scan", "fit", "limits", "size_of", "split"]

PROFILES: Final[Mapping[str, Mapping[str, int]]] = {
    "otlp": {},
    "tempo": {"max_value_bytes": 2048, "max_span_bytes": 1_000_000, "max_batch_bytes": 4_500_000},
    "jaeger": {"max_value_bytes": 65_536, "max_span_bytes": 1_000_000, "max_batch_bytes": 3_500_000},
    "phoenix": {"max_value_bytes": 262_144, "max_span_bytes": 2_000_000, "max_batch_bytes": 8_000_000},
    "grpc": {"max_value_bytes": 65_536, "max_span_bytes": 1_000_000, "max_batch_bytes": 3_500_000},
}
"""
Limits by backend, in bytes.  Tempo cuts values at 2,048 and refuses traces of 5 MB; gRPC receivers refuse messages of
4 MiB, a whole batch at once.
"""

_SCANNED: Final = 262_144
_FLAT: Final = 48
"""About what a number, a time or an id adds on the wire."""


def limits(settings: Settings) -> dict[str, int]:
    """The three limits: what was set, else what the backend's profile says."""
    defaults = Settings()
    profile = PROFILES[settings.backend]
    found = {}
    for name in ("max_value_bytes", "max_span_bytes", "max_batch_bytes"):
        given = getattr(settings, name)
        found[name] = profile.get(name, given) if given == getattr(defaults, name) else given
    return found


def before_scan(record: Record, limit: int) -> None:
    """Cut what is so large that it will be cut anyway."""
    room = max(_SCANNED, 4 * limit)
    truncate(record, room)


def fit(record: Record, value_limit: int, span_limit: int) -> None:
    """Cut values to *value_limit*, and further where the whole is larger than *span_limit*."""
    if value_limit:
        truncate(record, value_limit)
    if not span_limit:
        return
    limit = value_limit or span_limit
    while size_of(record.attributes) + sum(size_of(event.attributes) for event in record.events) > span_limit:
        limit //= 2
        if limit < 64:
            record.events.clear()
            record.links.clear()
            record.attributes = {k: v for k, v in record.attributes.items() if size_of({k: v}) < 256}
            return
        truncate(record, limit)


def size_of(attributes: Any) -> int:
    """About how many bytes *attributes* are on the wire."""
    if isinstance(attributes, (str, bytes)):
        return len(attributes) + 8
    if isinstance(attributes, Mapping):
        return sum(len(str(key)) + size_of(value) + 8 for key, value in attributes.items())
    if isinstance(attributes, (list, tuple)):
        return sum(size_of(item) for item in attributes) + 8
    return _FLAT // 4


def _span_size(span: ReadableSpan) -> int:
    size = 4 * _FLAT + len(span.name) + size_of(span.attributes)
    for event in span.events:
        size += _FLAT + len(event.name) + size_of(event.attributes)
    for link in span.links:
        size += _FLAT + size_of(link.attributes)
    return size


def split(spans: Sequence[ReadableSpan], limit: int) -> Iterator[list[ReadableSpan]]:
    """*spans* in batches of about *limit* bytes at most; one that is larger goes alone."""
    batch: list[ReadableSpan] = []
    size = 0
    for span in spans:
        own = _span_size(span) if limit else 0
        if batch and size + own > limit:
            yield batch
            batch, size = [], 0
        batch.append(span)
        size += own
    if batch:
        yield batch
