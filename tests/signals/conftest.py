"""A program that is set up, and what a reader of its metrics collects."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

import spanledger
from spanledger import setup


@pytest.fixture
def reader():
    return InMemoryMetricReader()


@pytest.fixture
def configure(provider, reader):
    def configure(**settings):
        meters = MeterProvider([reader])
        return spanledger.configure(tracer_provider=provider, meter_provider=meters, journal_off=True, **settings)

    yield configure
    while setup._now:
        setup._now.pop().shutdown()
