"""
A span of ours has its attributes when a sampler decides and when a processor sees it start.

Where nobody looks they are written the short way, and the span that leaves is the same.
"""

from __future__ import annotations

from unittest.mock import Mock

import pytest
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Decision, ParentBased, Sampler, SamplingResult

import spanledger
from spanledger import runs


class OnlyAgents(Sampler):
    """Somebody's own: keeps what is called an agent."""

    def should_sample(self, parent_context, trace_id, name, kind=None, attributes=None, links=None):
        kept = (attributes or {}).get("gen_ai.operation.name") == "invoke_agent"
        return SamplingResult(Decision.RECORD_AND_SAMPLE if kept else Decision.DROP, attributes)

    def get_description(self):
        return "OnlyAgents"


class Looking(SpanProcessor):
    """Somebody's own: notes what a span has when it starts."""

    def __init__(self):
        self.found = []

    def on_start(self, span, parent_context=None):
        self.found.append(dict(span.attributes))


@pytest.fixture
def traced():
    def make(sampler=ALWAYS_ON, *others, limits=None):
        exporter = InMemorySpanExporter()
        provider = TracerProvider(sampler=sampler, span_limits=limits)
        for processor in (SimpleSpanProcessor(exporter), *others):
            provider.add_span_processor(processor)
        runs.use_provider(provider)
        return exporter

    yield make
    runs.use_provider(None)


def do_something():
    with spanledger.run("support", user_id="u-1") as run, run.step("look"):
        pass


def said(exporter):
    return [dict(span.attributes) for span in exporter.get_finished_spans()]


@pytest.mark.parametrize("wrap", [lambda sampler: sampler, ParentBased], ids=["itself", "for roots"])
def test_a_sampler_of_somebody_else_sees_the_attributes(traced, wrap):
    exporter = traced(wrap(OnlyAgents()))
    do_something()
    assert "invoke_agent support" in [span.name for span in exporter.get_finished_spans()]


def test_a_processor_of_somebody_else_sees_the_attributes(traced):
    looking = Looking()
    traced(ALWAYS_ON, looking)
    do_something()
    assert [found["gen_ai.operation.name"] for found in looking.found] == ["invoke_agent", "step"]


def test_a_processor_that_comes_later_sees_them_too(traced):
    traced()
    do_something()
    looking = Looking()
    runs.provider().add_span_processor(looking)
    do_something()
    assert [found["gen_ai.operation.name"] for found in looking.found] == ["invoke_agent", "step"]


def test_a_processor_that_is_no_class_of_its_own_sees_them(traced):
    mocked, patched, found = Mock(), SimpleSpanProcessor(InMemorySpanExporter()), []
    patched.on_start = lambda span, parent_context=None: found.append(dict(span.attributes))
    for processor in (mocked, patched):
        traced(ALWAYS_ON, processor)
        do_something()
    assert mocked.on_start.call_count == 2
    assert [said["gen_ai.operation.name"] for said in found] == ["invoke_agent", "step"]


def test_what_leaves_is_the_same_whoever_looks(traced):
    unseen = traced()
    do_something()
    seen = traced(ALWAYS_ON, Looking())
    do_something()
    for one, other in zip(said(unseen), said(seen), strict=True):
        assert list(one) == list(other)
        assert one["gen_ai.operation.name"] == other["gen_ai.operation.name"]


def test_limits_on_attributes_hold_where_nobody_looks(traced):
    exporter = traced(limits=SpanLimits(max_span_attributes=3, max_span_attribute_length=4))
    do_something()
    for found in said(exporter):
        assert len(found) <= 3
        assert all(len(value) <= 4 for value in found.values() if isinstance(value, str))
