"""What must be over by then is given up, wherever a thread can be had or not; a slow exporter holds no other up."""

from __future__ import annotations

import threading

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from spanledger.config import Settings
from spanledger.pipeline import LedgerSpanProcessor, deadline
from spanledger.pipeline.relay import Relay, apart


def test_works_are_done_side_by_side():
    both = threading.Barrier(2, timeout=60)
    assert deadline.within(60, both.wait, both.wait)


def test_what_takes_too_long_or_says_no_is_told():
    never = threading.Event()
    assert not deadline.within(0.01, lambda: never.wait(60))
    never.set()
    assert not deadline.within(60, bool)
    assert not deadline.within(60, bool, lambda: True)


@pytest.fixture
def no_threads(monkeypatch):
    def start(self):
        raise RuntimeError("can't create new thread at interpreter shutdown")

    return lambda: monkeypatch.setattr(threading.Thread, "start", start)


def test_threads_that_were_kept_ready_do_what_a_new_one_would(no_threads, monkeypatch):
    monkeypatch.setattr(deadline.sys, "version_info", (3, 12, 1))
    monkeypatch.setattr(deadline, "_waiting", [])
    deadline.keep_ready(2)
    no_threads()
    both, seen = threading.Barrier(2, timeout=60), []
    assert deadline.within(60, both.wait, both.wait)
    stuck, over = threading.Event(), threading.Event()
    assert not deadline.within(0.01, stuck.wait, stuck.wait)  # they are there again
    assert deadline.within(60, lambda: seen.append(threading.current_thread()))  # none is left: done here
    assert seen == [threading.current_thread()]
    stuck.set()
    deadline.aside(over.set)
    assert over.wait(60)


class Away(SpanExporter):
    def __init__(self):
        self.back = threading.Event()

    def export(self, spans):
        self.back.wait(60)
        return SpanExportResult.SUCCESS


class Near(InMemorySpanExporter):
    def __init__(self):
        super().__init__()
        self.here = threading.Event()

    def export(self, spans):
        result = super().export(spans)
        self.here.set()
        return result


def test_a_dead_collector_does_not_keep_spans_from_the_journal(caplog):
    near, away = Near(), Away()
    processor = LedgerSpanProcessor([near, away], settings=Settings(flush_seconds=2, redact=False))
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(processor)
    tracer = provider.get_tracer("app")
    for _ in range(600):  # more than a batch: the second one waits for nobody
        tracer.start_span("x").end()
    provider.shutdown()
    assert len(near.get_finished_spans()) == 600
    assert processor.unsent == 600
    assert caplog.text.count("600 spans were left unsent") == 1
    provider.shutdown()
    assert caplog.text.count("unsent") == 1
    away.back.set()


def test_only_those_after_the_first_have_a_queue():
    near, far = InMemorySpanExporter(), InMemorySpanExporter()
    assert apart([near]) == [near]
    first, second = apart([near, far])
    assert first is near
    assert isinstance(second, Relay)
    second.shutdown()


def test_the_exit_waits_for_patterns_that_are_being_made(monkeypatch):
    """A thread that is in C++ when the interpreter ends aborts the process."""
    begun, go_on, seen = threading.Event(), threading.Event(), []

    def warm(self):
        seen.append(threading.current_thread())
        begun.set()
        go_on.wait(60)

    monkeypatch.setattr(LedgerSpanProcessor, "_warm", warm)
    LedgerSpanProcessor(settings=Settings())
    begun.wait(60)
    go_on.set()
    assert [thread.daemon for thread in seen] == [False]
