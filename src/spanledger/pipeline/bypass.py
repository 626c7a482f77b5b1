"""
Exporters that get spans without our protection: found and named, and noted for `spanledger doctor`.

A note stands in the state directory until the same program starts without them.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from opentelemetry.sdk.trace.export import SpanExporter

from spanledger.config import state_directory
from spanledger.shield import shield

from .exporter import RedactingSpanExporter

__all__ = ["exporters_of", "note", "noted", "processors_of", "unprotected"]

_FILE: Final = "unprotected.json"
_MAX_NOTES: Final = 32
_KEPT_SECONDS: Final = 30 * 86_400


def unprotected(provider: Any) -> list[str]:
    """
    The exporters of *provider* that see raw spans, by class and endpoint; none when it is protected in place.

    *provider* is a `TracerProvider`, or the processors themselves.
    """
    processors = list(processors_of(provider))
    if any(getattr(processor, "mode", None) in ("in place", "wrapped") for processor in processors):
        return []
    return [
        _name(exporter)
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


def _name(exporter: SpanExporter) -> str:
    kind = f"{type(exporter).__module__}.{type(exporter).__qualname__}"
    endpoint = getattr(exporter, "_endpoint", None) or getattr(exporter, "endpoint", None)
    return f"{kind} ({_without_userinfo(str(endpoint))})" if endpoint else kind


def _without_userinfo(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}".partition("?")[0]


def note(names: Sequence[str]) -> None:
    """Keep in mind that this program has exporters with *names* that bypass us, or has none of them; never raises."""
    with shield("noting exporters that bypass spanledger"):
        path = state_directory() / _FILE
        program = str(Path(sys.argv[0]).resolve()) if sys.argv and sys.argv[0] else sys.executable
        known = [each for each in noted() if each["program"] != program]
        if not names and not path.exists():
            return
        if names:
            known.append({"program": program, "exporters": list(names), "time": time.time()})
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.write_text(json.dumps(known[-_MAX_NOTES:]), encoding="utf-8")
        draft.chmod(0o600)
        draft.replace(path)


def noted() -> list[dict[str, Any]]:
    """What `note` wrote lately: ``program``, ``exporters``, ``time``; nothing where it can't be read."""
    try:
        found = json.loads((state_directory() / _FILE).read_text(encoding="utf-8"))
        return [each for each in found if each["time"] > time.time() - _KEPT_SECONDS and each["program"]]
    except (OSError, ValueError, TypeError, KeyError):
        return []
