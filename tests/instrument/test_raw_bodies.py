"""Raw responses that the user reads without the client's parser: the call knows what the user read, and no more."""

from __future__ import annotations

import gc
import gzip
import json
import pickle
import weakref

import openai
import pytest

from clients import CASES, CHAT_ASK, MESSAGE_ASK, clients
from driving import only, run
from spanledger.config import Settings
from spanledger.instrument import _http, instrument
from wires import Pieces, httpx

WAYS = {
    "openai chat": lambda c, **said: c.chat.completions.with_streaming_response.create(**CHAT_ASK, **said),
    "openai responses": lambda c, **said: c.responses.with_streaming_response.create(
        model="gpt-4o-mini", input="Hi", **said
    ),
    "anthropic messages": lambda c, **said: c.messages.with_streaming_response.create(**MESSAGE_ASK, **said),
}
ALL = ["read", "text", "json", "parse", "http_response"]
SOME = ["iter_bytes", "iter_text", "iter_lines"]


@pytest.fixture(params=[case for case in CASES if case.name in WAYS], ids=lambda case: case.name)
def case(request):
    if request.param.name == "openai responses" and not hasattr(openai.OpenAI, "responses"):
        pytest.skip("this version of the client has no responses")
    return request.param


@pytest.fixture(params=["sync", "async"])
def asynchronous(request):
    return request.param == "async"


class Counted(Pieces):
    """Pieces that are counted as they are taken."""

    def __init__(self, pieces, error=None):
        super().__init__(pieces, error)
        self.taken = 0

    def __iter__(self):
        for piece in super().__iter__():
            self.taken += 1
            yield piece

    async def __aiter__(self):
        async for piece in super().__aiter__():
            self.taken += 1
            yield piece


def cut(body, size=37):
    return [body[at : at + size] for at in range(0, len(body), size)]


def answer(case, stream, *, packed=False, error=None, kind=None):
    body = b"".join(case.events) if stream else json.dumps(case.answer).encode()
    pieces = cut(gzip.compress(body) if packed else body)
    if error is not None:
        pieces = pieces[:-3]
    head = {"content-type": kind or ("text/event-stream; charset=utf-8" if stream else "application/json")}
    if packed:
        head["content-encoding"] = "gzip"
    return httpx.Response(200, stream=Counted(pieces, error), headers=head)


async def value_of(value):
    return await value if hasattr(value, "__await__") else value


def reading(made, act):
    """What *act* makes of the raw response that *made* gives, in its block."""
    if hasattr(made, "__aenter__"):

        async def later():
            async with made as response:
                return await act(response)

        return run(later())

    async def at_once():
        with made as response:
            return await act(response)

    return run(at_once())


def all_by(way):
    async def act(response):
        if way == "http_response":
            response = response.http_response
            return await response.aread() if hasattr(response.stream, "aclose") else response.read()
        found = await value_of(getattr(response, way)())
        return found.model_dump() if way == "parse" else found

    return act


def some_by(way, stop=None):
    async def act(response):
        found = []
        pieces = getattr(response, way)()
        if hasattr(pieces, "__aiter__"):
            async for piece in pieces:
                found.append(piece)
                if stop is not None and len(found) >= stop:
                    break
        else:
            for piece in pieces:
                found.append(piece)
                if stop is not None and len(found) >= stop:
                    break
        return found

    return act


def ways(stream):
    return [(way, some_by(way)) for way in SOME] + [
        (way, all_by(way)) for way in ALL if not stream or way in ("read", "text", "http_response")
    ]


def check(said, case):
    assert (said["gen_ai.usage.input_tokens"], said["gen_ai.usage.output_tokens"]) == case.tokens
    assert said["gen_ai.response.id"] == case.answer["id"]
    assert said["gen_ai.response.model"] == case.answer["model"]
    assert said["gen_ai.response.finish_reasons"] == (case.finish,)
    assert said["agent.stream.end"] == "drained"
    assert said["agent.run.stop_reason"] == "completed"
    assert "Hello there" in said["gen_ai.output.messages"]


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize(("way", "act"), ways(stream=False), ids=[way for way, _ in ways(stream=False)])
def test_an_answer_that_the_user_reads_is_read(case, asynchronous, answers, watching, spans, way, act, packed):
    answers.queue = [answer(case, stream=False, packed=packed)]
    assert reading(WAYS[case.name](clients(answers)[case.client][asynchronous]), act)
    check(only(spans).attributes, case)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize(("way", "act"), ways(stream=True), ids=[way for way, _ in ways(stream=True)])
def test_events_that_the_user_reads_are_read(case, asynchronous, answers, watching, spans, way, act, packed):
    answers.queue = [answer(case, stream=True, packed=packed)]
    assert reading(WAYS[case.name](clients(answers)[case.client][asynchronous], stream=True), act)
    said = only(spans).attributes
    check(said, case)
    assert said["gen_ai.response.time_to_first_chunk"] >= 0


def test_what_was_read_of_events_that_are_closed_is_kept(asynchronous, answers, watching, spans):
    case = CASES[2]
    answers.queue = [httpx.Response(200, stream=Counted(case.events), headers={"content-type": "text/event-stream"})]
    assert reading(WAYS[case.name](clients(answers)[case.client][asynchronous], stream=True), some_by("iter_bytes", 3))
    said = only(spans).attributes
    assert said["agent.stream.end"] == "closed"
    assert said["gen_ai.response.id"] == "msg_1"
    assert (said["gen_ai.usage.input_tokens"], said["gen_ai.usage.output_tokens"]) == (9, 1)
    assert "Hello " in said["gen_ai.output.messages"]
    assert "there" not in said["gen_ai.output.messages"]


@pytest.mark.parametrize("stream", [False, True], ids=["answer", "events"])
def test_what_breaks_off_is_a_failed_call(case, asynchronous, answers, watching, spans, stream):
    answers.queue = [answer(case, stream=stream, error=httpx.ReadError("gone"))]
    said = {"stream": True} if stream else {}
    with pytest.raises(Exception, match="gone"):
        reading(WAYS[case.name](clients(answers)[case.client][asynchronous], **said), some_by("iter_text"))
    said = only(spans).attributes
    assert said["agent.stream.end"] == "error"
    assert said["agent.error.class"] == "connection"


@pytest.mark.parametrize("stop", [None, 3], ids=["whole", "three"])
@pytest.mark.parametrize("stream", [False, True], ids=["answer", "events"])
@pytest.mark.parametrize("way", SOME)
def test_the_user_reads_the_same_and_no_more_is_read(case, asynchronous, answers, provider, spans, way, stream, stop):
    def once():
        answers.queue = [answer(case, stream=stream)]
        (sent,) = answers.queue
        found = reading(
            WAYS[case.name](clients(answers)[case.client][asynchronous], **({"stream": True} if stream else {})),
            some_by(way, stop),
        )
        return found, sent.stream.taken if hasattr(sent.stream, "taken") else sent.stream._stream.taken

    before = once()
    with instrument(Settings(), tracer_provider=provider):
        assert once() == before
    assert len(spans()) == 1


def test_a_body_that_nobody_reads_is_left_alone(case, asynchronous, answers, watching, spans):
    async def nothing(response):
        return response.http_response.is_stream_consumed

    answers.queue = [answer(case, stream=False)]
    assert reading(WAYS[case.name](clients(answers)[case.client][asynchronous]), nothing) is False
    assert only(spans).attributes["agent.stream.end"] == "closed"


def test_a_body_that_is_no_json_is_the_users_affair(asynchronous, answers, watching, spans):
    answers.queue = [
        httpx.Response(200, stream=Counted([b"no ", b"json"]), headers={"content-type": "application/json"})
    ]
    with pytest.raises(ValueError, match="Expecting value"):
        reading(WAYS["openai chat"](clients(answers)["openai"][asynchronous]), all_by("json"))
    said = only(spans).attributes
    assert said["agent.stream.end"] == "drained"
    assert said["agent.usage.source"] == "unknown"


@pytest.mark.parametrize("stream", [False, True], ids=["answer", "events"])
def test_a_body_that_is_too_long_is_only_timed(asynchronous, answers, watching, spans, monkeypatch, stream):
    monkeypatch.setattr(_http, "MAX_BODY", 40)
    case = CASES[0]
    answers.queue = [answer(case, stream=stream)]
    said = {"stream": True} if stream else {}
    read = reading(WAYS[case.name](clients(answers)["openai"][asynchronous], **said), all_by("read"))
    assert len(read) > 200
    assert only(spans).attributes["agent.usage.source"] == "unknown"
    assert only(spans).attributes["agent.stream.end"] == "drained"


def test_sound_is_not_kept(asynchronous, answers, watching, spans):
    answers.queue = [httpx.Response(200, stream=Counted(cut(b"RIFF" * 50)), headers={"content-type": "audio/wav"})]
    client = clients(answers)["openai"][asynchronous]
    made = client.audio.speech.with_streaming_response.create(model="tts-1", voice="alloy", input="Hi")
    assert b"".join(reading(made, some_by("iter_bytes"))) == b"RIFF" * 50
    assert only(spans).attributes["agent.stream.end"] == "drained"


def test_a_response_is_as_it_was_when_it_has_been_read(answers, watching):
    answers.queue = [answer(CASES[0], stream=False)]
    with WAYS["openai chat"](clients(answers)["openai"][0]) as response:
        read = response.read()
        assert b"".join(response.iter_bytes()) == read
        assert pickle.loads(pickle.dumps(response.http_response)).content == read
        assert response.parse().id == "chatcmpl-1"


@pytest.mark.parametrize("stream", [False, True], ids=["answer", "events"])
def test_a_response_lives_no_longer_for_being_watched(answers, provider, stream):
    def once():
        answers.queue = [answer(CASES[0], stream=stream)]
        with WAYS["openai chat"](clients(answers)["openai"][0], **({"stream": True} if stream else {})) as response:
            there = weakref.ref(response.http_response)
            next(response.iter_bytes())
        del response
        return there() is None

    gc.disable()
    try:
        before = once()
        with instrument(Settings(), tracer_provider=provider):
            assert once() == before
    finally:
        gc.enable()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_events_are_found_however_they_are_cut(end, size):
    read = []
    events = _http.Events(read.append)
    text = end.join(
        [
            ": hello",
            'data: {"a":',
            "data: 1}",
            "",
            "event: x",
            'data:{"b": "\u00e4"}',
            "",
            "data: [DONE]",
            "",
            'data: {"c": 2}',
        ]
    )
    for piece in cut(text.encode(), size):
        events.feed(piece)
    events.feed(b"\n\n")
    assert read == [{"a": 1}, {"b": "\u00e4"}, {"c": 2}]
