"""The chat completions shape: the same answers from JSON and from the client's own objects."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from odd import as_object, broken, read_everything, streamed
from spanledger import semconv
from spanledger.model import ToolCall, ToolResult, Usage
from spanledger.providers._chat_completions import CHAT, COMPLETIONS
from spanledger.providers._tokens import read_usage

CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}

COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-x-2026",
    "service_tier": "default",
    "system_fingerprint": "fp_1",
    "choices": [
        {
            "index": 0,
            "finish_reason": "tool_calls",
            "logprobs": None,
            "message": {"role": "assistant", "content": "Let me look.", "refusal": None, "tool_calls": [CALL]},
        }
    ],
    "usage": {
        "prompt_tokens": 100,
        "completion_tokens": 30,
        "total_tokens": 130,
        "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10, "audio_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 12, "audio_tokens": 3},
        "cost": 0.25,
    },
}


def chunk(delta, *, index=0, reason=None, usage=None, **more):
    choices = [] if delta is None else [{"index": index, "delta": delta, "finish_reason": reason, "logprobs": None}]
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-x-2026"}
    return {**head, "choices": choices, "usage": usage, **more}


CHUNKS = [
    chunk({"role": "assistant", "content": ""}, service_tier="default", system_fingerprint="fp_1"),
    chunk({"content": "Let me "}),
    chunk({"content": "look."}),
    chunk({"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": {"name": "weather"}}]}),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"city": '}}]}),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": '"Oslo"}'}}]}),
    chunk({}, reason="tool_calls"),
    chunk(None, usage=COMPLETION["usage"]),
]


@pytest.mark.parametrize("objects", [False, True], ids=["json", "object"])
def test_a_completion(objects):
    answer = as_object(ChatCompletion, COMPLETION) if objects else COMPLETION
    response = CHAT.read_response(answer, content=True)

    assert (response.id, response.model, response.finish_reasons) == ("chatcmpl-1", "gpt-x-2026", ["tool_calls"])
    assert response.tool_calls == [ToolCall("call_1", "weather", '{"city": "Oslo"}')]
    assert response.extra == {semconv.OPENAI_RESPONSE_TIER: "default", semconv.OPENAI_FINGERPRINT: "fp_1"}
    assert response.messages == [
        {
            "role": "assistant",
            "finish_reason": "tool_call",
            "parts": [
                {"type": "text", "content": "Let me look."},
                {"type": "tool_call", "id": "call_1", "name": "weather", "arguments": {"city": "Oslo"}},
            ],
        }
    ]
    assert response.usage == Usage(
        uncached=30, cache_read=60, cache_write=10, output=30, reasoning=12, input_audio=4, output_audio=3, cost=0.25
    )
    assert CHAT.read_response(answer, content=False).messages == []


@pytest.mark.parametrize("objects", [False, True], ids=["json", "objects"])
def test_a_stream_says_what_the_whole_answer_says(objects):
    chunks = [as_object(ChatCompletionChunk, one) for one in CHUNKS] if objects else CHUNKS
    assert streamed(CHAT, chunks) == CHAT.read_response(COMPLETION, content=True)


def test_choices_and_thoughts_are_kept_apart():
    response = streamed(
        CHAT,
        [
            chunk({"reasoning_content": "hm "}),
            chunk({"reasoning_content": "hm", "content": None}),
            chunk({"content": "b"}, index=1),
            chunk({"content": "a"}),
            chunk({}, reason="stop"),
        ],
    )

    assert response.finish_reasons == ["stop", "error"]  # the second choice was cut
    assert [[part["content"] for part in message["parts"]] for message in response.messages] == [["hm hm", "a"], ["b"]]


def asked(*calls):
    return chunk({"tool_calls": [{"type": "function", **call} for call in calls]})


@pytest.mark.parametrize("objects", [False, True], ids=["json", "objects"])
def test_calls_that_all_go_by_one_number_are_told_by_their_ids(objects):
    wire = [
        asked({"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"x": '}}),
        asked({"index": 0, "function": {"arguments": "1}"}}),
        asked({"index": 0, "id": "b", "function": {"name": "f", "arguments": ""}}),
        asked(
            {"index": 0, "id": "again", "function": {"arguments": '{"x": 2}'}}
        ),  # a new id for each piece: no new call
        chunk({}, reason="tool_calls"),
    ]
    answer = streamed(CHAT, [as_object(ChatCompletionChunk, one) for one in wire] if objects else wire)
    assert answer.tool_calls == [ToolCall("a", "f", '{"x": 1}'), ToolCall("b", "f", '{"x": 2}')]


def named(name, arguments, id=""):
    return asked({"index": 0, "id": id, "function": {"name": name, "arguments": arguments}})


@pytest.mark.parametrize("objects", [False, True], ids=["json", "objects"])
@pytest.mark.parametrize(
    ("wire", "calls"),
    [
        ([named("a", '{"x":1}'), named("b", '{"y":2}')], [("a", '{"x":1}'), ("b", '{"y":2}')]),
        ([named("a", "{}"), named("b", ""), named("", "{}")], [("a", "{}"), ("b", "{}")]),
        ([named("a", '{"x":1}'), named("a", '{"x":2}')], [("a", '{"x":1}'), ("a", '{"x":2}')]),
        # one that says its name with every piece
        ([named("a", '{"x":'), named("a", "1}"), named("a", "")], [("a", '{"x":1}')]),
        ([named("a", '{"x":'), named("b", "1}")], [("a", '{"x":1}')]),
        ([named("a", ""), named("b", "{}")], [("a", "{}")]),
    ],
)
def test_calls_of_one_number_and_no_id_are_told_by_what_is_whole(objects, wire, calls):
    answer = streamed(CHAT, [as_object(ChatCompletionChunk, one) for one in wire] if objects else wire)
    assert answer.tool_calls == [ToolCall(None, *call) for call in calls]


def test_a_call_with_an_id_begins_anew_after_one_without():
    answer = streamed(CHAT, [named("a", "{}"), named("b", "{}", id="2")])
    assert answer.tool_calls == [ToolCall(None, "a", "{}"), ToolCall("2", "b", "{}")]


@pytest.mark.parametrize("objects", [False, True], ids=["json", "objects"])
def test_usage_may_stand_in_the_last_choice(objects):
    last = chunk({}, reason="stop")
    last["choices"][0]["usage"] = {"prompt_tokens": 19, "completion_tokens": 13, "total_tokens": 32}
    wire = [chunk({"content": "Hi"}), last]
    answer = streamed(CHAT, [as_object(ChatCompletionChunk, one) for one in wire] if objects else wire)
    assert answer.usage == Usage(uncached=19, output=13)

    last["usage"] = {"prompt_tokens": 20, "completion_tokens": 14}
    assert streamed(CHAT, [last]).usage == Usage(uncached=20, output=14)


def test_an_error_in_a_choice_is_an_error_of_the_answer():
    failed = {"index": 0, "finish_reason": "error", "error": {"code": 502, "message": "gone"}}
    assert CHAT.read_response({"choices": [{**failed, "message": {"content": ""}}]}, content=False).error == "502"
    answer = streamed(CHAT, [{"id": "x", "choices": [{**failed, "delta": {"content": ""}}]}])
    assert answer.error == "502"


def test_a_tier_may_stand_in_the_usage():
    answer = {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "service_tier": "priority"}}
    assert CHAT.read_response(answer, content=False).extra == {semconv.OPENAI_RESPONSE_TIER: "priority"}


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        pytest.param(None, Usage(), id="nothing"),
        pytest.param(
            {"prompt_tokens": 1, "completion_tokens": 2, "cost": {"request_cost": 0.5, "total_cost": 0.75}},
            Usage(1, output=2, cost=0.75),
            id="perplexity",
        ),
        pytest.param(
            {"prompt_tokens": 9, "completion_tokens": 2, "num_cached_tokens": 4}, Usage(5, 4, output=2), id="mistral"
        ),
        pytest.param({"prompt_tokens": 8, "total_tokens": 8}, Usage(8), id="embeddings"),
        pytest.param(
            {"prompt_tokens": 10, "completion_tokens": 2, "prompt_cache_hit_tokens": 7},
            Usage(3, 7, output=2),
            id="deepseek",
        ),
        pytest.param(
            {"prompt_tokens": 10, "completion_tokens": 2, "cached_tokens": 4}, Usage(6, 4, output=2), id="moonshot"
        ),
        pytest.param(
            {"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 9}},
            Usage(5, 9, output=2),
            id="more cached than input: counted apart",
        ),
        pytest.param(
            {
                "prompt_tokens": 5,
                "completion_tokens": 2,
                "total_tokens": 17,
                "completion_tokens_details": {"reasoning_tokens": 10},
            },
            Usage(5, output=12, reasoning=10),
            id="xai: reasoning beside the output",
        ),
        pytest.param({"prompt_tokens": "many", "completion_tokens": True}, Usage(), id="no numbers"),
    ],
)
def test_usage_dialects(wire, expected):
    assert read_usage(wire) == expected


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_buckets_always_sum_to_the_provider_totals(prompt, output, read, write):
    details = {"cached_tokens": read, "cache_write_tokens": write}
    usage = read_usage({"prompt_tokens": prompt, "completion_tokens": output, "prompt_tokens_details": details})

    apart = read + write if read + write > prompt else 0
    assert usage.input == prompt + apart
    assert usage.output == output
    assert min(usage.uncached, usage.cache_read, usage.cache_write) >= 0


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"max_tokens": 5}, {semconv.REQUEST_MAX_TOKENS: 5}),
        ({"max_completion_tokens": 6}, {semconv.REQUEST_MAX_TOKENS: 6}),
        ({"temperature": 0, "top_p": 0.5, "seed": 3}, {
            semconv.REQUEST_TEMPERATURE: 0, semconv.REQUEST_TOP_P: 0.5, semconv.REQUEST_SEED: 3,
        }),
        ({"stop": "x"}, {semconv.REQUEST_STOP_SEQUENCES: ["x"]}),
        ({"stop": ["x", "y"]}, {semconv.REQUEST_STOP_SEQUENCES: ["x", "y"]}),
        ({"n": 1}, {}),
        ({"n": 3}, {semconv.REQUEST_CHOICE_COUNT: 3}),
        ({"service_tier": "auto"}, {}),
        ({"service_tier": "flex"}, {semconv.OPENAI_REQUEST_TIER: "flex"}),
        ({"reasoning_effort": "low"}, {semconv.REQUEST_REASONING_LEVEL: "low"}),
        ({"reasoning": {"effort": "high"}}, {semconv.REQUEST_REASONING_LEVEL: "high"}),
        ({"response_format": {"type": "json_schema", "json_schema": {}}}, {semconv.OUTPUT_TYPE: "json"}),
        ({"temperature": None, "top_p": [1]}, {}),
    ],
)  # fmt: skip
def test_settings(body, expected):
    assert CHAT.read_request({"model": "m", "messages": [], **body}).settings == expected


HISTORY = [
    {"role": "system", "content": "Be brief."},
    {"role": "developer", "content": "Be kind."},
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call_1", "content": '{"t": 4}'},
]


def test_a_request_carries_back_the_results_of_the_last_turn_only():
    request = CHAT.read_request({"model": "m", "stream": True, "messages": HISTORY})

    assert (request.model, request.stream, request.system) == ("m", True, ["Be brief.", "Be kind."])
    assert request.results == [ToolResult("call_1", None, '{"t": 4}')]
    assert request.asked == [ToolCall("call_1", "weather", '{"city": "Oslo"}')]
    answered = [*HISTORY, {"role": "assistant", "content": "Cold."}, {"role": "user", "content": "Thanks"}]
    assert CHAT.read_request({"messages": answered}).results == []


def test_a_history_in_the_words_of_the_convention():
    system, messages = CHAT.read_messages({"messages": HISTORY})

    assert system == []
    assert [message["role"] for message in messages] == ["system", "developer", "user", "assistant", "tool"]
    assert messages[3]["parts"] == [
        {"type": "tool_call", "id": "call_1", "name": "weather", "arguments": {"city": "Oslo"}}
    ]
    assert messages[4]["parts"] == [{"type": "tool_call_response", "id": "call_1", "response": '{"t": 4}'}]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
            {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "QUJD"},
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}},
            {"type": "uri", "modality": "image", "uri": "https://x.test/a.png"},
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "mp3"}},
            {"type": "blob", "modality": "audio", "mime_type": "audio/mp3", "content": "QUJD"},
        ),
        ({"type": "file", "file": {"file_id": "f1"}}, {"type": "file", "modality": "document", "file_id": "f1"}),
        ({"type": "text", "text": "hi"}, {"type": "text", "content": "hi"}),
        ({"type": "hologram", "secret": "s"}, {"type": "hologram"}),
        (7, {"type": "unknown"}),
    ],
)
def test_parts(part, expected):
    _, [message] = CHAT.read_messages({"messages": [{"role": "user", "content": [part]}]})
    assert message["parts"] == [expected]


def test_tools_legacy_calls_and_refusals():
    body = {"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}, {"type": "web_search"}]}
    assert CHAT.read_tools(body) == [
        {"type": "function", "name": "f", "parameters": {}},
        {"type": "web_search", "name": "web_search"},
    ]
    message = {
        "role": "assistant",
        "content": None,
        "refusal": "No.",
        "function_call": {"name": "f", "arguments": "{}"},
    }
    response = CHAT.read_response({"choices": [{"message": message, "finish_reason": "stop"}]}, content=True)
    assert response.tool_calls == [ToolCall(None, "f", "{}")]
    assert [part["type"] for part in response.messages[0]["parts"]] == ["text", "tool_call"]


def test_legacy_completions():
    answer = {"id": "c", "choices": [{"text": "fine", "finish_reason": "length"}], "usage": {"prompt_tokens": 1}}
    response = COMPLETIONS.read_response(answer, content=True)

    assert response.messages == [
        {"role": "assistant", "parts": [{"type": "text", "content": "fine"}], "finish_reason": "length"}
    ]
    assert COMPLETIONS.read_messages({"prompt": ["a", "b"]})[1] == [
        {"role": "user", "parts": [{"type": "text", "content": "a"}, {"type": "text", "content": "b"}]}
    ]


def test_an_error_inside_a_success():
    assert CHAT.read_response({"error": {"code": 502, "message": "x"}}, content=False).error == "502"


@pytest.mark.parametrize(
    "good",
    [COMPLETION, CHUNKS, {"messages": HISTORY, "tools": [{"type": "function", "function": {"name": "f"}}]}],
    ids=["answer", "stream", "request"],
)
def test_whatever_is_odd_nothing_raises(good):
    for odd in broken(good):
        read_everything(CHAT, odd)


def test_a_refusal_beside_an_empty_text_is_kept():
    pieces = [chunk({"content": "I "}), chunk({"content": "", "refusal": "won't"}), chunk({}, reason="stop")]
    (message,) = streamed(CHAT, [as_object(ChatCompletionChunk, one) for one in pieces]).messages

    assert message["parts"] == [{"type": "text", "content": "I won't"}]


DRAWN = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}, "index": 0}]
THOUGHT = [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]}, {"type": "text", "text": "yes"}]


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        (
            {"content": "Here:", "images": DRAWN},
            [
                {"type": "text", "content": "Here:"},
                {"type": "blob", "modality": "image", "content": "aGk=", "mime_type": "image/png"},
            ],
        ),
        ({"content": THOUGHT}, [{"type": "reasoning", "content": "hm"}, {"type": "text", "content": "yes"}]),
    ],
    ids=["pictures of OpenRouter", "thoughts of Databricks"],
)
def test_what_some_send_beside_the_text(message, parts):
    whole = {
        **COMPLETION,
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", **message}}],
    }
    assert CHAT.read_response(whole, content=True).messages[0]["parts"] == parts
    assert streamed(CHAT, [chunk(message), chunk({}, reason="stop")]).messages[0]["parts"] == parts


def test_bare_pictures_are_no_words():
    _, (message,) = CHAT.read_messages({"messages": [{"role": "assistant", "content": "a", "images": ["aGk="]}]})
    assert message["parts"] == [{"type": "text", "content": "a"}]
