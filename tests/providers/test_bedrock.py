"""Bedrock: every maker's body, and a body that is the user's to read."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import operator
from functools import partial
from types import SimpleNamespace

import pytest

from clients import MESSAGE
from more_clients import CLAUDE, CONVERSE_ASK, CONVERSE_EVENTS, INVOKE_ASK, bedrock
from odd import broken, read_everything, streamed
from spanledger import semconv
from spanledger.config import Settings
from spanledger.instrument import instrument
from spanledger.instrument._inside import watched_inside
from spanledger.model import Usage
from spanledger.providers._bedrock_bodies import _BY_KEY, _PROMPT, endpoint_of
from spanledger.providers._converse import CONVERSE
from spanledger.providers.bedrock import ADAPTER
from wires import Answers, Pieces, httpx

SEAM = ADAPTER.seams[0]


def client(service="bedrock-runtime"):
    meta = SimpleNamespace(service_model=SimpleNamespace(service_name=service), endpoint_url="http://bedrock.test")
    return SimpleNamespace(meta=meta)


def invoke(model, sent, got=None, chunks=()):
    """The request, the answer and the streamed answer of one maker's bodies."""
    found = SEAM.recognize(client(), ("InvokeModel", {"modelId": model, "body": json.dumps(sent)}), {})
    headers = {"x-amzn-bedrock-input-token-count": "9", "x-amzn-bedrock-output-token-count": "4"}
    result = {"body": json.dumps(got), "ResponseMetadata": {"HTTPHeaders": headers}}
    answer = found.endpoint.read_response(SEAM.unpack(result), True)
    unpacked = [SEAM.unpack({"chunk": {"bytes": json.dumps(chunk).encode()}}) for chunk in chunks]
    return found, found.endpoint.read_request(found.body), answer, streamed(found.endpoint, unpacked)


METRICS = {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 9, "outputTokenCount": 4}}


@pytest.mark.parametrize(
    ("model", "sent", "got", "chunks", "limit", "finish"),
    [
        (
            "amazon.titan-text-express-v1",
            {"inputText": "Hi", "textGenerationConfig": {"maxTokenCount": 8, "temperature": 0.5}},
            {"inputTextTokenCount": 9, "results": [{"tokenCount": 4, "outputText": "Hello there", "completionReason": "FINISH"}]},
            [{"outputText": "Hello ", "index": 0}, {"outputText": "there", "index": 0, "completionReason": "FINISH", "inputTextTokenCount": 9, "totalOutputTextTokenCount": 4}],
            8, "FINISH",
        ),
        (
            "meta.llama3-8b-instruct-v1:0", {"prompt": "Hi", "max_gen_len": 8},
            {"generation": "Hello there", "prompt_token_count": 9, "generation_token_count": 4, "stop_reason": "stop"},
            [{"generation": "Hello ", "prompt_token_count": 9, "generation_token_count": 1}, {"generation": "there", "generation_token_count": 4, "stop_reason": "stop"}],
            8, "stop",
        ),
        (
            "mistral.mistral-7b-instruct-v0:2", {"prompt": "<s>[INST] Hi [/INST]", "max_tokens": 8},
            {"outputs": [{"text": "Hello there", "stop_reason": "stop"}]},
            [{"outputs": [{"text": "Hello ", "stop_reason": None}]}, {"outputs": [{"text": "there", "stop_reason": "stop"}], **METRICS}],
            8, "stop",
        ),
        (
            "cohere.command-text-v14", {"prompt": "Hi", "max_tokens": 8},
            {"generations": [{"text": "Hello there", "finish_reason": "COMPLETE"}], "id": "x"},
            [{"text": "Hello ", "is_finished": False}, {"text": "there", "is_finished": False}, {"is_finished": True, "finish_reason": "COMPLETE", **METRICS}],
            8, "COMPLETE",
        ),
        (
            "cohere.command-r-v1:0", {"message": "Hi", "max_tokens": 8},
            {"text": "Hello there", "finish_reason": "COMPLETE", "generation_id": "g"},
            [{"event_type": "text-generation", "text": "Hello there"}, {"event_type": "stream-end", "finish_reason": "COMPLETE", **METRICS}],
            8, "COMPLETE",
        ),
        (
            "us.amazon.nova-lite-v1:0", {"messages": [{"role": "user", "content": [{"text": "Hi"}]}], "inferenceConfig": {"maxTokens": 8}},
            {"output": {"message": {"role": "assistant", "content": [{"text": "Hello there"}]}}, "stopReason": "end_turn", "usage": {"inputTokens": 9, "outputTokens": 4}},
            [{"contentBlockDelta": {"delta": {"text": "Hello there"}, "contentBlockIndex": 0}}, {"messageStop": {"stopReason": "end_turn"}}, {"metadata": {"usage": {"inputTokens": 9, "outputTokens": 4}}}],
            8, "end_turn",
        ),
        (
            "mistral.pixtral-large-2502-v1:0", {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 8},
            {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello there"}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 9, "completion_tokens": 4}},
            [{"choices": [{"index": 0, "delta": {"content": "Hello there"}, "finish_reason": "stop"}], **METRICS}],
            8, "stop",
        ),
        (
            "mistral.mistral-large-2402-v1:0", {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 8},
            {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello there"}, "stop_reason": "length"}]},
            [{"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello there"}, "stop_reason": "length"}], **METRICS}],
            8, "length",
        ),
    ],
    ids=["titan", "llama", "mistral", "command", "command r", "nova", "messages", "mistral's messages"],
)  # fmt: skip
def test_every_makers_bodies(model, sent, got, chunks, limit, finish):
    found, request, answer, streamed = invoke(model, sent, got, chunks)
    assert (request.model, request.settings["gen_ai.request.max_tokens"]) == (model, limit)
    assert "Hi" in str(found.endpoint.read_messages(found.body))
    for read in (answer, streamed):
        assert read.finish_reasons == [finish]
        assert (read.usage.input, read.usage.output) == (9, 4)
        assert read.messages[0]["parts"] == [{"type": "text", "content": "Hello there"}]
    assert found.peer.provider == "aws.bedrock"


@pytest.mark.parametrize(
    ("model", "sent", "operation"),
    [
        ("amazon.titan-embed-text-v2:0", {"inputText": "a", "dimensions": 256}, "embeddings"),
        ("cohere.embed-english-v3", {"texts": ["a"], "input_type": "search_query"}, "embeddings"),
        ("cohere.rerank-v3-5:0", {"query": "a", "documents": ["b"]}, "rerank"),
        ("amazon.titan-image-generator-v2:0", {"taskType": "TEXT_IMAGE"}, "image_generation"),
        ("stability.sd3-5-large-v1:0", {"prompt": "a"}, "image_generation"),
    ],
)
def test_what_is_no_text_is_seen_too(model, sent, operation):
    found, request, answer, _ = invoke(model, sent, {"embedding": [0.1] * 256})
    assert found.endpoint.operation == operation
    assert request.model == model
    assert answer.usage == Usage(9, output=4)


def test_other_services_are_none_of_our_business():
    assert SEAM.recognize(client("s3"), ("PutObject", {}), {}) is None
    assert SEAM.recognize(client("sagemaker-runtime"), ("InvokeModel", {}), {}) is None
    assert SEAM.recognize(client(), ("ListFoundationModels", {}), {}) is None


def test_a_file_as_a_body_is_left_to_the_client():
    sent = io.BytesIO(b'{"prompt": "Hi"}')
    found = SEAM.recognize(client(), ("InvokeModel", {"modelId": "m", "body": sent}), {})
    assert found.endpoint.read_request(found.body).model == "m"
    assert sent.tell() == 0


def test_tools_and_cache_of_converse():
    body = {
        "modelId": "m", "system": [{"text": "be kind"}],
        "messages": [
            {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t1", "name": "f", "input": {"a": 1}}}]},
            {"role": "user", "content": [{"toolResult": {"toolUseId": "t1", "status": "error", "content": [{"json": {"b": 2}}]}},
                                         {"image": {"format": "png", "source": {"bytes": b"x"}}}]},
        ],
        "toolConfig": {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}]},
    }  # fmt: skip
    request = CONVERSE.read_request(body)
    system, messages = CONVERSE.read_messages(body)
    usage = {
        "inputTokens": 3,
        "outputTokens": 5,
        "cacheReadInputTokens": 10,
        "cacheWriteInputTokens": 7,
        "cacheDetails": [{"ttl": "1h", "inputTokens": 7}],
    }
    assert (request.results[0].id, request.results[0].is_error, request.asked[0].name) == ("t1", True, "f")
    assert [message["role"] for message in messages] == ["assistant", "tool", "user"]
    assert system == [{"type": "text", "content": "be kind"}]
    assert messages[2]["parts"][0]["mime_type"] == "image/png"
    assert CONVERSE.read_tools(body)[0]["parameters"] == {"type": "object"}
    assert CONVERSE.read_response({"usage": usage}, content=False).usage == Usage(3, 10, 7, 5, cache_write_1h=7)


def test_the_tier_that_was_asked_for_and_the_one_that_answered():
    asked, got = {"serviceTier": {"type": "priority"}}, {"serviceTier": {"type": "default"}}
    quick = {"performanceConfig": {"latency": "optimized"}}
    usage = {"usage": {"inputTokens": 1, "outputTokens": 1}}

    assert semconv.tier_of(CONVERSE.read_request({**asked, **quick}).settings) == "priority+optimized"
    for answer in (
        CONVERSE.read_response({**usage, **got}, content=False),
        streamed(CONVERSE, [{"metadata": {**usage, **got}}]),
    ):
        assert (answer.extra, answer.usage) == ({semconv.RESPONSE_TIER: "default"}, Usage(1, output=1))
    assert CONVERSE.read_response({**usage, **quick}, content=False).extra == {semconv.RESPONSE_SPEED: "optimized"}


@pytest.mark.parametrize("model", ["anthropic.claude-x", "meta.llama3", "amazon.nova-lite-v1:0"])
def test_the_tier_of_a_body(model):
    sent = (
        {"anthropic_version": "x"}
        if "claude" in model
        else {"inferenceConfig": {}}
        if "nova" in model
        else {"prompt": "Hi"}
    )
    asked = {"modelId": model, "body": json.dumps(sent), "serviceTier": "flex", "performanceConfigLatency": "optimized"}
    found = SEAM.recognize(client(), ("InvokeModel", asked), {})
    answer = SEAM.unpack({"body": "{}", "ResponseMetadata": {}, "serviceTier": "default"})

    assert semconv.tier_of(found.endpoint.read_request(found.body).settings) == "flex+optimized"
    assert found.endpoint.read_response(answer, False).extra[semconv.RESPONSE_TIER] == "default"


def test_odd_data_never_raises():
    endpoints = [CONVERSE, _PROMPT, *(endpoint for _, endpoint in _BY_KEY)]
    data = {"messages": [{"role": "user", "content": [{"toolResult": {"toolUseId": "t", "content": [{"text": "x"}]}}]}],
            "contentBlockDelta": {"delta": {"toolUse": {"input": "x"}}}, "results": [{"tokenCount": 1}],
            "toolConfig": {"tools": [{"toolSpec": {"name": "f"}}]}, "embeddings": [[1]], "usage": {"inputTokens": 1}}  # fmt: skip
    for odd in broken(data):
        for endpoint in endpoints:
            read_everything(endpoint, odd)
        if isinstance(odd, dict):
            endpoint_of(odd, "m")


# --- a body that is read later ---------------------------------------------------------------------------------------


@pytest.fixture
def made(provider):
    pytest.importorskip("boto3")
    answers = Answers()
    with instrument(Settings(content="span_only"), tracer_provider=provider):
        yield bedrock(answers, False), answers


READINGS = {
    "read": operator.methodcaller("read"),
    "in pieces": lambda body: b"".join(iter(lambda: body.read(7), b"")),
    "chunks": lambda body: b"".join(body.iter_chunks(5)),
    "iteration": b"".join,
    "lines": lambda body: b"".join(body.iter_lines()),
    "next": lambda body: b"".join(iter(partial(next, body, b""), b"")),
}


@pytest.mark.parametrize("how", READINGS)
def test_a_body_is_read_along_in_every_way(made, spans, how):
    client, answers = made
    answers.queue = [MESSAGE]
    body = client.invoke_model(**INVOKE_ASK)["body"]
    assert spans() == ()
    assert json.loads(READINGS[how](body)) == MESSAGE
    assert spans()[0].attributes["gen_ai.usage.output_tokens"] == 4


def test_a_body_that_is_not_read_ends_with_its_owner(made, spans):
    client, answers = made
    answers.queue = [MESSAGE, MESSAGE]
    client.invoke_model(**INVOKE_ASK)
    gc.collect()
    client.invoke_model(**INVOKE_ASK)["body"].close()
    assert [span.attributes["agent.stream.end"] for span in spans()] == ["abandoned", "closed"]


def test_a_body_that_breaks_off_is_a_failed_call(made, spans):
    client, answers = made
    answers.queue = [Pieces([b"{"], httpx.ReadError("gone"))]
    body = client.invoke_model(**INVOKE_ASK)["body"]
    with pytest.raises(httpx.ReadError):
        body.read()
    assert spans()[0].attributes["agent.error.class"] == "connection"


def test_a_stream_can_be_closed_and_the_rest_of_the_answer_is_there(made, spans):
    client, answers = made
    answers.queue = [list(CONVERSE_EVENTS)]
    answer = client.converse_stream(**CONVERSE_ASK)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    next(iter(answer["stream"]))
    answer["stream"].close()
    assert spans()[0].attributes["agent.stream.end"] == "closed"
    assert spans()[0].attributes["gen_ai.request.model"] == CLAUDE


class Later:
    """A body as aiobotocore gives it."""

    def __init__(self, data):
        self._data = io.BytesIO(data)

    async def read(self, amt=None):
        return self._data.read(amt)

    def __aiter__(self):
        return self.iter_chunks()

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exc):
        pass

    async def iter_chunks(self, chunk_size=4):
        while chunk := await self.read(chunk_size):
            yield chunk


class Told:
    """A call that writes down what it is told."""

    def __init__(self):
        self.answers, self.ends = [], []

    def read(self, result):
        self.answers.append(result)

    def finish_stream(self, how, error=None):
        self.ends.append(how)


@pytest.mark.parametrize("how", ["read", "chunks", "iteration", "manager"])
def test_an_asynchronous_body_is_read_along(how):
    async def reads(body):
        if how == "read":
            return await body.read()
        if how == "manager":
            async with body as entered:
                return await entered.read()
        return b"".join([chunk async for chunk in (body if how == "iteration" else body.iter_chunks())])

    told = Told()
    result = watched_inside({"body": Later(b"data")}, told, lambda result: (result, "body"))
    assert asyncio.run(reads(result["body"])) == b"data"
    assert told.answers[0]["body"] == b"data"
    assert told.ends[0] == "drained"


def test_a_tool_call_that_is_streamed_without_arguments_has_none():
    begun = {"contentBlockIndex": 0, "start": {"toolUse": {"toolUseId": "t", "name": "now"}}}
    answer = streamed(CONVERSE, [{"contentBlockStart": begun}, {"messageStop": {"stopReason": "tool_use"}}])
    assert [call.arguments for call in answer.tool_calls] == [{}]


def test_vectors_by_type_are_measured():
    sent = {"texts": ["a"], "input_type": "search_query", "embedding_types": ["int8"]}
    _, _, answer, _ = invoke("cohere.embed-v4:0", sent, {"embeddings": {"float": None, "int8": [[1, 2, 3]]}})
    assert answer.extra == {"gen_ai.embeddings.dimension.count": 3}


def test_tools_that_amazon_carries_out_are_not_the_callers():
    use = {"toolUseId": "s1", "name": "nova_grounding", "type": "server_tool_use"}
    found = {"toolUseId": "s1", "type": "nova_grounding_result", "status": "success", "content": [{"json": {"n": 1}}]}
    mine = {"toolUseId": "c1", "name": "f", "input": {}}
    content = [{"toolUse": {**use, "input": {"q": "x"}}}, {"toolResult": found}, {"text": "so"}, {"toolUse": mine}]
    whole = {"output": {"message": {"role": "assistant", "content": content}}, "stopReason": "tool_use"}
    events = [
        {"contentBlockStart": {"contentBlockIndex": 0, "start": {"toolUse": use}}},
        *({"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"toolUse": {"input": i}}}} for i in ('{"q":', '"x"}')),
        {"contentBlockStop": {"contentBlockIndex": 0}},
        {"contentBlockDelta": {"contentBlockIndex": 2, "delta": {"text": "so"}}},
        {"contentBlockStart": {"contentBlockIndex": 3, "start": {"toolUse": {"toolUseId": "c1", "name": "f"}}}},
        {"contentBlockStop": {"contentBlockIndex": 3}}, {"messageStop": {"stopReason": "tool_use"}},
    ]  # fmt: skip
    answer, stream = CONVERSE.read_response(whole, content=True), streamed(CONVERSE, events)
    for each in (answer, stream):
        assert [call.name for call in each.tool_calls] == ["f"]
        assert each.messages[0]["parts"][0] == {
            "type": "server_tool_call", "id": "s1", "name": "nova_grounding",
            "server_tool_call": {"type": "server_tool_use", "arguments": {"q": "x"}},
        }  # fmt: skip
    assert answer.messages[0]["parts"][1]["server_tool_call_response"] == {
        "type": "nova_grounding_result",
        "content": {"n": 1},
    }
    sent = {"messages": [{"role": "assistant", "content": content}, {"role": "user", "content": [{"text": "go on"}]}]}
    assert [call.name for call in CONVERSE.read_request(sent).asked] == ["f"]
