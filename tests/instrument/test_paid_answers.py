"""Answers that the client can't make the caller's result of: of no use, and paid for."""

from __future__ import annotations

import contextlib
import json
from operator import attrgetter

import openai
import pydantic
import pytest

import spanledger
from clients import CASES, CHAT_ASK, MESSAGE_ASK, clients, sse
from driving import run
from wires import Pieces, httpx


class Weather(pydantic.BaseModel):
    degrees: int


def completions(client):
    return client.chat.completions if hasattr(client.chat.completions, "parse") else client.beta.chat.completions


WAYS = ("openai chat", "openai responses", "anthropic messages")
FORMS = ["plainly", "with_raw_response", "with_streaming_response"]


def later(answer):
    """The *answer*, whose body is still on its way when the client has the head."""
    body = json.dumps(answer).encode()
    return httpx.Response(200, stream=Pieces([body[:20], body[20:]]), headers={"content-type": "application/json"})


@pytest.fixture(params=[case for case in CASES if case.name in WAYS], ids=lambda case: case.name)
def case(request):
    return request.param


@pytest.fixture(params=["sync", "async"])
def asynchronous(request):
    return request.param == "async"


def parsing(case, client, form):
    """Have *client* answer in the shape of `Weather`, in one of its forms."""
    where = {"openai chat": completions, "openai responses": lambda c: getattr(c, "responses", None)}
    resource = where.get(case.name, lambda c: c.messages)(client)
    if not hasattr(resource, "parse"):
        pytest.skip("this version of the client parses nothing")
    if form != "plainly":
        resource = getattr(resource, form)
        if not hasattr(resource, "parse"):
            pytest.skip("this version of the client has no such form")
    said = {
        "openai chat": {**CHAT_ASK, "response_format": Weather},
        "anthropic messages": {**MESSAGE_ASK, "output_format": Weather},
    }
    return resource.parse(**said.get(case.name, {"model": "gpt-4o-mini", "input": "Hi", "text_format": Weather}))


def parsed(case, client, form):
    """Do it, to the result."""
    made = parsing(case, client, form)
    if hasattr(made, "__aenter__"):

        async def awaited():
            async with made as response:
                return await response.parse()

        return run(awaited())
    if hasattr(made, "__enter__"):
        with made as response:
            return response.parse()
    result = run(made)
    return result if form == "plainly" else run(result.parse())


@pytest.mark.parametrize("form", FORMS)
def test_an_answer_of_another_shape_was_paid_for(case, answers, watching, spans, asynchronous, form):
    client = clients(answers)[case.client][asynchronous]
    answers.queue = [later(case.answer)]
    with spanledger.run("a") as asked, pytest.raises(pydantic.ValidationError):
        parsed(case, client, form)
    assert asked.usage.total == sum(case.tokens)
    assert asked.cost > 0
    span = next(span for span in spans() if span.name.startswith("chat"))
    said = span.attributes
    assert (said["gen_ai.usage.input_tokens"], said["gen_ai.usage.output_tokens"]) == case.tokens
    assert said["gen_ai.response.id"] == case.answer["id"]
    assert said["gen_ai.response.model"] == case.answer["model"]
    assert said["gen_ai.response.finish_reasons"] == (case.finish,)
    assert said["error.type"].endswith("ValidationError")
    assert not span.status.is_ok
    assert not span.status.is_unset


@pytest.mark.parametrize("form", FORMS)
def test_an_answer_that_a_strict_client_refuses_was_paid_for(case, answers, watching, spans, asynchronous, form):
    client = clients(answers)[case.client][asynchronous]
    client._strict_response_validation = True  # what the client's constructor sets
    answers.queue = [later({**case.answer, "object": "odd", "type": "odd"})]
    path, said = {
        "openai chat": ("chat.completions", CHAT_ASK), "anthropic messages": ("messages", MESSAGE_ASK),
        "openai responses": ("responses", {"model": "gpt-4o-mini", "input": "Hi"}),
    }[case.name]  # fmt: skip
    try:
        resource = attrgetter(path if form == "plainly" else f"{path}.{form}")(client)
    except AttributeError:
        pytest.skip("this version of the client has no such form")

    async def asynchronously(made):
        async with made as response:
            return await response.parse()

    with spanledger.run("a") as asked, pytest.raises(Exception, match="invalid for expected schema"):
        made = resource.create(**said)
        if hasattr(made, "__aenter__"):
            run(asynchronously(made))
        elif hasattr(made, "__enter__"):
            with made as response:
                response.parse()
        else:
            run(run(made).parse())
    assert asked.usage.total == sum(case.tokens)
    span = next(span for span in spans() if span.name.startswith("chat"))
    assert span.attributes["gen_ai.response.id"] == case.answer["id"]


@pytest.mark.parametrize("form", ["parse", "stream"])
@pytest.mark.parametrize(
    ("finish", "reason"), [("length", "max_tokens"), ("content_filter", "content_filter")], ids=lambda told: told
)
@pytest.mark.parametrize("entered", [True, False], ids=["in a run", "alone"])
def test_an_answer_that_was_cut_off_ends_its_run_for_that(answers, watching, spans, form, finish, reason, entered):
    client = clients(answers)["openai"][0]
    chat = completions(client)
    if form == "stream":
        whole, last = CASES[0].answer, {"index": 0, "delta": {}, "finish_reason": finish}
        begun = {"index": 0, "delta": {"role": "assistant", "content": '{"deg'}, "finish_reason": None}
        answers.queue = [
            sse(*({**whole, "object": "chat.completion.chunk", "choices": [choice]} for choice in (begun, last)))
        ]
    else:
        answers.queue = [{**CASES[0].answer, "choices": [{**CASES[0].answer["choices"][0], "finish_reason": finish}]}]

    def ask():
        if form == "parse":
            return chat.parse(**CHAT_ASK, response_format=Weather)
        with chat.stream(**CHAT_ASK, response_format=Weather) as stream:
            return stream.get_final_completion()

    with contextlib.suppress(openai.LengthFinishReasonError, openai.ContentFilterFinishReasonError):
        if entered:
            with spanledger.run("a"):
                ask()
        else:
            ask()
    assert [s.attributes["agent.run.stop_reason"] for s in spans() if "agent.run.stop_reason" in s.attributes] == [
        reason
    ]


def test_options_that_are_sent_again_do_not_grow(answers, watching, spans):
    from openai._models import FinalRequestOptions
    from openai.types.chat import ChatCompletion

    def parser(answer):
        return answer

    client = clients(answers)["openai"][0]
    options = FinalRequestOptions.construct(
        method="post", url="/chat/completions", json_data=dict(CHAT_ASK), post_parser=parser
    )
    answers.queue = [CASES[0].answer, CASES[0].answer]
    assert client.request(ChatCompletion, options).id == client.request(ChatCompletion, options).id
    assert options.post_parser.parser is parser
    assert len(spans()) == 2
