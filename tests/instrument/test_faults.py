"""Whatever goes wrong at a provider: the caller's own exception, one span, settled once, that says what kind it was."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace

import pytest

from clients import sse
from driving import drain, only, opened, run
from more_clients import frame, lines
from spanledger import shield
from spanledger.config import Settings
from spanledger.instrument import instrument
from spanledger.instrument._calls import Call
from wires import Answers, Pieces, httpx

STATUS = {401: "auth", 403: "auth", 404: "not_found", 429: "rate_limited", 500: "upstream_error", 503: "upstream_error"}


def half(answer):
    return Pieces([httpx.Response(200, json=answer).content[:20]], httpx.ReadError("gone"))


def refused(case, code):
    """The case's own error, with no other word of what it is than the status."""
    body = json.dumps(case.error[1])
    for word in () if code == 429 else ("rate_limit_error", "rate_limit_exceeded", "RESOURCE_EXHAUSTED", "rate_limit"):
        body = body.replace(word, "some_error")
    return code, json.loads(body.replace(": 429", f": {code}"))


FAULTS = {
    **{f"status {code}": (lambda case, code=code: refused(case, code), found) for code, found in STATUS.items()},
    "refused": (lambda case: httpx.ConnectError("gone"), "connection"),
    "late": (lambda case: httpx.ReadTimeout("late"), "timeout"),
    "cut": (lambda case: half(case.answer), "connection"),
}
"""What the server does, and the class that it comes to."""

BROKEN = {"message": "it broke", "type": "server_error", "param": None, "code": None}
IN_STREAM = {
    "openai responses": sse({"type": "error", "code": "server_error", "message": "it broke", "param": None, "sequence_number": 9}, done=False, named=True),
    "anthropic": sse({"type": "error", "error": {"type": "overloaded_error", "message": "it broke"}}, done=False, named=True),
    "gemini": sse({"error": {"code": 503, "message": "it broke", "status": "UNAVAILABLE"}}, done=False),
    "ollama": lines({"error": "it broke"}),
    "bedrock": [frame("modelStreamErrorException", {"message": "it broke", "originalStatusCode": 424}, exception=True)],
    "aiobotocore": [frame("modelStreamErrorException", {"message": "it broke", "originalStatusCode": 424}, exception=True)],
}  # fmt: skip
NO_EVENT = ("cohere", "xai")
"""Their streams end with a reason, or with a status of gRPC; there is no event for a failure."""


def of(case, table):
    return next((value for name, value in table.items() if case.name.startswith(name)), None)


def seen(act):
    """What the caller sees: what came, or the exception with what it says and carries."""
    try:
        return "came", len(act() or ())
    except Exception as error:  # noqa: BLE001 - whatever the client makes of it
        text = re.sub(r"time taken=[\d.]+", "", str(error))  # LiteLLM tells it
        return type(error), text, getattr(error, "status_code", None), type(error.__cause__), type(error.__context__)


def in_its_words(case, found):
    """LiteLLM makes an error 500 of a connection that breaks."""
    return "upstream_error" if case.name == "litellm" and found == "connection" else found


def twice(case, provider, spans, asynchronous, answer, act):
    """The same without us and with us; the attributes of the one span, and what the caller saw."""
    before = seen(lambda: act(case.made(Answers([answer(), answer()]), asynchronous)))
    settled = []
    with instrument(Settings(), tracer_provider=provider) as watching:
        watching.engine.listeners.append(settled.append)
        after = seen(lambda: act(case.made(Answers([answer(), answer()]), asynchronous)))
    assert after == before
    assert len(settled) == 1
    said = only(spans).attributes
    assert said.get("agent.run.model_calls", 1) == 1
    return said, after


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_failure_is_told_by_its_class(case, provider, spans, asynchronous, fault, stream):
    make, found = FAULTS[fault]
    if case.name == "xai" and (fault.startswith("status") or fault == "cut"):
        pytest.skip("it does not speak HTTP")
    if stream and fault == "cut":
        pytest.skip("see what an event in the stream does")
    said, after = twice(
        case, provider, spans, asynchronous, lambda: make(case),
        lambda made: drain(lambda: case.stream(made)) if stream else run(case.call(made)),
    )  # fmt: skip
    assert after[0] != "came"
    assert said["agent.error.class"] == in_its_words(case, found)


@pytest.mark.parametrize("broken", ["cut", "error"])
def test_a_stream_that_fails_in_the_middle_is_a_failed_call(case, provider, spans, asynchronous, broken):
    events = list(case.events[:1])
    if broken == "error":
        if case.name.startswith(NO_EVENT):
            pytest.skip("it has no such event")
        events += of(case, IN_STREAM) or sse({"error": BROKEN}, done=False)
    said, _ = twice(
        case, provider, spans, asynchronous,
        lambda: Pieces(events, httpx.ReadError("gone")) if broken == "cut" else list(events),
        lambda made: drain(lambda: case.stream(made)),
    )  # fmt: skip
    told = "upstream_error" if broken == "error" else in_its_words(case, "connection")
    assert said["agent.error.class"] == told
    assert said["agent.run.stop_reason"] == "model_error"


def theirs(stream):
    """The client's own: a proxy looks like an iterator whatever it stands for."""
    return getattr(stream, "__wrapped__", stream)


def by_hand(stream):
    """A stream read by `next`, without a loop."""
    chunks = []
    while (chunk := next(stream, None)) is not None:
        chunks.append(chunk)
    return chunks


def broken_reader(_draft, _chunk):
    msg = "ours"
    raise ValueError(msg)


@pytest.mark.parametrize("read", [drain, by_hand])
def test_a_chunk_that_we_fail_to_read_is_the_users_all_the_same(case, provider, spans, asynchronous, read, monkeypatch):
    if read is by_hand and asynchronous:
        pytest.skip("for streams that are read at once")

    def act(made):
        if read is drain:
            return drain(lambda: case.stream(made))
        stream = case.stream(made)
        return by_hand(stream if hasattr(type(theirs(stream)), "__next__") else iter(stream))

    def chunks():
        return len(act(case.made(Answers([list(case.events)]), asynchronous)))

    before = chunks()
    shield.strict(False)
    began = Call.begin

    def begin(call, **how):
        call.endpoint = replace(call.endpoint, fold=broken_reader)
        began(call, **how)

    monkeypatch.setattr(Call, "begin", begin)
    with instrument(Settings(), tracer_provider=provider):
        assert chunks() == before
    assert only(spans).attributes["agent.stream.end"] == "drained"
    assert shield.failures["reading a stream"] > 0


class Silent(Answers):
    """A server that never answers an asynchronous request."""

    def __init__(self):
        super().__init__()
        self.asked = asyncio.Event()

    async def asyncio(self, request):
        self.asked.set()
        await asyncio.Event().wait()


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_caller_who_gives_up_waiting_has_cancelled_the_call(case, provider, spans, stream):
    if case.name in ("xai", "litellm") or "bedrock" in case.name or "aiobotocore" in case.name or not case.asynchronous:
        pytest.skip("its transport here answers at once, or it has no asynchronous form")

    async def give_up():
        answers = Silent()
        made = case.made(answers, True)

        async def read():
            if not stream:
                return await case.call(made)
            return [chunk async for chunk in await opened(case.stream(made))]

        task = asyncio.ensure_future(read())
        asked = asyncio.ensure_future(answers.asked.wait())
        await asyncio.wait({task, asked}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    settled = []
    with instrument(Settings(), tracer_provider=provider) as watching:
        watching.engine.listeners.append(settled.append)
        asyncio.run(give_up())
    said = only(spans).attributes
    assert len(settled) == 1
    assert (said["agent.error.class"], said.get("agent.run.stop_reason", "cancelled")) == ("cancelled", "cancelled")
    assert "gen_ai.usage.input_tokens" not in said
