"""What happens to a finished span or log record before it leaves."""

from __future__ import annotations

from .exporter import ProtectingSpanExporter, otlp_exporter_from_environment
from .logs import ProtectingLogRecordProcessor
from .processor import LedgerSpanProcessor
from .record import Record
from .redact import Redactor
from .steps import Pipeline, Step, default_pipeline, default_steps

__all__ = [
    "LedgerSpanProcessor",
    "Pipeline",
    "ProtectingLogRecordProcessor",
    "ProtectingSpanExporter",
    "Record",
    "Redactor",
    "Step",
    "default_pipeline",
    "default_steps",
    "otlp_exporter_from_environment",
]
