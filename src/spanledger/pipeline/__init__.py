"""What happens to a finished span or log record before it leaves."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .bypass import BYPASSING, processors_of, unprotected
from .exporter import RedactingSpanExporter, otlp_exporter_from_environment
from .processor import LedgerSpanProcessor
from .record import Record
from .steps import Pipeline, Step, default_pipeline, default_steps

if TYPE_CHECKING:
    from .baggage import RedactingPropagator
    from .explained import Explained, explain, redacted
    from .logs import RedactingLogRecordProcessor
    from .metrics import RedactingMetricExporter
    from .redact import Redactor

__all__ = [
    "BYPASSING",
    "Explained",
    "LedgerSpanProcessor",
    "Pipeline",
    "Record",
    "RedactingLogRecordProcessor",
    "RedactingMetricExporter",
    "RedactingPropagator",
    "RedactingSpanExporter",
    "Redactor",
    "Step",
    "default_pipeline",
    "default_steps",
    "explain",
    "otlp_exporter_from_environment",
    "processors_of",
    "redacted",
    "unprotected",
]

_LATER = {
    "Explained": "explained",
    "RedactingLogRecordProcessor": "logs",
    "RedactingMetricExporter": "metrics",
    "RedactingPropagator": "baggage",
    "Redactor": "redact",
    "explain": "explained",
    "redacted": "explained",
}


def __getattr__(name: str) -> Any:
    """Import what is heavy when it is asked for."""
    if name in _LATER:
        return getattr(import_module(f".{_LATER[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
