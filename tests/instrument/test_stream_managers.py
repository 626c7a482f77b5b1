"""The clients' own `stream()`: the call ends where its block does, though somebody still holds the stream."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from dataclasses import replace

import openai
import pytest

from clients import CASES, CHAT_ASK, MESSAGE_ASK, RESPONSE, RESPONSE_EVENTS, clients, sse
from driving import only
from wires import Pieces, httpx


def chat(client):
    completions = (
        client.chat.completions if hasattr(client.chat.completions, "stream") else client.beta.chat.completions
    )
    return completions.stream(**CHAT_ASK, stream_options={"include_usage": True})


WAYS = {
    "openai chat": chat,
    "openai responses": lambda client: client.responses.stream(model="gpt-4o-mini", input="Hi"),
    "anthropic messages": lambda client: client.messages.stream(**MESSAGE_ASK),
}
FINAL = {
    "openai chat": "get_final_completion",
    "openai responses": "get_final_response",
    "anthropic messages": "get_final_message",
}


_ITEM = {**RESPONSE["output"][0], "status": "in_progress", "content": []}
_PART = {"type": "output_text", "text": "", "annotations": []}
WHOLE = [
    RESPONSE_EVENTS[0],
    *sse(
        {"type": "response.output_item.added", "sequence_number": 1, "output_index": 0, "item": _ITEM},
        {"type": "response.content_part.added", "sequence_number": 2, "item_id": "msg_1", "output_index": 0, "content_index": 0, "part": _PART},
        done=False, named=True,
    ),
    *RESPONSE_EVENTS[1:],
]  # fmt: skip
"""The helper wants to be told of every piece before it comes."""


class Broken(Exception):
    """The consumer's own failure."""


@pytest.fixture(params=[case for case in CASES if case.name in WAYS], ids=lambda case: case.name)
def case(request):
    if request.param.name == "openai responses" and not hasattr(openai.OpenAI, "responses"):
        pytest.skip("this version of the client has no such helper")
    return replace(request.param, events=WHOLE) if request.param.name == "openai responses" else request.param


@pytest.fixture(params=["sync", "async"])
def asynchronous(request):
    return request.param == "async"


@pytest.fixture(autouse=True)
def _nothing_is_collected():
    """What ends here ends because of the program."""
    gc.disable()
    yield
    gc.enable()


async def done(value):
    return await value if hasattr(value, "__await__") else value


async def each(stream):
    if hasattr(stream, "__aiter__"):
        async for event in stream:
            yield event
    else:
        for event in stream:
            yield event


async def left(stream, _):
    async for _ in each(stream):
        break


async def left_late(stream, _):
    """After the first words."""
    async for event in each(stream):
        if "delta" in event.type and event.delta:
            break


async def left_at_the_last(stream, _):
    async for event in each(stream):
        if event.type in ("response.completed", "message_stop", "content.done"):
            break


async def failed(stream, _):
    async for _ in each(stream):
        raise Broken


async def not_read(stream, _):
    pass


async def closed(stream, spans):
    async for _ in each(stream):
        break
    await done(stream.close())
    only(spans)


async def drained(stream, spans):
    assert [event async for event in each(stream)]
    only(spans)


def use(case, client, act, spans):
    """Have *act* do something with the stream in its block; the stream, and what was said when the block ended."""

    async def later():
        manager = WAYS[case.name](client)
        with contextlib.suppress(Broken):
            if hasattr(manager, "__aenter__"):
                async with manager as stream:
                    await act(stream, spans)
            else:
                with manager as stream:
                    await act(stream, spans)
        return stream, only(spans).attributes

    return asyncio.run(later())


@pytest.mark.parametrize(
    "act", [left, left_late, left_at_the_last, failed, not_read, closed], ids=lambda act: act.__name__
)
def test_a_stream_that_is_left_ends_with_its_block(case, asynchronous, answers, watching, spans, act):
    answers.queue = [list(case.events)]
    stream, said = use(case, clients(answers)[case.client][asynchronous], act, spans)
    assert stream is not None
    assert said["agent.stream.end"] == "closed"
    assert said["agent.run.stop_reason"] == ("completed" if act is left_at_the_last else "cancelled")
    if act is left_late:
        assert said["gen_ai.response.id"] == case.answer["id"]
        assert "Hello " in said["gen_ai.output.messages"]
    if act is left_at_the_last and case.name != "openai chat":
        assert (said["gen_ai.usage.input_tokens"], said["gen_ai.usage.output_tokens"]) == case.tokens
    if act is left_late and case.name == "anthropic messages":
        assert (said["gen_ai.usage.input_tokens"], said["gen_ai.usage.output_tokens"]) == (9, 1)
    assert not watching.engine.open_calls


def test_a_stream_that_is_read_to_its_end_is_drained(case, asynchronous, answers, watching, spans):
    async def final(stream, spans):
        assert (await done(getattr(stream, FINAL[case.name])())).id == case.answer["id"]
        only(spans)

    for act in (drained, final):
        answers.queue = [list(case.events)]
        stream, said = use(case, clients(answers)[case.client][asynchronous], act, spans)
        assert stream is not None
        assert said["agent.stream.end"] == "drained"
        assert said["agent.run.stop_reason"] == "completed"
        assert (said["gen_ai.usage.input_tokens"], said["gen_ai.usage.output_tokens"]) == case.tokens
        spans.__self__.clear()


def test_a_stream_that_breaks_is_a_failed_call(case, asynchronous, answers, watching, spans):
    async def reads(stream, spans):
        with pytest.raises(Exception, match="gone|onnection"):
            assert not [event async for event in each(stream)]
        only(spans)

    answers.queue = [Pieces(list(case.events[:3]), httpx.ReadError("gone"))]
    _, said = use(case, clients(answers)[case.client][asynchronous], reads, spans)
    assert said["agent.stream.end"] == "error"
    assert said["agent.error.class"] == "connection"


@pytest.mark.parametrize("name", ["openai", "anthropic"])
def test_a_response_that_is_closed_under_its_stream_ends_the_call(name, asynchronous, answers, watching, spans):
    case = CASES[0 if name == "openai" else 2]

    async def later():
        answers.queue = [list(case.events)]
        stream = await done(case.stream(clients(answers)[name][asynchronous]))
        async for _ in each(stream):
            break
        assert not spans()
        await done(stream.response.aclose() if asynchronous else stream.response.close())
        return stream, only(spans).attributes

    stream, said = asyncio.run(later())
    assert stream is not None
    assert said["agent.stream.end"] == "closed"
