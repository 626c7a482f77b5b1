"""The responses shape: items, events, and errors that are not raised."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from odd import as_object, broken, read_everything, streamed
from spanledger import pricing, semconv
from spanledger.model import ToolCall, ToolResult, Usage
from spanledger.providers._responses import FETCH, RESPONSES

known = pytest.importorskip("openai.types.responses")
EVENT = TypeAdapter(known.ResponseStreamEvent)
ANSWER = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "status": "completed",
    "model": "gpt-x",
    "service_tier": "default",
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "output": [
        {"id": "rs", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Think."}]},
        {
            "id": "msg",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Hello", "annotations": []}],
        },
        {
            "id": "fc",
            "type": "function_call",
            "call_id": "c1",
            "name": "f",
            "arguments": '{"a": 1}',
            "status": "completed",
        },
        {
            "id": "ws",
            "type": "web_search_call",
            "status": "completed",
            "action": {"type": "search", "query": "q", "queries": ["q"]},
        },
    ],
    "usage": {
        "input_tokens": 20,
        "input_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 0},
        "output_tokens": 9,
        "output_tokens_details": {"reasoning_tokens": 4},
        "total_tokens": 29,
    },
}


def event(kind, number, **more):
    return {"type": f"response.{kind}", "sequence_number": number, **more}


OUTPUT = ANSWER["output"]
BEGUN = {**ANSWER, "status": "in_progress", "output": [], "usage": None}
ITEM = {"type": "function_call", "id": "fc", "call_id": "c1", "name": "f", "arguments": "", "status": "in_progress"}
EVENTS = [
    event("created", 0, response=BEGUN),
    event("reasoning_summary_text.delta", 1, item_id="rs", output_index=0, summary_index=0, delta="Think."),
    event("output_text.delta", 2, item_id="msg", output_index=1, content_index=0, delta="Hel", logprobs=[]),
    event("output_text.delta", 3, item_id="msg", output_index=1, content_index=0, delta="lo", logprobs=[]),
    event("output_item.added", 4, output_index=2, item=ITEM),
    event("function_call_arguments.delta", 5, item_id="fc", output_index=2, delta='{"a": '),
    event("function_call_arguments.delta", 6, item_id="fc", output_index=2, delta="1}"),
    event("output_item.done", 7, output_index=3, item=ANSWER["output"][3]),
    event("completed", 8, response=ANSWER),
]


@pytest.mark.parametrize("objects", [False, True], ids=["json", "object"])
def test_an_answer(objects):
    answer = as_object(known.Response, ANSWER) if objects else ANSWER
    response = RESPONSES.read_response(answer, content=True)

    assert (response.id, response.model, response.finish_reasons) == ("resp_1", "gpt-x", ["tool_calls"])
    assert response.tool_calls == [ToolCall("c1", "f", '{"a": 1}')]
    assert response.extra == {semconv.RESPONSE_STATUS: "completed", semconv.OPENAI_RESPONSE_TIER: "default"}
    usage = Usage(15, 5, 0, 9, reasoning=4, requests={"web_search": 1})
    assert response.usage == usage
    [message] = response.messages
    assert [part["type"] for part in message["parts"]] == ["reasoning", "text", "tool_call", "server_tool_call"]
    assert message["finish_reason"] == "tool_call"


@pytest.mark.parametrize("objects", [False, True], ids=["json", "objects"])
def test_a_stream_says_what_the_whole_answer_says(objects):
    events = [as_object(EVENT, one) for one in EVENTS] if objects else EVENTS
    response, whole = streamed(RESPONSES, events), RESPONSES.read_response(ANSWER, content=True)

    assert (response.id, response.usage, response.tool_calls) == (whole.id, whole.usage, whole.tool_calls)
    texts = [[part.get("content") for part in one.messages[0]["parts"]] for one in (response, whole)]
    assert texts[0] == texts[1]


def test_a_cut_stream_keeps_what_arrived():
    response = streamed(RESPONSES, EVENTS[:6])

    assert (response.id, response.model, response.usage) == ("resp_1", "gpt-x", Usage())
    assert response.tool_calls == [ToolCall("c1", "f", '{"a": ')]
    [message] = response.messages
    assert message["finish_reason"] == "error"
    assert [part["type"] for part in message["parts"]] == ["reasoning", "text", "tool_call"]


DONE = [event("output_item.done", number, output_index=number, item=item) for number, item in enumerate(OUTPUT)]
BARE = event("completed", 9, response={**ANSWER, "output": []})


@pytest.mark.parametrize("objects", [False, True], ids=["json", "objects"])
@pytest.mark.parametrize(
    "wire",
    [DONE, [*EVENTS[1:2], DONE[0], *EVENTS[2:4], DONE[1], *EVENTS[4:7], *DONE[2:]],
     [{**one, "output_index": 0} for one in DONE]],
    ids=["bare", "in pieces", "of one number"],
)  # fmt: skip
def test_an_end_without_its_output_has_the_items_that_were_done(wire, objects):
    wire = [EVENTS[0], *wire, BARE]
    wire = [as_object(EVENT, one) for one in wire] if objects else wire
    assert streamed(RESPONSES, wire) == RESPONSES.read_response(ANSWER, content=True)


@pytest.mark.parametrize("done", [[], [{**DONE[1], "item": {**OUTPUT[1], "content": []}}, DONE[2]]])
def test_an_end_without_its_output_has_the_pieces_of_what_was_never_done(done):
    response = streamed(RESPONSES, [*EVENTS[:-1], *done, BARE])
    kinds = [part["type"] for part in response.messages[0]["parts"]]
    assert kinds == ["reasoning", "text", "tool_call", "server_tool_call"]


@pytest.mark.parametrize(
    ("last", "error", "reasons"),
    [
        ({"type": "error", "code": "server_error", "message": "x"}, "server_error", []),
        (
            event("failed", 1, response={**BEGUN, "status": "failed", "error": {"code": "rate_limit_exceeded"}}),
            "rate_limit_exceeded",
            ["error"],
        ),
        (
            event(
                "incomplete",
                1,
                response={**BEGUN, "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
            ),
            None,
            ["max_output_tokens"],
        ),
    ],
)
def test_failures_come_as_events(last, error, reasons):
    response = streamed(RESPONSES, [EVENTS[0], last])

    assert (response.error, response.finish_reasons) == (error, reasons)


@pytest.mark.parametrize(("told", "requests"), [(None, {"web_search": 3}), (2, {"web_search": 2}), (0, {})])
def test_the_provider_says_which_searches_it_bills(told, requests):
    """A discounted search is not billed: `ToolUsage` of the client."""
    search = {"type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "x"}}
    answer = {**ANSWER, "output": [search] * 3}
    if told is not None:
        answer["tool_usage"] = {"web_search": {"num_requests": told}}

    assert RESPONSES.read_response(answer, content=False).usage.requests == requests
    assert streamed(RESPONSES, [event("completed", 1, response=answer)]).usage.requests == requests


@pytest.mark.parametrize(("items", "tokens", "images"), [(2, 4220, 2), (1, None, 1), (0, 4220, 1), (0, 0, None)])
def test_images_that_a_response_made_are_named_beside_its_price(items, tokens, images):
    """They are billed by tokens of an image model, which are not among those of the answer."""
    image = {"type": "image_generation_call", "status": "completed", "action": "generate", "result": "QUJD"}
    answer = {**ANSWER, "output": [image] * items, "tool_usage": {"image_gen": {"total_tokens": tokens}}}
    usage = RESPONSES.read_response(answer, content=False).usage
    found = pricing.price(usage, provider="openai", model="gpt-4.1", at=1_790_000_000 * 10**9)

    assert usage.requests.get("image_generation") == images
    assert (found.status, found.unpriced_units) == (("partial", ("image_generation",)) if images else ("priced", ()))


def test_a_request():
    request = RESPONSES.read_request(
        {
            "model": "m",
            "instructions": "Be brief.",
            "max_output_tokens": 9,
            "reasoning": {"effort": "low", "summary": "auto"},
            "text": {"format": {"type": "json_schema"}},
            "previous_response_id": "resp_0",
            "conversation": {"id": "conv_1"},
            "input": [
                {"role": "user", "content": "Hi"},
                {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
                {"type": "function_call", "call_id": "c2", "name": "g", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "c1", "output": "one"},
                {"type": "function_call_output", "call_id": "c2", "output": "two"},
            ],
        }
    )

    assert request.settings == {
        semconv.REQUEST_MAX_TOKENS: 9,
        semconv.REQUEST_REASONING_LEVEL: "low",
        semconv.OUTPUT_TYPE: "json",
        semconv.REQUEST_PREVIOUS_RESPONSE: "resp_0",
    }
    assert (request.system, request.previous_response_id, request.conversation_id) == ("Be brief.", "resp_0", "conv_1")
    assert request.results == [ToolResult("c1", None, "one"), ToolResult("c2", None, "two")]
    assert [call.id for call in request.asked] == ["c1", "c2"]


def test_messages_of_a_request():
    items = [
        {"role": "user", "content": [{"type": "input_text", "text": "Hi"}, {"type": "input_file", "file_id": "f"}]},
        *ANSWER["output"][:3],
        {"type": "function_call_output", "call_id": "c1", "output": "one"},
    ]
    system, messages = RESPONSES.read_messages({"instructions": "Be brief.", "input": items})

    assert system == [{"type": "text", "content": "Be brief."}]
    assert [(message["role"], len(message["parts"])) for message in messages] == [
        ("user", 2),
        ("assistant", 3),
        ("tool", 1),
    ]
    assert messages[2]["parts"] == [{"type": "tool_call_response", "id": "c1", "response": "one"}]


def test_fetching_buys_nothing():
    request = FETCH.read_request({"response_id": "resp_1", "stream": True, "starting_after": 3})
    response = FETCH.read_response(ANSWER, content=False)

    assert request.settings == {semconv.RESPONSE_ID: "resp_1", semconv.REQUEST_STREAM_CURSOR: "3"}
    assert not FETCH.inference
    assert response.usage == streamed(FETCH, EVENTS).usage  # for the call that began it; no span says it
    assert response.extra[semconv.RESPONSE_STATUS] == "completed"


@pytest.mark.parametrize(
    "good",
    [
        ANSWER,
        EVENTS,
        [*DONE, BARE],
        {"input": [*ANSWER["output"], {"type": "function_call_output", "call_id": "c", "output": []}]},
    ],
    ids=["answer", "stream", "items", "request"],
)
def test_whatever_is_odd_nothing_raises(good):
    for odd in broken(good):
        read_everything(RESPONSES, odd)
