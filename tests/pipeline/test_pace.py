"""Thousands of runs that end at once: no queue overflows while those who export keep up, and none is waited for forever."""

from __future__ import annotations

import contextlib
import threading
from contextvars import Context

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.util._once import Once

import spanledger
from spanledger.config import Settings
from spanledger.pipeline import LedgerSpanProcessor, native
from spanledger.pipeline.exporter import RedactingSpanExporter
from spanledger.pipeline.pace import Pace
from spanledger.pipeline.steps import Pipeline
from spanledger.runs import run

RUNS = 600


@pytest.fixture(autouse=True)
def _small_queues(monkeypatch):
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "64")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "64")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "3600000")  # nothing leaves on its own


def names(exporter):
    return [span.name for span in exporter.get_finished_spans()]


@pytest.mark.parametrize("how", ["one made for us", "the program's own"])
def test_no_run_that_is_left_is_lost_at_exit(how, tmp_path, monkeypatch):
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)  # the global one that is made is gone afterwards
    monkeypatch.setattr(trace, "_TRACER_PROVIDER_SET_ONCE", Once())
    memory, provider = InMemorySpanExporter(), None
    if how == "the program's own":
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(memory))
    made = spanledger.configure(
        tracer_provider=provider, exporters=[] if provider else [memory], instrument=False,
        journal=tmp_path / "journal.db", flush_seconds=60,
    )  # fmt: skip
    try:
        for number in range(RUNS):
            Context().run(run(f"r{number}").__enter__)
        made.finish()
        if provider is not None:
            provider.force_flush()
        assert sorted(names(memory)) == sorted(f"invoke_agent r{number}" for number in range(RUNS))
        assert not made.journal.lost
    finally:
        made.shutdown()


class Stuck(SpanExporter):
    def __init__(self):
        self.over = threading.Event()

    def export(self, spans):
        self.over.wait(60)
        return SpanExportResult.SUCCESS

    def shutdown(self):
        self.over.set()


def test_one_that_is_stuck_is_given_up_and_holds_no_other_up():
    memory, stuck = InMemorySpanExporter(), Stuck()
    provider = TracerProvider(shutdown_on_exit=False)
    processor = LedgerSpanProcessor([memory, stuck], settings=Settings(flush_seconds=0.1))
    provider.add_span_processor(processor)
    tracer, pace = provider.get_tracer("t"), Pace(provider, 5.0)
    for number in range(RUNS):
        tracer.start_span(f"s{number}").end()
        pace()
    assert len(names(memory)) >= RUNS - 16  # the rest is in the queue
    assert pace._going_on
    stuck.over.set()
    provider.shutdown()


def test_flushing_delivers_to_every_exporter():
    near, far = InMemorySpanExporter(), InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(LedgerSpanProcessor([near, far], settings=Settings()))
    provider.get_tracer("t").start_span("one").end()
    assert provider.force_flush()
    assert names(near) == names(far) == ["one"]
    provider.shutdown()


def test_after_giving_up_no_thread_enters_the_pipeline(finished):
    inside, go_on = threading.Event(), threading.Event()

    def wait(record):
        inside.set()
        go_on.wait(60)

    memory = InMemorySpanExporter()
    exporter = RedactingSpanExporter([memory], Pipeline((wait,)))
    results = []
    worker = threading.Thread(target=lambda: results.append(exporter.export([finished(), finished()])))
    worker.start()
    assert inside.wait(60)
    given_up = threading.Thread(target=exporter.give_up, args=(60,))
    given_up.start()
    while not exporter._given_up:
        pass
    inside.clear()
    go_on.set()
    worker.join(60)
    given_up.join(60)
    assert results == [SpanExportResult.FAILURE]
    assert not inside.is_set()
    assert exporter.export([finished()]) is SpanExportResult.FAILURE
    assert not names(memory)


def test_giving_up_waits_for_who_is_in_native_code_and_lets_it_in_no_more(finished):
    """An interpreter that ends while a thread is inside of C++ aborts."""
    inside, go_on, again = threading.Event(), threading.Event(), []

    def search(record):
        thread = native.enter()
        inside.set()
        go_on.wait(60)
        native.leave(thread)
        again.append("left")
        while thread not in native._barred:
            pass
        native.enter()
        again.append("entered")

    memory = InMemorySpanExporter()
    exporter = RedactingSpanExporter([memory], Pipeline((search,)))

    def export():
        with contextlib.suppress(SystemExit):  # of which Python says nothing, but pytest does
            exporter.export([finished()])

    worker = threading.Thread(target=export)
    worker.start()
    assert inside.wait(60)
    over = threading.Event()
    given_up = threading.Thread(target=lambda: (exporter.give_up(60), over.set()))
    given_up.start()
    while worker.ident not in native._barred:
        pass
    assert not over.is_set()
    go_on.set()
    worker.join(60)
    given_up.join(60)
    assert over.is_set()
    assert again == ["left"]
    assert not names(memory)
    assert not native._inside
    assert not native._barred


@pytest.mark.parametrize("variable", ["OTEL_BSP_MAX_QUEUE_SIZE", "OTEL_BSP_SCHEDULE_DELAY"])
def test_a_queue_whose_size_or_delay_means_nothing_is_the_standards(variable, monkeypatch, caplog):
    monkeypatch.setenv(variable, "-1")
    memory, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(LedgerSpanProcessor([memory], settings=Settings()))
    provider.get_tracer("t").start_span("one").end()
    assert provider.force_flush()
    assert names(memory) == ["one"]
    assert "the standard's values hold" in caplog.text
    provider.shutdown()
