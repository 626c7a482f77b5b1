"""What every test stands on: our mistakes are seen, nothing of the user's home is touched, nothing is left over."""

from __future__ import annotations

import base64
import os

import pytest
from hypothesis import settings as hypothesis_settings
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from spanledger import hashing, runs, shield
from spanledger.config import Settings
from spanledger.journal import store
from spanledger.ledger import ledger

hypothesis_settings.register_profile("here", deadline=None)  # no times in tests
hypothesis_settings.load_profile("here")


@pytest.fixture(autouse=True)
def _strict():
    shield.strict(True)
    yield
    shield.strict(False)
    shield.failures.clear()


@pytest.fixture(autouse=True)
def _home(tmp_path_factory, monkeypatch):
    for name in [*os.environ]:
        if name.startswith(("SPANLEDGER_", "OTEL_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    monkeypatch.setenv("SPANLEDGER_HASH_KEY", base64.b64encode(b"k" * 32).decode())


@pytest.fixture(autouse=True)
def _no_run_left():
    yield
    runs.forget()
    runs.configure(Settings())
    ledger._runs.clear()
    ledger._open.clear()
    ledger._started = ledger._ended = ()
    runs.use_provider(None)
    hashing._hasher = None
    runs.configure(Settings())


@pytest.fixture(autouse=True)
def _no_journal_left_open():
    yield
    for journal in list(store._journals):
        journal.close()


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter):
    made = TracerProvider()
    made.add_span_processor(SimpleSpanProcessor(exporter))
    runs.use_provider(made)
    return made


@pytest.fixture
def spans(provider, exporter):
    """The finished spans, by the order in which they ended."""
    return exporter.get_finished_spans
