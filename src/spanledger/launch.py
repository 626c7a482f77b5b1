"""
What `opentelemetry-instrument` loads: the configurator that builds the SDK behind our pipeline, and the instrumentor.

With another distribution's configurator in charge only the instrumentor runs; it then protects the provider in place.
A configuration that can't be understood is said on standard error and the safe defaults hold: the program runs.
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Collection
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.environment_variables import OTEL_TRACES_EXPORTER
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]
from opentelemetry.sdk._configuration import _initialize_components, _OTelSDKConfigurator
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter

from . import setup
from .config import Settings
from .errors import ConfigurationError
from .hashing import configure_hasher
from .journal import Journal, JournalSpanExporter
from .pipeline import (
    LedgerSpanProcessor,
    Pipeline,
    RedactingLogRecordProcessor,
    RedactingSpanExporter,
    default_steps,
    otlp_exporter_from_environment,
)
from .pipeline.attach import protect_all
from .pipeline.relay import apart
from .shield import shield

__all__ = ["Configurator", "Instrumentor", "SpanledgerExporter"]

_protected: Final[list[bool]] = []
"""Not empty when the exporters of the provider stand behind our pipeline."""


@functools.cache
def _say(what: str) -> None:
    """Say *what* on standard error, once."""
    print(f"spanledger: {what}", file=sys.stderr)  # noqa: T201


def _settings() -> Settings:
    try:
        settings = Settings.load()
        configure_hasher(settings)  # a key that is none is found out here
    except ConfigurationError as error:
        _say(f"{error}\nspanledger: carrying on with the safe defaults")
        return Settings()
    return settings


def _otlp() -> list[SpanExporter]:
    """The OTLP exporter that the environment asks for, if it can be had."""
    try:
        otlp = otlp_exporter_from_environment()
    except ConfigurationError as error:
        _say(f"{error}\nspanledger: carrying on without it: spans stay in the journal")
        return []
    return [otlp] if otlp is not None else []


def _journal_exporter(settings: Settings) -> list[SpanExporter]:
    if settings.journal_off:
        return []
    return [JournalSpanExporter(Journal(settings.journal_path, days=settings.journal_days))]


def _takes_processors() -> bool:
    """Whether this SDK lets a distribution bring processors of its own; older ones and a configuration file do not."""
    known = inspect.signature(_initialize_components).parameters
    return {"span_processors", "log_record_processors", "export_span_processor"} <= set(known)


class Configurator(_OTelSDKConfigurator):
    """Builds the SDK as the environment says, with our pipeline in front of every exporter."""

    def _configure(self, **kwargs: Any) -> None:
        if os.environ.get("OTEL_CONFIG_FILE") or not _takes_processors():  # the instrumentor protects in place
            super()._configure(**kwargs)  # type: ignore[no-untyped-call]
            return
        settings = _settings()
        outputs = _journal_exporter(settings)
        if not os.environ.get(OTEL_TRACES_EXPORTER):
            outputs += _otlp()
        super()._configure(  # type: ignore[no-untyped-call]
            span_processors=[LedgerSpanProcessor(outputs, settings=settings), *kwargs.pop("span_processors", ())],
            log_record_processors=[
                RedactingLogRecordProcessor(settings),
                *kwargs.pop("log_record_processors", ()),
            ],
            export_span_processor=lambda exporter: LedgerSpanProcessor(exporter, settings=settings, stamps=False),
            **kwargs,
        )
        if settings.redact:  # the instrumentor comes only where there is a client to watch
            protect_all(settings)
        _protected.append(True)


class Instrumentor(BaseInstrumentor):  # type: ignore[misc]
    """Watches every client that we know; see `spanledger doctor` for what it found."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Nothing is needed: a client that is not installed is not watched."""
        return ()

    def _instrument(self, **kwargs: Any) -> None:  # noqa: ARG002 - the base class's signature
        provider = trace.get_tracer_provider()
        with shield("starting under the launcher"):
            sdk = provider if isinstance(provider, TracerProvider) else None
            try:
                setup.start(_settings(), sdk, protected=bool(_protected))
            except ConfigurationError as error:
                _say(f"{error}\nspanledger: carrying on with the safe defaults")
                setup.start(Settings(), sdk, protected=bool(_protected))

    def _uninstrument(self, **kwargs: Any) -> None:  # noqa: ARG002 - the base class's signature
        if (made := setup.current()) is not None:
            made.shutdown()


class SpanledgerExporter(RedactingSpanExporter):
    """
    ``OTEL_TRACES_EXPORTER=spanledger``, or the same name in the SDK's declarative configuration file.

    Sends what the pipeline let through to OTLP, where the environment names an endpoint, and to the journal.
    """

    def __init__(self, **given: Any) -> None:
        settings = Settings.load(**given)
        otlp = otlp_exporter_from_environment()
        outputs = [*_journal_exporter(settings), *([otlp] if otlp is not None else [])]
        super().__init__(apart(outputs), Pipeline(default_steps(settings)))
