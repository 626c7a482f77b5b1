"""Anthropic's messages: buckets that exclude the cache, and a stream that counts as it goes."""

from __future__ import annotations

import anthropic
import pytest
from anthropic.types import Message, RawMessageStreamEvent
from pydantic import TypeAdapter

from odd import as_object, broken, read_everything, streamed
from spanledger import pricing, semconv
from spanledger.config import Settings
from spanledger.instrument import instrument
from spanledger.model import ToolCall, ToolResult, Usage
from spanledger.providers._anthropic_blocks import content_parts
from spanledger.providers._anthropic_messages import COUNT, MESSAGES
from spanledger.providers._stainless import absent
from spanledger.providers.anthropic import ADAPTER
from spanledger.testing import ScriptedServer

EVENT = TypeAdapter(RawMessageStreamEvent)
USAGE = {
    "input_tokens": 7,
    "cache_read_input_tokens": 100,
    "cache_creation_input_tokens": 30,
    "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
    "output_tokens": 50,
    "output_tokens_details": {"thinking_tokens": 11},
    "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 0},
    "service_tier": "standard",
}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x",
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "content": [
        {"type": "thinking", "thinking": "Hm.", "signature": "s"},
        {"type": "text", "text": "Look", "citations": None},
        {"type": "server_tool_use", "id": "srv", "name": "web_search", "input": {"query": "q"}},
        {"type": "tool_use", "id": "tu_1", "name": "f", "input": {"a": 1}},
        {"type": "text", "text": "Done", "citations": None},
    ],
    "usage": USAGE,
}


def block(index, start, *deltas):
    return [
        {"type": "content_block_start", "index": index, "content_block": start},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


EVENTS = [
    {
        "type": "message_start",
        "message": {**MESSAGE, "content": [], "stop_reason": None, "usage": {**USAGE, "output_tokens": 1}},
    },
    *block(0, {"type": "thinking", "thinking": "", "signature": ""}, {"type": "thinking_delta", "thinking": "Hm."}),
    *block(1, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Lo"}, {"type": "text_delta", "text": "ok"}),
    *block(2, MESSAGE["content"][2], {"type": "input_json_delta", "partial_json": "{}"}),
    *block(
        3,
        {"type": "tool_use", "id": "tu_1", "name": "f", "input": {}},
        {"type": "input_json_delta", "partial_json": ""},
        {"type": "input_json_delta", "partial_json": '{"a": 1}'},
    ),
    *block(4, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Done"}),
    {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use", "stop_sequence": None},
        "usage": {"output_tokens": 50},
    },
    {"type": "message_stop"},
]
BUCKETS = Usage(7, 100, 30, 50, cache_write_1h=20, reasoning=11, requests={"web_search": 2})


@pytest.mark.parametrize("objects", [False, True], ids=["json", "object"])
def test_a_message(objects):
    answer = as_object(Message, MESSAGE) if objects else MESSAGE
    response = MESSAGES.read_response(answer, content=True)

    assert (response.id, response.model, response.finish_reasons) == ("msg_1", "claude-x", ["tool_use"])
    assert response.usage == BUCKETS
    assert response.usage.input == 137
    assert response.tool_calls == [ToolCall("tu_1", "f", {"a": 1})]
    assert response.extra == {semconv.ANTHROPIC_RESPONSE_TIER: "standard"}
    [message] = response.messages
    assert message["finish_reason"] == "tool_call"
    assert [part["type"] for part in message["parts"]] == [
        "reasoning", "text", "server_tool_call", "tool_call", "text",
    ]  # fmt: skip


@pytest.mark.parametrize("objects", [False, True], ids=["json", "objects"])
def test_a_stream_says_what_the_whole_message_says(objects):
    events = [as_object(EVENT, one) for one in EVENTS] if objects else EVENTS
    response, whole = streamed(MESSAGES, events), MESSAGES.read_response(MESSAGE, content=True)

    assert response.tool_calls == [ToolCall("tu_1", "f", '{"a": 1}')]
    response.tool_calls = whole.tool_calls
    assert response == whole


def test_a_tool_call_that_is_streamed_without_arguments_has_none():
    begun = {"type": "tool_use", "id": "t", "name": "now", "input": {}}
    answer = streamed(MESSAGES, block(0, begun, {"type": "input_json_delta", "partial_json": ""}))
    assert [call.arguments for call in answer.tool_calls] == [{}]


def test_a_stream_in_which_another_model_steps_in_is_of_that_model():
    beta = TypeAdapter(pytest.importorskip("anthropic.types.beta").BetaRawMessageStreamEvent)
    models = {"from": {"model": "claude-x"}, "to": {"model": "claude-y"}, "trigger": {"type": "refusal"}}
    events = [EVENTS[0], *block(0, {"type": "fallback", **models})]
    assert streamed(MESSAGES, events).model == "claude-y"
    assert streamed(MESSAGES, [EVENTS[0], *block(0, {"type": "fallback"})]).model == "claude-x"
    models["trigger"]["category"] = "cyber"
    assert streamed(MESSAGES, [EVENTS[0], as_object(beta, events[1])]).model == "claude-y"


SERVERS = [
    {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}},
    {"type": "mcp_tool_use", "id": "m", "name": "look", "server_name": "srv", "input": {"at": [1]}},
    {"type": "server_tool_use", "id": "e", "name": "code_execution", "input": {}},
    {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
    {"type": "compaction", "content": "sum", "encrypted_content": "x"},
]


def piece(kind, text):
    return {"type": kind, "partial_json" if kind == "input_json_delta" else "content": text}


SERVERS_EVENTS = [
    *block(0, {**SERVERS[0], "input": {}}, *(piece("input_json_delta", text) for text in ("", '{"query":', ' "q"}'))),
    *block(1, {**SERVERS[1], "input": {}}, piece("input_json_delta", '{"at": [1]}')),
    *block(2, SERVERS[2], piece("input_json_delta", "")),
    *block(3, SERVERS[3]),
    *block(4, {"type": "compaction", "content": None}, piece("compaction_delta", "sum")),
]


@pytest.mark.parametrize("objects", [0, 5], ids=["json", "objects"])  # the client of the beta knows the others
def test_what_servers_are_asked_and_what_is_compacted_comes_in_pieces_too(objects):
    wire = [as_object(EVENT, one) for one in SERVERS_EVENTS[:objects]] + SERVERS_EVENTS[objects:]
    assert streamed(MESSAGES, wire).messages[0]["parts"] == content_parts(SERVERS)


def test_what_a_server_is_asked_is_kept_as_far_as_it_came():
    [message] = streamed(MESSAGES, SERVERS_EVENTS[:3]).messages
    assert message["parts"][0]["server_tool_call"]["arguments"] == '{"query":'


def test_a_cut_stream_keeps_the_usage_of_its_start():
    response = streamed(MESSAGES, EVENTS[:3])

    assert (response.usage.input, response.usage.output) == (137, 1)
    assert response.finish_reasons == ["error"]


def test_compaction_is_billed_beside_the_message():
    usage = {**USAGE, "iterations": [{"type": "compaction", "input_tokens": 1000, "output_tokens": 5}]}
    response = MESSAGES.read_response({**MESSAGE, "usage": usage}, content=False)

    assert (response.usage.uncached, response.usage.output) == (1007, 55)


@pytest.mark.parametrize("again", [{}, {"input_tokens": 7}], ids=["without", "with"])
@pytest.mark.parametrize(("first", "last"), [(True, True), (True, False), (False, True)])
def test_compaction_is_billed_once_however_often_a_stream_tells_of_it(first, last, again):
    told = {"iterations": [{"type": "compaction", "input_tokens": 1000, "output_tokens": 5}]}
    start, end = {**USAGE, **(told if first else {})}, {**again, "output_tokens": 60, **(told if last else {})}
    response = streamed(MESSAGES, [
        {"type": "message_start", "message": {**MESSAGE, "content": [], "usage": start}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": end},
    ])  # fmt: skip

    assert (response.usage.uncached, response.usage.output) == (1007, 65)


def test_advice_of_another_model_is_named_beside_the_price():
    advice = {"type": "advisor_message", "model": "claude-opus-4-8", "input_tokens": 823, "output_tokens": 1612}
    told = {"iterations": [{"type": "message", "input_tokens": 7, "output_tokens": 50}, advice, advice]}
    usage = {**USAGE, **told, "server_tool_use": {"web_search_requests": 1}}
    whole = MESSAGES.read_response({**MESSAGE, "usage": usage}, content=False).usage
    parts = streamed(MESSAGES, [
        {"type": "message_start", "message": {**MESSAGE, "content": [], "usage": {**USAGE, **told}}},
        {"type": "message_delta", "delta": {}, "usage": {"server_tool_use": {"web_search_requests": 1}}},
    ]).usage  # fmt: skip
    found = pricing.price(whole, provider="anthropic", model="claude-sonnet-4-6", at=1_790_000_000 * 10**9)

    assert whole.requests == parts.requests == {"web_search": 1, "advisor": 2}
    assert found.status == "partial"
    assert "advisor" in found.unpriced_units


@pytest.mark.parametrize(
    ("asked", "said", "tier"),
    [
        ({}, {}, "standard"),
        ({"speed": "fast"}, {"speed": "fast", "inference_geo": "global"}, "fast"),
        ({"speed": "fast"}, {"speed": "standard"}, "standard"),
        ({"speed": "fast"}, {}, "fast"),  # nobody said that it was not
        ({}, {"speed": "fast", "service_tier": "priority"}, "priority+fast"),
        ({"inference_geo": "us"}, {"inference_geo": "us"}, "us"),
        ({}, {"inference_geo": "not_available"}, "standard"),
    ],
)
def test_speed_and_region_are_tiers(asked, said, tier):
    """https://platform.claude.com/docs/en/build-with-claude/fast-mode and .../manage-claude/data-residency"""
    settings = MESSAGES.read_request({"model": "m", **asked}).settings
    whole = MESSAGES.read_response({**MESSAGE, "usage": {**USAGE, **said}}, content=False)
    start = {"type": "message_start", "message": {**MESSAGE, "content": [], "usage": {**USAGE, **said}}}

    assert semconv.tier_of(whole.extra, settings) == tier
    assert semconv.tier_of(streamed(MESSAGES, [start]).extra, settings) == tier


def test_a_request():
    request = MESSAGES.read_request(
        {
            "model": "m",
            "max_tokens": 9,
            "top_k": 4,
            "stop_sequences": ["x"],
            "system": "Be brief.",
            "output_config": {"effort": "low", "format": {"type": "json_schema"}},
            "messages": [
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": [MESSAGE["content"][3]]},
                {
                    "role": "user",
                    "content": [
                        {"type": "tool_result", "tool_use_id": "tu_1", "content": "bad", "is_error": True},
                        {"type": "text", "text": "Go on"},
                    ],
                },
            ],
        }
    )

    assert request.settings == {
        semconv.REQUEST_MAX_TOKENS: 9,
        semconv.REQUEST_TOP_K: 4,
        semconv.REQUEST_STOP_SEQUENCES: ["x"],
        semconv.REQUEST_REASONING_LEVEL: "low",
        semconv.OUTPUT_TYPE: "json",
    }
    assert request.results == [ToolResult("tu_1", None, "bad", is_error=True)]
    assert request.asked == [ToolCall("tu_1", "f", {"a": 1})]


def test_every_tool_result_is_a_message_of_its_own():
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}}
    results = [
        {"type": "tool_result", "tool_use_id": name, "content": [{"type": "text", "text": name}]} for name in "ab"
    ]
    body = {
        "system": [{"type": "text", "text": "Be brief."}],
        "messages": [{"role": "user", "content": [*results, image]}],
        "tools": [{"name": "f", "input_schema": {}}, {"type": "web_search_20250305", "name": "web_search"}],
    }
    system, messages = MESSAGES.read_messages(body)

    assert system == [{"type": "text", "content": "Be brief."}]
    assert messages == [
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "a", "response": "a"}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "b", "response": "b"}]},
        {
            "role": "user",
            "parts": [{"type": "blob", "modality": "image", "mime_type": "image/png", "content": "QUJD"}],
        },
    ]
    assert [tool["type"] for tool in MESSAGES.read_tools(body)] == ["function", "web_search_20250305"]


def test_counting_buys_nothing():
    assert not COUNT.inference
    assert COUNT.read_response({"input_tokens": 5}, content=True).usage == Usage()


@pytest.mark.skipif(not hasattr(anthropic.Anthropic, "open_telemetry"), reason="this version makes no spans")
def test_whether_a_client_makes_its_own_spans():
    client = anthropic.Anthropic(api_key="k", open_telemetry={"traces": {"enabled": True}})

    assert ADAPTER.speaks_otel(client)
    assert not ADAPTER.speaks_otel(client.with_options(open_telemetry=False))
    assert not ADAPTER.speaks_otel(object())


@pytest.mark.parametrize(
    "good",
    [MESSAGE, EVENTS, SERVERS_EVENTS, {"system": [], "messages": [MESSAGE], "tools": [{"name": "f"}]}],
    ids=["answer", "stream", "servers", "request"],
)
def test_whatever_is_odd_nothing_raises(good):
    for odd in broken(good):
        read_everything(MESSAGES, odd)


@pytest.mark.parametrize("streaming", [False, True])
def test_what_the_caller_left_out_is_nowhere(provider, spans, streaming):
    watching = instrument(Settings.load(content="span_only"), tracer_provider=provider, adapters=[ADAPTER])
    with watching, ScriptedServer(["Hello!"]) as server:
        client = anthropic.Anthropic(base_url=server.url, api_key="none")
        asked = {"model": "claude-x", "max_tokens": 8, "messages": [{"role": "user", "content": "hi"}]}
        if streaming:
            with client.messages.stream(**asked) as stream:
                stream.until_done()
        else:
            client.messages.create(**asked)
    (span,) = spans()
    assert semconv.INPUT_MESSAGES in span.attributes
    assert not {semconv.SYSTEM_INSTRUCTIONS, semconv.SYSTEM_HASH, semconv.TOOL_DEFINITIONS, semconv.TOOLS_HASH} & set(
        span.attributes
    )


def test_the_body_that_is_read_holds_only_what_was_said():
    options = type("Options", (), {})()
    left_out = next(iter(absent("anthropic")))
    options.__dict__.update(url="/v1/messages", method="post", json_data={"model": "m", "system": left_out()})
    found = ADAPTER.seams[0].recognize(anthropic.Anthropic(api_key="none"), (None, options), {})
    assert found.body == {"model": "m"}
