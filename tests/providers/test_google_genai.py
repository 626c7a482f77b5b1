"""Gemini on the wire: JSON in, JSON out, whole or in pieces."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odd import broken, read_everything, streamed
from spanledger import semconv
from spanledger.model import ToolCall, ToolResult, Usage
from spanledger.providers._gemini_embeddings import EMBED, IMAGES
from spanledger.providers._gemini_partial import add_pieces
from spanledger.providers._generate_content import GENERATE, unpack
from spanledger.providers._interactions import INTERACTIONS
from spanledger.providers.google_genai import ADAPTER, COUNT

USAGE = {
    "promptTokenCount": 100,
    "toolUsePromptTokenCount": 40,
    "cachedContentTokenCount": 60,
    "candidatesTokenCount": 20,
    "thoughtsTokenCount": 15,
    "totalTokenCount": 175,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 90}, {"modality": "AUDIO", "tokenCount": 10}],
    "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 6}],
    "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 5}],
}
PARTS = [
    {"text": "Hm. ", "thought": True},
    {"text": "Hello "},
    {"text": "there"},
    {"functionCall": {"name": "f", "args": {"a": 1}}},
]
ANSWER = {
    "responseId": "r1",
    "modelVersion": "gemini-x",
    "candidates": [{"index": 0, "finishReason": "STOP", "content": {"role": "model", "parts": PARTS}}],
    "usageMetadata": USAGE,
}
CHUNKS = [
    {
        "responseId": "r1",
        "modelVersion": "gemini-x",
        "candidates": [{"content": {"parts": [part]}}],
        "usageMetadata": {**USAGE, "candidatesTokenCount": number},
    }
    for number, part in enumerate(PARTS)
]
CHUNKS.append({**ANSWER, "candidates": [{"finishReason": "STOP"}]})
BUCKETS = Usage(80, 60, None, 35, reasoning=15, input_audio=10, cache_read_audio=6, output_image=5)


def test_an_answer():
    response = GENERATE.read_response(ANSWER, content=True)

    assert (response.id, response.model, response.finish_reasons) == ("r1", "gemini-x", ["STOP"])
    assert response.usage == BUCKETS
    assert response.usage.total == USAGE["totalTokenCount"]
    assert response.tool_calls == [ToolCall(None, "f", {"a": 1})]
    assert [part["type"] for part in response.messages[0]["parts"]] == ["reasoning", "text", "text", "tool_call"]
    assert response.messages[0]["finish_reason"] == "stop"


@given(data=st.data())
def test_chunks_say_the_same_in_either_form(data):
    chunks = [SimpleNamespace(body=json.dumps(chunk)) if data.draw(st.booleans()) else chunk for chunk in CHUNKS]
    response = streamed(GENERATE, chunks)

    assert (response.id, response.model, response.finish_reasons) == ("r1", "gemini-x", ["STOP"])
    assert (response.usage, response.tool_calls) == (BUCKETS, [ToolCall(None, "f", {"a": 1})])
    assert [part.get("content") for part in response.messages[0]["parts"]] == ["Hm. ", "Hello there", None]


@given(*[st.integers(0, 10**6)] * 4)
def test_buckets_always_sum_to_the_provider_total(prompt, tools, said, thought):
    counts = [prompt, tools, said, thought]
    names = ("promptTokenCount", "toolUsePromptTokenCount", "candidatesTokenCount", "thoughtsTokenCount")
    wire = {name: value for name, value in zip(names, counts, strict=True) if value}  # zeros are not sent
    usage = GENERATE.read_response(
        {"usageMetadata": {**wire, "totalTokenCount": sum(counts), "promptTokenCount": prompt}}, content=False
    ).usage

    assert usage.total == sum(counts)


def test_arguments_that_are_streamed_one_by_one():
    def piece(path, **value):
        return {"partialArgs": [{"jsonPath": path, **value}], "willContinue": True}

    calls = [
        {"name": "book", "id": "c1", "willContinue": True},
        piece("$.city", stringValue="New ", willContinue=True),
        piece("$.city", stringValue="York"),
        piece("$.rooms[1].beds", numberValue=2),
        piece("$['late']", boolValue=True),
        {},
        {"name": "wait", "args": {"s": 1}},
    ]
    answer = streamed(GENERATE, [{"candidates": [{"content": {"parts": [{"functionCall": call}]}}]} for call in calls])
    booked = {"city": "New York", "rooms": [None, {"beds": 2}], "late": True}
    assert answer.tool_calls == [ToolCall("c1", "book", booked), ToolCall(None, "wait", {"s": 1})]


def test_pieces_of_arguments_that_fit_nowhere_are_dropped():
    arguments = {"a": "x"}
    for path in ("$.a.b", "$.a[0]", "$.l[99999999]", "$", None, "$.n"):
        add_pieces(arguments, {"partialArgs": [{"jsonPath": path, "numberValue": 1}, 7, None]})
    add_pieces("text", {"partialArgs": [{"jsonPath": "$.a", "numberValue": 1}]})
    assert arguments == {"a": "x", "l": [], "n": 1}


def test_a_blocked_prompt_is_a_content_filter():
    response = GENERATE.read_response({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}, content=True)
    assert response.finish_reasons == ["content_filter"]


def test_a_request():
    body = {
        "model": "gemini-x",
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "generationConfig": {
            "maxOutputTokens": 9,
            "topK": 4.0,
            "candidateCount": 2,
            "responseMimeType": "application/json",
            "thinkingConfig": {"thinking_level": "LOW"},
        },
        "tools": [{"functionDeclarations": [{"name": "f", "parameters": {}}]}, {"googleSearch": {}}],
        "contents": [
            {"role": "user", "parts": [{"text": "Hi"}, {"inlineData": {"mime_type": "image/png", "data": "QUJD"}}]},
            {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"a": 1}}}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"t": 4}}}]},
        ],
    }
    request = GENERATE.read_request(body)
    system, messages = GENERATE.read_messages(body)

    assert request.settings == {
        semconv.REQUEST_MAX_TOKENS: 9,
        semconv.REQUEST_TOP_K: 4,
        semconv.REQUEST_CHOICE_COUNT: 2,
        semconv.OUTPUT_TYPE: "json",
        semconv.REQUEST_REASONING_LEVEL: "LOW",
    }
    assert request.results == [ToolResult(None, "f", {"t": 4})]
    assert request.asked == [ToolCall(None, "f", {"a": 1})]
    assert system == [{"type": "text", "content": "Be brief."}]
    assert [message["role"] for message in messages] == ["user", "assistant", "tool"]
    assert messages[0]["parts"][1] == {
        "type": "blob", "modality": "image", "mime_type": "image/png", "content": "QUJD",
    }  # fmt: skip
    assert messages[2]["parts"] == [{"type": "tool_call_response", "name": "f", "response": {"t": 4}}]
    assert [tool["name"] for tool in GENERATE.read_tools(body)] == ["f", "googleSearch"]


@pytest.mark.parametrize(
    ("path", "body", "endpoint", "model"),
    [
        ("models/gemini-x:generateContent", {"contents": []}, GENERATE, "gemini-x"),
        ("models/gemini-x:streamGenerateContent?alt=sse", {"contents": []}, GENERATE, "gemini-x"),
        ("publishers/google/models/e:predict", {"instances": [{"content": "a"}]}, EMBED, "e"),
        ("models/imagen:predict", {"instances": [{"prompt": "a"}]}, IMAGES, "imagen"),
        ("models/e:batchEmbedContents", {"requests": []}, EMBED, "e"),
        ("models/gemini-x:countTokens", {}, COUNT, "gemini-x"),
        ("files", {}, None, None),
        ("models/gemini-x:tune", {}, None, None),
    ],
)
def test_what_is_recognized(path, body, endpoint, model):
    client = SimpleNamespace(vertexai="publishers" in path)
    found = ADAPTER.seams[0].recognize(client, ("post", path), {"request_dict": body})

    if endpoint is None:
        assert found is None
        return
    assert found.endpoint is endpoint
    assert found.body["model"] == model
    assert found.body.get("stream", False) is ("stream" in path)
    assert found.peer.provider == ("gcp.vertex_ai" if client.vertexai else "gcp.gemini")
    assert "model" not in body


def test_the_body_of_the_caller_is_laid_over():
    options = {"extra_body": {"generationConfig": {"seed": 3}, "labels": {"a": "b"}}}
    body = {"generationConfig": {"temperature": 1}}
    found = ADAPTER.seams[0].recognize(object(), ("post", "models/x:generateContent", body, options), {})

    assert found.body["generationConfig"] == {"temperature": 1, "seed": 3}
    assert body == {"generationConfig": {"temperature": 1}}


def test_embeddings():
    vertex = {"predictions": [{"embeddings": {"values": [0.1] * 8, "statistics": {"token_count": 3}}}] * 2}
    response = EMBED.read_response(vertex, content=False)

    assert (response.usage, response.extra) == (Usage(6), {semconv.EMBEDDING_DIMENSIONS: 8})
    assert EMBED.read_response({"embeddings": [{"values": [1, 2]}]}, content=False).extra == {
        semconv.EMBEDDING_DIMENSIONS: 2
    }


@pytest.mark.parametrize("result", [SimpleNamespace(body='{"a": 1}'), {"a": 1}], ids=["text", "older"])
def test_unpacking(result):
    assert unpack(result) == {"a": 1}


@pytest.mark.parametrize(
    ("asked", "headers", "traffic", "tier"),
    [
        ({}, {}, None, None),
        ({"serviceTier": "flex"}, {}, None, "flex"),
        ({"service_tier": "SERVICE_TIER_PRIORITY"}, {}, None, "priority"),
        ({"serviceTier": "unspecified"}, {}, None, None),
        ({"serviceTier": "priority"}, {"x-gemini-service-tier": "standard"}, None, "standard"),  # it was full
        ({}, {"X-Gemini-Service-Tier": "flex"}, None, "flex"),
        ({}, {}, "ON_DEMAND", "on_demand"),
        ({}, {}, "ON_DEMAND_FLEX", "flex"),
        ({}, {}, "PROVISIONED_THROUGHPUT", "provisioned_throughput"),
        ({}, {}, "TRAFFIC_TYPE_UNSPECIFIED", None),
    ],
)
def test_the_tier_of_an_answer(asked, headers, traffic, tier):
    settings = GENERATE.read_request({"model": "m", **asked}).settings
    usage = {**USAGE, "trafficType": traffic} if traffic else USAGE
    result = SimpleNamespace(body=json.dumps({**ANSWER, "usageMetadata": usage}), headers=headers)

    assert semconv.tier_of(GENERATE.read_response(unpack(result), content=False).extra, settings) == tier
    assert semconv.tier_of(streamed(GENERATE, [result]).extra, settings) == tier


def test_the_tier_of_an_interaction():
    settings = INTERACTIONS.read_request({"model": "m", "service_tier": "priority"}).settings
    answer = {**INTERACTION, "service_tier": "standard"}
    last = {"event_type": "interaction.completed", "interaction": answer}

    assert settings[semconv.REQUEST_TIER] == "priority"
    assert INTERACTIONS.read_response(answer, content=False).extra[semconv.RESPONSE_TIER] == "standard"
    assert streamed(INTERACTIONS, [last]).extra[semconv.RESPONSE_TIER] == "standard"


@pytest.mark.parametrize(
    ("model", "requests"),
    [
        ("gemini-2.5-flash", {"grounded_prompt": 1, "google_maps": 1}),
        ("models/gemini-1.5-pro-002", {"grounded_prompt": 1, "google_maps": 1}),
        ("gemini-3-flash-preview", {"google_search": 3, "google_maps": 1}),
        ("gemini-12", {"google_search": 3, "google_maps": 1}),
        (None, {"google_search": 3, "google_maps": 1}),
    ],
)
def test_what_was_looked_up_is_counted_as_it_is_billed(model, requests):
    """https://ai.google.dev/gemini-api/docs/google-search#pricing: unique queries, and not the empty ones"""
    first = {"groundingMetadata": {"webSearchQueries": ["a", "b"], "groundingChunks": [{"web": {"uri": "u"}}]}}
    last = {"groundingMetadata": {"webSearchQueries": ["b", "", "c"], "groundingChunks": [{"maps": {"uri": "u"}}]}}
    found = {"modelVersion": model, "usageMetadata": USAGE}
    whole = GENERATE.read_response({**found, "candidates": [first, last]}, content=False)
    parts = streamed(GENERATE, [{**found, "candidates": [one]} for one in (first, last, {"finishReason": "STOP"})])

    assert whole.usage.requests == parts.usage.requests == requests


@pytest.mark.parametrize(
    ("model", "requests"), [("gemini-2.5-pro", {"grounded_prompt": 1}), ("gemini-3-pro", {"google_search": 2})]
)
def test_what_an_interaction_looked_up(model, requests):
    usage = {
        **INTERACTION["usage"],
        "grounding_tool_count": [{"type": "google_search", "count": 2}, {"type": "google_maps"}],
    }
    answer = {**INTERACTION, "model": model, "usage": usage}
    events = [
        {"event_type": "interaction.completed", "interaction": {**answer, "status": "requires_continuation"}},
        {"event_type": "interaction.completed", "interaction": answer},
    ]

    assert INTERACTIONS.read_response(answer, content=False).usage.requests == requests
    assert streamed(INTERACTIONS, events).usage.requests == {tool: 2 * n for tool, n in requests.items()}


def test_a_broken_body_is_an_error_not_a_mistake_of_ours():
    answer = unpack(SimpleNamespace(body='{"candidates": ['))
    assert GENERATE.read_response(answer, content=True).error == "invalid_json"


def test_an_interaction_that_takes_two_requests():
    def usage(said):
        return {"total_input_tokens": 10, "total_output_tokens": said, "total_thought_tokens": 2}

    events = [
        {"event_type": "interaction.created", "interaction": {"id": "v1", "model": "gemini-x"}},
        {"event_type": "step.delta", "index": 0, "delta": {"type": "text", "text": "Hel"}},
        {
            "event_type": "interaction.completed",
            "interaction": {"id": "v1", "status": "requires_continuation", "usage": usage(3)},
        },
        {
            "event_type": "step.delta",
            "index": 0,
            "delta": {"type": "text", "text": "lo"},
            "metadata": {"usage": usage(1)},
        },
        {"event_type": "interaction.completed", "interaction": {"id": "v2", "status": "completed", "usage": usage(4)}},
    ]
    response = streamed(INTERACTIONS, events)

    assert (response.id, response.model, response.finish_reasons) == ("v2", "gemini-x", ["stop"])
    assert (response.usage.input, response.usage.output) == (20, 11)
    assert response.messages[0]["parts"] == [{"type": "text", "content": "Hello"}]


INTERACTION = {
    "id": "v1",
    "model": "gemini-x",
    "status": "requires_action",
    "usage": {"total_input_tokens": 9, "total_cached_tokens": 4, "total_output_tokens": 3, "total_thought_tokens": 5},
    "steps": [
        {"type": "thought", "summary": [{"type": "text", "text": "Hm."}]},
        {"type": "model_output", "content": [{"type": "text", "text": "Hi"}]},
        {"type": "function_call", "id": "c", "name": "f", "arguments": {"a": 1}},
    ],
}


def test_an_interaction():
    request = INTERACTIONS.read_request(
        {
            "model": "gemini-x",
            "previous_interaction_id": "v0",
            "generation_config": {"temperature": 0.5},
            "input": [{"type": "function_result", "call_id": "c", "name": "f", "result": "bad", "is_error": True}],
        }
    )
    response = INTERACTIONS.read_response(INTERACTION, content=True)

    assert request.results == [ToolResult("c", "f", "bad", is_error=True)]
    assert request.previous_response_id == "v0"
    assert response.usage == Usage(5, 4, output=8, reasoning=5)
    assert response.tool_calls == [ToolCall("c", "f", {"a": 1})]
    assert [part["type"] for part in response.messages[0]["parts"]] == ["reasoning", "text", "tool_call"]


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"errors": [{"message": "boom"}, {"code": "internal", "message": "boom"}]}, "internal"),
        ({"errors": [{"message": "boom"}]}, "failed"),
        ({}, "failed"),
    ],
)
def test_an_interaction_that_failed_is_an_error(said, error):
    response = INTERACTIONS.read_response({"id": "v1", "status": "failed", "steps": [], **said}, content=True)

    assert (response.error, response.finish_reasons) == (error, ["error"])
    assert INTERACTIONS.read_response({**INTERACTION, **said}, content=True).error is None  # what it got over


FAILING = [
    {"event_type": "interaction.created", "interaction": {"id": "v1", "model": "gemini-x", "status": "in_progress"}},
    {"event_type": "interaction.status_update", "interaction_id": "v1", "status": "in_progress"},
    {"event_type": "step.delta", "index": 0, "delta": {"type": "text", "text": "He"}},
    {
        "event_type": "interaction.status_update",
        "interaction_id": "v1",
        "status": "failed",
        "usage": {"total_input_tokens": 9, "total_output_tokens": 1},
    },
]


def test_an_interaction_that_fails_in_the_middle_of_its_stream():
    response = streamed(INTERACTIONS, FAILING)

    assert (response.error, response.finish_reasons) == ("failed", ["error"])
    assert response.extra == {semconv.RESPONSE_STATUS: "failed"}
    assert (response.usage.input, response.usage.output) == (9, 1)
    assert response.messages[0]["parts"] == [{"type": "text", "content": "He"}]
    said = {"event_type": "error", "error": {"code": "internal", "message": "boom"}}
    assert streamed(INTERACTIONS, [*FAILING[:-1], said, FAILING[-1]]).error == "internal"


def test_a_status_on_the_way_is_not_an_end():
    on = [{**FAILING[1], "status": status} for status in ("queued", "requires_continuation", "completed")]
    response = streamed(INTERACTIONS, [*FAILING[:-1], *on])
    assert (response.error, response.extra) == (None, {})


@pytest.mark.parametrize(
    "good",
    [ANSWER, CHUNKS, {"contents": [{"role": "user", "parts": PARTS}], "tools": [{"functionDeclarations": [{}]}]}],
    ids=["answer", "stream", "request"],
)
def test_whatever_is_odd_nothing_raises(good):
    for odd in broken(good):
        read_everything(GENERATE, odd)


def test_whatever_is_odd_in_an_interaction_nothing_raises():
    event = {"event_type": "interaction.completed", "interaction": INTERACTION, "metadata": {"usage": {}}}
    for odd in [*broken(INTERACTION), *broken(event), *broken(FAILING), *broken({"input": INTERACTION["steps"]})]:
        read_everything(INTERACTIONS, odd)
