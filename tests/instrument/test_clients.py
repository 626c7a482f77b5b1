"""Every client, called in every way: one call, one span, the same result."""

from __future__ import annotations

import asyncio
import gc
import inspect

import pytest

from clients import CASES, clients
from more_clients import MORE_CASES
from spanledger.config import Settings
from spanledger.instrument import instrument
from spanledger.ledger import ledger
from wires import Answers, Pieces, httpx


@pytest.fixture
def answers():
    return Answers()


@pytest.fixture
def watching(provider):
    with instrument(Settings(content="span_only"), tracer_provider=provider) as watching:
        yield watching


@pytest.fixture(params=CASES + MORE_CASES, ids=lambda case: case.name)
def case(request):
    if request.param.package:
        pytest.importorskip(request.param.package)
    return request.param


@pytest.fixture(params=["sync", "async"])
def asynchronous(request, case):
    if request.param == "async" and not case.asynchronous:
        pytest.skip("the client has no asynchronous form")
    return request.param == "async"


@pytest.fixture
def made(answers, watching, case, asynchronous):
    return case.made(answers, asynchronous)


def run(value):
    """The value, or what the coroutine gives."""

    async def waited():
        return await value

    return asyncio.run(waited()) if inspect.isawaitable(value) else value


def drain(stream, *, stop=None, close=False, fail=None):
    """Read a stream of either kind, in one of the ways that a program may end it."""
    read = []

    def took(chunk):
        read.append(chunk)
        if fail is not None:
            raise fail
        return stop is not None and len(read) >= stop

    if not inspect.isawaitable(stream) and not hasattr(stream, "__anext__"):
        for chunk in stream:
            if took(chunk):
                break
        if close:
            stream.close()
        return read

    async def asynchronously():
        opened = await stream if inspect.isawaitable(stream) else stream
        async for chunk in opened:
            if took(chunk):
                break
        if close:
            await getattr(opened, "aclose", getattr(opened, "close", None))()
        return read

    return asyncio.run(asynchronously())


def only(spans):
    found = [span for span in spans() if span.instrumentation_scope.name == "spanledger"]
    assert len(found) == 1
    return found[0]


def test_a_call_is_one_span(case, made, answers, spans):
    answers.queue = [case.answer]
    result = run(case.call(made))
    span = only(spans)
    assert span.name == f"{case.operation} {case.model}"
    said = span.attributes
    assert said["gen_ai.operation.name"] == case.operation
    assert said["gen_ai.provider.name"] == case.provider
    assert said["gen_ai.request.model"] == case.model
    assert said["gen_ai.response.finish_reasons"] == (case.finish,)
    assert (said["gen_ai.usage.input_tokens"], said["gen_ai.usage.output_tokens"]) == case.tokens
    assert said["agent.usage.source"] == "provider"
    assert "Hello there" in said["gen_ai.output.messages"]
    assert "Hi" in said["gen_ai.input.messages"]
    assert said["agent.run.stop_reason"] == "completed"
    assert said["server.address"].endswith(".test")
    assert span.status.is_unset
    assert result is not None


def test_a_drained_stream_is_one_span(case, made, answers, spans):
    answers.queue = [list(case.events)]
    chunks = drain(case.stream(made))
    said = only(spans).attributes
    assert chunks
    assert said["gen_ai.request.stream"] is True
    assert said["agent.stream.end"] == "drained"
    assert said["gen_ai.response.finish_reasons"] == (case.finish,)
    assert (said["gen_ai.usage.input_tokens"], said["gen_ai.usage.output_tokens"]) == case.tokens
    assert "Hello there" in said["gen_ai.output.messages"]
    assert said["gen_ai.response.time_to_first_chunk"] >= 0


def test_a_stream_that_is_broken_off_ends_when_nobody_holds_it(case, made, answers, spans):
    answers.queue = [list(case.events)]
    drain(case.stream(made), stop=1)
    gc.collect()
    said = only(spans).attributes
    assert said["agent.stream.end"] in ("abandoned", "cancelled")
    assert said["agent.run.stop_reason"] == "cancelled"
    assert not ledger.going_on()


def test_a_stream_that_fails_is_an_error_with_what_arrived(case, made, answers, spans):
    answers.queue = [Pieces(list(case.events[:2]), httpx.ReadError("gone"))]
    with pytest.raises(Exception, match="gone|onnection"):
        drain(case.stream(made))
    span = only(spans)
    assert span.attributes["agent.stream.end"] == "error"
    assert span.attributes["agent.error.class"] == "connection"
    assert not span.status.is_ok
    assert "gone" not in (span.status.description or "")


def test_a_consumer_that_fails_ends_the_call_once(case, made, answers, spans):
    answers.queue = [list(case.events)]
    with pytest.raises(KeyError):
        drain(case.stream(made), fail=KeyError("theirs"))
    gc.collect()
    assert only(spans).attributes["agent.stream.end"] in ("abandoned", "closed", "cancelled")


def test_an_error_status_is_classified(case, made, answers, spans):
    answers.queue = [case.error]
    with pytest.raises(Exception, match="slow down"):
        run(case.call(made))
    span = only(spans)
    assert span.attributes["agent.error.class"] == "rate_limited"
    assert span.attributes["agent.usage.source"] == "unknown"
    assert "slow down" not in (span.status.description or "")
    assert span.attributes["agent.run.stop_reason"] == "model_error"


def test_results_are_those_of_a_program_without_us(case, answers, provider, asynchronous):
    def both():
        answers.queue = [case.answer, list(case.events)]
        client = case.made(answers, asynchronous)
        whole = run(case.call(client))
        return whole, drain(case.stream(client))

    def plain(value):
        dumped = value.model_dump() if hasattr(value, "model_dump") else value
        if isinstance(dumped, dict):
            dumped.pop("sdk_http_response", None)
        return type(value), dumped

    before = both()
    with instrument(Settings(), tracer_provider=provider):
        during = both()
    assert plain(during[0]) == plain(before[0])
    assert [plain(chunk) for chunk in during[1]] == [plain(chunk) for chunk in before[1]]


def test_cancellation_ends_the_call(case, answers, watching, spans):
    if not case.asynchronous:
        pytest.skip("the client has no asynchronous form")
    client = case.made(answers, True)

    class Never(httpx.AsyncByteStream):
        async def __aiter__(self):
            yield case.events[0]
            await asyncio.sleep(3600)

    async def reads(begun):
        stream = case.stream(client)
        async for _ in await stream if inspect.isawaitable(stream) else stream:
            begun.set()

    async def main():
        begun = asyncio.Event()
        task = asyncio.create_task(reads(begun))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    def answer(request):
        return httpx.Response(200, stream=Never(), headers={"content-type": "text/event-stream"})

    answers.queue = []
    original = Answers.__call__
    Answers.__call__ = lambda self, request: answer(request)
    try:
        asyncio.run(main())
    finally:
        Answers.__call__ = original
    gc.collect()
    said = only(spans).attributes
    assert said["agent.stream.end"] == "cancelled"
    assert said["agent.run.stop_reason"] == "cancelled"


def test_a_raw_response_with_a_broken_body_is_a_failed_call(answers, watching, spans):
    answers.queue = [b"no json"]
    client = clients(answers)["openai"][0]
    response = client.chat.completions.with_raw_response.create(model="gpt-4o-mini", messages=[])
    with pytest.raises(ValueError, match="Expecting value"):
        response.parse()
    assert only(spans).attributes["error.type"] == "json.decoder.JSONDecodeError"


def test_closing_a_stream_ends_the_call(case, made, answers, spans):
    if case.client == "gemini" or case.package == "cohere":
        pytest.skip("its streams are plain generators of the SDK's: closing one is dropping ours")
    answers.queue = [list(case.events)]
    drain(case.stream(made), stop=1, close=True)
    assert only(spans).attributes["agent.stream.end"] == "closed"


def test_leaving_the_context_manager_ends_the_call(answers, watching, spans):
    answers.queue = [list(CASES[0].events)]
    with CASES[0].stream(clients(answers)["openai"][0]) as stream:
        next(iter(stream))
    assert only(spans).attributes["agent.stream.end"] == "closed"


@pytest.mark.parametrize("name", ["openai", "anthropic"])
def test_returning_early_from_a_helper_ends_the_call(name, answers, watching, spans):
    client = clients(answers)[name][0]
    answers.queue = [list(CASES[0 if name == "openai" else 2].events)]
    said = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 64}

    def helper():
        if name == "openai":
            return client.chat.completions.stream(model="gpt-4o-mini", **said)
        return client.messages.stream(model="claude-haiku-4-5", **said)

    def early():
        with helper() as stream:
            for _ in stream:
                return

    early()
    gc.collect()
    assert only(spans).attributes["agent.stream.end"] in ("closed", "abandoned")


def test_a_stream_that_is_left_when_watching_ends_is_ended(answers, provider, spans):
    answers.queue = [list(CASES[0].events)]
    with instrument(Settings(), tracer_provider=provider):
        stream = CASES[0].stream(clients(answers)["openai"][0])
        next(stream)
    assert only(spans).attributes["agent.stream.end"] == "abandoned"
    assert list(stream)


def test_breaking_off_and_reading_on_is_one_call(answers, watching, spans):
    answers.queue = [list(CASES[0].events)]
    stream = CASES[0].stream(clients(answers)["openai"][0])
    for _ in stream:
        break
    assert not spans()
    rest = list(stream)
    assert len(rest) == len(CASES[0].events) - 2
    assert only(spans).attributes["agent.stream.end"] == "drained"
