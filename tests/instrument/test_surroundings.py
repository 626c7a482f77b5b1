"""Context variables around and inside the reads of a stream are those of a program without us."""

from __future__ import annotations

import asyncio
import contextvars
import threading

import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace

from clients import CASES, clients
from driving import drain, only
from spanledger.config import Settings
from spanledger.instrument import instrument
from wires import Pieces, httpx

REQUEST = contextvars.ContextVar("request")
COUNT = contextvars.ContextVar("count", default=0)
ODD = contextvars.ContextVar("odd", default=None)


class Odd:
    """What can't be compared, like an array."""

    def __eq__(self, other):
        raise ValueError("the truth value is ambiguous")

    __hash__ = None


class Telling(Pieces):
    """A transport of the user's that reads and sets context variables while the body arrives."""

    def __init__(self, pieces, told, *, resets=True):
        super().__init__(pieces)
        self._told, self._resets = told, resets

    def _tell(self, at):
        self._told.append((REQUEST.get(None), COUNT.get(), trace.get_current_span().get_span_context().is_valid))
        COUNT.set(COUNT.get() + 1)
        if at == 2:
            self._token = REQUEST.set("theirs")
        if at == 3 and self._resets:
            REQUEST.reset(self._token)

    def __iter__(self):
        for at, piece in enumerate(super().__iter__()):
            self._tell(at)
            yield piece

    async def __aiter__(self):
        at = 0
        async for piece in super().__aiter__():
            self._tell(at)
            at += 1
            yield piece


def for_loop(stream, each):
    for _ in stream:
        each()


def by_next(stream, each):
    while next(stream, None) is not None:
        each()


def in_threads(stream, each):
    """As a web server does that sends what a synchronous generator gives; a token is of no use in another thread."""
    reading, context, left = iter(stream), contextvars.copy_context(), []

    def one():
        left.append(next(reading, None))

    while not left or left[-1] is not None:
        thread = threading.Thread(target=context.copy().run, args=(one,))
        thread.start()
        thread.join()
        each()


def in_a_generator(stream, each):
    def passed_on():
        yield from stream

    for _ in passed_on():
        each()


@pytest.mark.parametrize("way", [for_loop, by_next, in_threads, in_a_generator], ids=lambda way: way.__name__)
def test_reads_see_and_change_the_readers_variables(answers, provider, spans, way, caplog):
    def once():
        told, seen = [], []

        def each():
            seen.append((REQUEST.get(None), COUNT.get()))
            if len(seen) == 1:
                REQUEST.set("first")
            ODD.set(Odd())

        def reads():
            answers.queue = [Telling(list(CASES[0].events), told, resets=way is not in_threads)]
            stream = CASES[0].stream(clients(answers)["openai"][0])
            COUNT.set(10)
            way(stream, each)
            seen.append(COUNT.get())

        contextvars.copy_context().run(reads)
        return [said[:2] for said in told], seen, {said[2] for said in told}

    before = once()
    with instrument(Settings(), tracer_provider=provider):
        during = once()
    assert during[:2] == before[:2]
    assert (before[2], during[2]) == ({False}, {True})
    assert only(spans).attributes["agent.stream.end"] == "drained"
    assert "detach" not in caplog.text


def test_asynchronous_reads_do_as_well(answers, provider, spans):
    def once():
        told, seen = [], []

        async def reads():
            answers.queue = [Telling(list(CASES[0].events), told)]
            COUNT.set(10)
            async for _ in await CASES[0].stream(clients(answers)["openai"][1]):
                seen.append((REQUEST.get(None), COUNT.get()))
                REQUEST.set(len(seen))
            seen.append(COUNT.get())

        asyncio.run(reads())
        return [said[:2] for said in told], seen

    before = once()
    with instrument(Settings(), tracer_provider=provider):
        assert once() == before
    assert len(spans()) == 1


def test_what_a_failing_read_set_is_there(answers, provider):
    class Failing(Telling):
        def __iter__(self):
            yield from super().__iter__()
            COUNT.set(99)
            raise httpx.ReadError("gone")

    def once():
        answers.queue = [Failing(list(CASES[0].events[:2]), [])]
        with pytest.raises(Exception, match="gone|onnection"):
            drain(lambda: CASES[0].stream(clients(answers)["openai"][0]))
        return COUNT.get()

    with instrument(Settings(), tracer_provider=provider):
        assert contextvars.copy_context().run(once) == 99


def test_a_context_that_the_reader_attaches_between_reads_stays_the_readers(answers, watching, caplog):
    told = []
    answers.queue = [Telling(list(CASES[0].events), told)]
    key = otel_context.create_key("ours")
    for _ in CASES[0].stream(clients(answers)["openai"][0]):
        token = otel_context.attach(otel_context.set_value(key, 1))
        assert otel_context.get_value(key) == 1
        otel_context.detach(token)
    assert all(said[2] for said in told)
    assert not trace.get_current_span().get_span_context().is_valid
    assert "detach" not in caplog.text
