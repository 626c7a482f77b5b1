"""
What `opentelemetry-instrument` loads: the configurator that builds the SDK behind our pipeline, and the instrumentor.

With another distribution's configurator in charge only the instrumentor runs; it then protects the provider in place.
What can't be understood or had is said on standard error, and by `doctor`; the rest holds, and the program runs.
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
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
from .greenlets import patient_sdk
from .hashing import configure_hasher
from .journal import Journal, JournalSpanExporter
from .named_exporters import DECLARED, SIGNALS, examined, only
from .notes import note
from .pipeline import (
    LedgerSpanProcessor,
    Pipeline,
    RedactingLogRecordProcessor,
    RedactingSpanExporter,
    default_steps,
    otlp_exporter_from_environment,
    processors_of,
)
from .pipeline.attach import protect_all
from .pipeline.relay import apart
from .shield import shield
from .understood import REFUSED, understood

__all__ = ["Configurator", "Instrumentor", "SpanledgerExporter"]

_protected: Final[list[bool]] = []
"""Not empty when the exporters of the provider stand behind our pipeline."""


@functools.cache
def _say(what: str) -> None:
    """Say *what* on standard error, once."""
    print(f"spanledger: {what}", file=sys.stderr)  # noqa: T201


def _settings() -> Settings:
    """What can be used of the settings; says what can't, and keeps it for `doctor`."""
    settings, refused = understood()
    for each in refused:
        _tell(each)
    if refused:
        _say("carrying on without that; everything else that was set holds")
    configure_hasher(settings)
    return settings


_told: Final[list[str]] = []


def _tell(what: str) -> None:
    """Say *what* is wrong, and keep it for `doctor`."""
    _say(what)
    if what not in _told:
        _told.append(what)


def _otlp() -> list[SpanExporter]:
    """The OTLP exporter that the environment asks for, if it can be had."""
    try:
        otlp = otlp_exporter_from_environment()
    except ConfigurationError as error:
        _tell(f"{error}; spans stay in the journal")
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


_OTHERWISE: Final = {
    "traces": "spans are in the journal, and go to what else is named", "metrics": "that gets no metrics",
    "logs": "that gets no log records",
}  # fmt: skip


def _named() -> dict[str, list[str]]:
    """The exporters that the environment names and that can be had; says which can't."""
    known = {}
    for signal in SIGNALS:
        known[signal], wrong = examined(signal)
        for each in wrong:
            _tell(f"{each} ({_OTHERWISE[signal]})")
    return known


_AS_NAMED: Final = "as the environment says"


@contextmanager
def _said_if_it_fails(how: str) -> Iterator[None]:
    """Say what keeps the SDK from being set up *how* it should be: the program must be watched all the same."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever a package does when it is asked for
        _tell(
            f"OpenTelemetry's SDK can't be set up {how}: {type(error).__name__}: {error}; "
            "the journal is kept, what the SDK did not come to is missing"
        )


class Configurator(_OTelSDKConfigurator):
    """Builds the SDK as the environment says, with our pipeline in front of every exporter."""

    def _configure(self, **kwargs: Any) -> None:
        patient_sdk()
        file = os.environ.get(DECLARED)
        if file or not _takes_processors():  # the instrumentor protects in place
            with _said_if_it_fails(f"as {DECLARED}={file} says" if file else _AS_NAMED):
                super()._configure(**kwargs)  # type: ignore[no-untyped-call]
            return
        settings = _settings()
        outputs = _journal_exporter(settings)
        if not os.environ.get(OTEL_TRACES_EXPORTER):
            outputs += _otlp()
        processors = [LedgerSpanProcessor(outputs, settings=settings), *kwargs.pop("span_processors", ())]
        records = RedactingLogRecordProcessor(settings)
        records.ours = True
        with _said_if_it_fails(_AS_NAMED), only(_named()):
            super()._configure(  # type: ignore[no-untyped-call]
                span_processors=processors,
                log_record_processors=[records, *kwargs.pop("log_record_processors", ())],
                export_span_processor=lambda exporter: LedgerSpanProcessor(exporter, settings=settings, stamps=False),
                **kwargs,
            )
        if settings.redact:  # somebody may have turned the instrumentor off
            protect_all(settings)
        if processors[0] in processors_of(trace.get_tracer_provider()):
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
                _tell(f"{error}; carrying on with the safe defaults")
                setup.start(Settings(), sdk, protected=bool(_protected))
        note(REFUSED, _told)

    def _uninstrument(self, **kwargs: Any) -> None:  # noqa: ARG002 - the base class's signature
        if (made := setup.current()) is not None:
            made.shutdown()


class SpanledgerExporter(RedactingSpanExporter):
    """
    ``OTEL_TRACES_EXPORTER=spanledger``, or the same name in the SDK's declarative configuration file.

    Sends what the pipeline let through to OTLP, where the environment names an endpoint, and to the journal.
    """

    def __init__(self, **given: Any) -> None:
        settings, refused = understood(**given)  # what can't be understood must not stop the SDK
        for each in refused:
            _tell(each)
        super().__init__(apart([*_journal_exporter(settings), *_otlp()]), Pipeline(default_steps(settings)))
