"""Each way in which a stream can end, of every client: one span, settled once, no warning, no context left behind."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import subprocess
import sys
import textwrap
import warnings

import pytest
from opentelemetry import context as otel_context

from clients import CASES, clients, sse
from driving import only, opened
from spanledger import runs
from spanledger.config import Settings
from spanledger.instrument import _calls, instrument
from spanledger.ledger import ledger
from wires import Pieces, httpx

DROPPED = {"abandoned", "cancelled", "closed"}
"""A generator of the client's that stands around our stream is closed by Python, which looks like each of them."""


class Broken(Exception):
    """The consumer's own failure."""


async def each(stream):
    """The chunks of a stream of either kind."""
    stream = await opened(stream)
    if hasattr(stream, "__aiter__"):
        async for chunk in stream:
            yield chunk
    else:
        for chunk in stream:
            yield chunk


def closing(stream):
    """What closes the stream, or nothing."""
    return getattr(stream, "aclose", None) or getattr(stream, "close", None)


def theirs(stream):
    """The client's own: a proxy looks like a context manager whatever it stands for."""
    return getattr(stream, "__wrapped__", stream)


# --- the ways, sync ------------------------------------------------------------------------------------------------


def drained(stream):
    assert list(stream)


def never_read(stream):
    del stream


def left(stream):
    for _ in stream:
        break


def closed(stream):
    close = getattr(stream, "close", None)
    if close is None:
        pytest.skip("its streams can't be closed")
    next(iter(stream))
    close()


def closed_before_it_was_read(stream):
    close = getattr(stream, "close", None)
    if close is None:
        pytest.skip("its streams can't be closed")
    close()


def in_a_manager(stream):
    if not hasattr(theirs(stream), "__enter__"):
        pytest.skip("its streams are no context managers")
    with stream as entered:
        next(iter(entered))


def failing_in_a_manager(stream):
    if not hasattr(theirs(stream), "__enter__"):
        pytest.skip("its streams are no context managers")
    with pytest.raises(Broken), stream as entered:
        next(iter(entered))
        raise Broken


def consumer_fails(stream):
    with pytest.raises(Broken):
        for _ in stream:
            raise Broken


def returned_early(stream):
    def first():
        for chunk in stream:
            return chunk
        return None

    assert first() is not None


def generator_closed(stream):
    def passed_on():
        yield from stream

    mine = passed_on()
    next(mine)
    mine.close()


def server_fails(stream):
    with pytest.raises(Exception, match="gone|onnection"):
        list(stream)


# --- and async -----------------------------------------------------------------------------------------------------


async def drained_later(stream):
    assert [chunk async for chunk in each(stream)]


async def never_read_later(stream):
    del stream


async def left_later(stream):
    async for _ in stream:
        break


async def closed_later(stream):
    close = closing(stream)
    if close is None:
        pytest.skip("its streams can't be closed")
    async for _ in stream:
        break
    done = close()
    if done is not None:
        await done


async def closed_before_it_was_read_later(stream):
    close = closing(stream)
    if close is None:
        pytest.skip("its streams can't be closed")
    done = close()
    if done is not None:
        await done


async def in_a_manager_later(stream):
    if not hasattr(theirs(stream), "__aenter__"):
        pytest.skip("its streams are no context managers")
    async with stream as entered:
        async for _ in entered:
            break


async def failing_in_a_manager_later(stream):
    if not hasattr(theirs(stream), "__aenter__"):
        pytest.skip("its streams are no context managers")
    with pytest.raises(Broken):
        async with stream as entered:
            async for _ in entered:
                raise Broken


async def consumer_fails_later(stream):
    with pytest.raises(Broken):
        async for _ in stream:
            raise Broken


async def returned_early_later(stream):
    async def first():
        async for chunk in stream:
            return chunk
        return None

    assert await first() is not None


async def generator_closed_later(stream):
    async def passed_on():
        async for chunk in stream:
            yield chunk

    mine = passed_on()
    await anext(mine)
    await mine.aclose()


async def server_fails_later(stream):
    with pytest.raises(Exception, match="gone|onnection"):
        [chunk async for chunk in stream]


async def cancelled_later(stream):
    begun = asyncio.Event()

    async def reads():
        async for _ in stream:
            begun.set()

    task = asyncio.create_task(reads())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def timed_out_later(stream):
    async def reads():
        return [chunk async for chunk in stream]

    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(reads(), 0.05)


async def read_in_another_task_later(stream):
    async def reads():
        async for chunk in stream:
            return chunk
        return None

    assert await asyncio.create_task(reads()) is not None
    assert await asyncio.create_task(reads()) is not None


WAYS = {
    drained: {"drained"}, never_read: DROPPED, left: DROPPED, closed: DROPPED, closed_before_it_was_read: DROPPED,
    in_a_manager: DROPPED, failing_in_a_manager: DROPPED, consumer_fails: DROPPED, returned_early: DROPPED,
    generator_closed: DROPPED, server_fails: {"error"},
    drained_later: {"drained"}, never_read_later: DROPPED, left_later: DROPPED, closed_later: DROPPED,
    closed_before_it_was_read_later: DROPPED, in_a_manager_later: DROPPED, failing_in_a_manager_later: DROPPED,
    consumer_fails_later: DROPPED, returned_early_later: DROPPED, generator_closed_later: DROPPED,
    server_fails_later: {"error"}, cancelled_later: {"cancelled"}, timed_out_later: {"cancelled"},
    read_in_another_task_later: DROPPED,
}  # fmt: skip
HANGING = {cancelled_later, timed_out_later}
NEVER_SENT = {"never_read", "closed_before_it_was_read"}
"""A client whose stream is a generator of its own sends nothing before it is read."""


@pytest.fixture(scope="module", autouse=True)
def _quick_collections():
    """What is here before the first test is no garbage: leave it out of each collection."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


class Hanging(Pieces):
    """A server that says a little and then nothing more."""

    async def __aiter__(self):
        yield self._pieces[0]
        yield self._pieces[1]
        await asyncio.Event().wait()


def surroundings():
    """What we keep in the context of whoever calls; an implicit run that has ended is nothing."""
    here = contextvars.copy_context()
    placement = here.get(runs.implicit)
    going_on = placement is not None and placement.run.stop_reason is None
    return going_on, here.get(_calls.covered), otel_context.get_current()


def script(case, way):
    events = list(case.events)
    if way in HANGING:
        return [Hanging(events)]
    if way.__name__.startswith("server_fails"):
        return [Pieces(events[:2], httpx.ReadError("gone"))]
    return [events]


@pytest.fixture(params=WAYS, ids=lambda way: way.__name__)
def way(request):
    return request.param


@pytest.fixture
def asynchronous(way, case):
    form = way.__name__.endswith("_later")
    if not (case.asynchronous if form else case.synchronous):
        pytest.skip("the client has no such form")
    return form


def test_it_ends_once(case, asynchronous, made, answers, watching, spans, way):
    settled = []
    watching.engine.listeners.append(settled.append)
    answers.queue = script(case, way)
    seen = {}

    async def later():
        seen["before"] = surroundings()
        stream = await opened(case.stream(made))
        await way(stream)
        del stream
        gc.collect()
        for _ in range(9):  # the loop closes generators that nobody holds
            await asyncio.sleep(0)
        seen["after"] = surroundings()

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        if asynchronous:
            asyncio.run(later())
        else:
            seen["before"] = surroundings()
            way(case.stream(made))
            gc.collect()
            seen["after"] = surroundings()
        gc.collect()
    assert [str(w.message) for w in warned if "spanledger" in str(w.filename) or "coroutine" in str(w.message)] == []
    assert seen["after"] == seen["before"]
    assert not watching.engine.open_calls
    assert not ledger.going_on()
    if not answers.requests:
        assert way.__name__.removesuffix("_later") in NEVER_SENT
        assert len(spans()) <= 1
        return
    said = only(spans).attributes
    assert len(settled) == 1
    assert said.get("agent.run.model_calls", 1) == 1
    assert said["agent.stream.end"] in WAYS[way]
    expected = {"drained": "completed", "error": "model_error"}
    whole = way is read_in_another_task_later and "error" not in said.get("gen_ai.response.finish_reasons", ("error",))
    left = "completed" if whole else "cancelled"  # of two chunks both were read
    assert said["agent.run.stop_reason"] == expected.get(said["agent.stream.end"], left)
    if said["agent.stream.end"] == "error":
        # LiteLLM makes an error 500 of it
        assert said["agent.error.class"] == ("upstream_error" if case.name == "litellm" else "connection")
        assert "gone" not in (only(spans).status.description or "")


@pytest.mark.parametrize("form", ["sync", "async"])
def test_a_process_that_ends_tells_what_was_streaming(form, tmp_path):
    """All clients in one process, which ends in the middle of each stream."""
    code = """
        import asyncio, sys, warnings
        sys.path.insert(0, "tests")
        warnings.simplefilter("ignore")
        import importlib.util
        import spanledger
        from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult, SimpleSpanProcessor

        class Told(SpanExporter):
            def export(self, spans):
                for span in spans:
                    if end := span.attributes.get("agent.stream.end"):
                        print("ENDED", end, span.name, flush=True)
                return SpanExportResult.SUCCESS

        spanledger.configure(exporters=[Told()])
        from clients import CASES  # after us, as under the launcher: a client that traces itself is told not to
        from more_clients import MORE_CASES
        from odd_clients import ODD_CASES
        from driving import opened
        from wires import Answers
        import openai
        held = []

        def here(package):
            try:
                return package is None or importlib.util.find_spec(package) is not None
            except ModuleNotFoundError:
                return False

        async def main():
            for case in CASES + MORE_CASES + ODD_CASES:
                if not here(case.package) or not (case.asynchronous if FORM == "async" else case.synchronous):
                    continue
                if case.name == "openai responses" and not hasattr(openai.OpenAI, "responses"):
                    continue
                made = case.made(Answers([list(case.events)]), FORM == "async")
                stream = await opened(case.stream(made))
                if FORM == "async":
                    reading = aiter(stream)
                    await anext(reading)
                else:
                    reading = iter(stream)
                    next(reading)
                held.append((made, stream, reading))
                print("OPEN", case.operation, case.model, flush=True)

        asyncio.run(main())
    """
    env = {"SPANLEDGER_JOURNAL_OFF": "1", "OTEL_SDK_DISABLED": "false", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    import os

    done = subprocess.run(
        [sys.executable, "-c", f"FORM = {form!r}\n" + textwrap.dedent(code)],
        capture_output=True, text=True, check=False, timeout=120, env={**os.environ, **env},
    )  # fmt: skip
    lines = [line.split() for line in done.stdout.splitlines()]
    began = sorted(line[1:] for line in lines if line[0] == "OPEN")
    ended = sorted(line[2:] for line in lines if line[0] == "ENDED")
    assert done.returncode == 0, done.stderr
    assert len(began) >= len(CASES) - 1
    assert ended == began
    assert {line[1] for line in lines if line[0] == "ENDED"} <= DROPPED
    assert "spanledger failed" not in done.stderr


# --- ways that are one client's own --------------------------------------------------------------------------------


def helper_of(name, client, **said):
    if name == "anthropic":
        return client.messages.stream(model="claude-haiku-4-5", **said)
    completions = (
        client.chat.completions if hasattr(client.chat.completions, "stream") else client.beta.chat.completions
    )
    return completions.stream(model="gpt-4o-mini", **said)


@pytest.mark.parametrize("name", ["openai", "anthropic"])
def test_returning_early_from_a_helper_ends_the_call(name, answers, watching, spans):
    client = clients(answers)[name][0]
    answers.queue = [list(CASES[0 if name == "openai" else 2].events)]
    said = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 64}

    def early():
        with helper_of(name, client, **said) as stream:
            for _ in stream:
                return

    early()
    gc.collect()
    assert only(spans).attributes["agent.stream.end"] in ("closed", "abandoned")


@pytest.mark.parametrize("name", ["openai", "anthropic"])
def test_returning_early_from_an_asynchronous_helper_ends_the_call(name, answers, watching, spans):
    client = clients(answers)[name][1]
    answers.queue = [list(CASES[0 if name == "openai" else 2].events)]
    said = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 64}

    async def early():
        async with helper_of(name, client, **said) as stream:
            async for _ in stream:
                return

    asyncio.run(early())
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


def test_a_raw_streaming_response_that_is_never_parsed_is_ended(answers, watching, spans):
    answers.queue = [list(CASES[0].events)]
    client = clients(answers)["openai"][0]
    from clients import CHAT_ASK

    with client.chat.completions.with_streaming_response.create(stream=True, **CHAT_ASK) as response:
        assert response.http_response.status_code == 200
    del response
    gc.collect()
    assert only(spans).attributes["agent.stream.end"] in DROPPED


def in_turn(*turns):
    """A stream of chat completions: what each choice says, and why it ends; then the tokens."""
    choices = [[{"index": 0, "delta": said, "finish_reason": why}] for said, why in turns]
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini"}
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    return sse(*({**head, "choices": choice} for choice in choices), {**head, "choices": [], "usage": usage})


CALLS = {"role": "assistant", "tool_calls": [{"index": 0, "id": "c1", "function": {"name": "look", "arguments": "{}"}}]}


@pytest.mark.parametrize("tools", [None, CALLS], ids=["an answer", "an agent's turns"])
def test_who_stops_reading_at_the_reason_has_the_whole_answer(answers, watching, spans, tools):
    """Loops of agents leave a stream there, before the tokens and the last words of the protocol."""
    client = clients(answers)["openai"][0]
    ask = {"model": "gpt-4o-mini", "stream": True}
    if tools:
        ask["tools"] = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
        answers.queue = [in_turn((tools, None), ({}, "tool_calls"))]
    answers.queue.append(in_turn(({"role": "assistant", "content": "Hi"}, None), ({}, "stop")))
    history = [{"role": "user", "content": "Hi"}]
    for _ in answers.queue[:]:
        with client.chat.completions.create(messages=history, **ask) as stream:
            for chunk in stream:
                if chunk.choices[0].finish_reason:
                    break
        history += [{"role": "assistant", "tool_calls": [{**CALLS["tool_calls"][0], "type": "function"}]},
                    {"role": "tool", "tool_call_id": "c1", "content": "seen"}]  # fmt: skip
    said = [span.attributes for span in spans()]
    assert {each["agent.stream.end"] for each in said if "agent.stream.end" in each} == {"closed"}
    assert [each["agent.run.stop_reason"] for each in said if "agent.run.stop_reason" in each] == ["completed"]
