"""A key of our own, and a provider that keeps what it exports."""

from __future__ import annotations

import base64

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from spanledger import hashing, shield
from spanledger.config import Settings

KEY = base64.b64encode(b"k" * 32).decode()


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setattr(hashing, "_hasher", hashing.Hasher(Settings(hash_key=KEY)))


@pytest.fixture
def lenient():
    """As in production: our mistakes are counted, not raised."""
    shield.strict(on=False)


@pytest.fixture
def finished():
    """A function that makes one finished span."""
    memory = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": "tests"}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))

    def make(name="chat gpt-5", attributes=None, *, events=(), description=None, links=None, kind=None, scope="tests"):
        from opentelemetry.trace import SpanKind, StatusCode

        memory.clear()
        span = provider.get_tracer(scope).start_span(
            name, attributes=attributes or {}, links=links, kind=kind or SpanKind.CLIENT
        )
        for event, content in events:
            span.add_event(event, content)
        if description is not None:
            span.set_status(StatusCode.ERROR, description)
        span.end()
        return memory.get_finished_spans()[0]

    yield make
    provider.shutdown()
