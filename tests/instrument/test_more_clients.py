"""Clients that are called in ways of their own: through others, over gRPC, without a choke point."""

from __future__ import annotations

import asyncio
import inspect
import json
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from clients import CHAT
from more_clients import COHERE_USAGE, cohere, mistral, ollama
from spanledger.config import Settings
from spanledger.instrument import instrument
from spanledger.testing import ScriptedServer
from wires import Answers, http_client


@pytest.fixture
def watching(provider):
    with instrument(Settings(content="span_only"), tracer_provider=provider) as watching:
        yield watching


@pytest.fixture
def answers():
    return Answers()


def run(value):
    async def waited():
        return await value

    return asyncio.run(waited()) if inspect.isawaitable(value) else value


def only(spans):
    (span,) = [span for span in spans() if span.instrumentation_scope.name == "spanledger"]
    return span.attributes


async def drained(stream):
    return [chunk async for chunk in stream]


@pytest.fixture
def litellm(monkeypatch):
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("litellm")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", ["sync", "async", "sync stream", "async stream", "router"])
@pytest.mark.parametrize(
    ("model", "named"),
    [
        ("openai/gpt-4o-mini", "openai"),
        ("anthropic/claude-haiku-4-5", "anthropic"),
        ("hosted_vllm/gpt-4o-mini", "hosted_vllm"),
    ],
)
def test_litellm_is_one_call_whatever_stands_underneath(litellm, watching, spans, form, model, named):
    with ScriptedServer(["Hello there"]) as server:
        base = server.url if named == "anthropic" else f"{server.url}/v1"
        ask = {
            "model": model,
            "messages": [{"role": "user", "content": "Hi"}],
            "api_base": base,
            "api_key": "k",
            "num_retries": 0,
        }
        if form == "sync":
            litellm.completion(**ask)
        elif form == "async":
            asyncio.run(litellm.acompletion(**ask))
        elif form == "sync stream":
            list(litellm.completion(stream=True, **ask))
        elif form == "async stream":

            async def streams():
                return await drained(await litellm.acompletion(stream=True, **ask))

            asyncio.run(streams())
        else:
            params = {"model": model, "api_base": base, "api_key": "k"}
            router = litellm.Router(model_list=[{"model_name": "mine", "litellm_params": params}], num_retries=0)
            router.completion(model="mine", messages=ask["messages"])
    said = only(spans)
    assert said["gen_ai.provider.name"] == named
    assert said["gen_ai.request.model"] == model.partition("/")[2]
    assert said["agent.run.stop_reason"] == "completed"
    assert said["gen_ai.output.messages"]


SOLD = [{"text": "Hello there", "usage": {"input": 100, "output": 20, "cached": 30}}]


def tokens(said):
    return tuple(said.get(f"gen_ai.usage.{kind}_tokens") for kind in ("input", "output", "cache_read.input"))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model", ["anthropic/claude-haiku-4-5", "gemini/gemini-2.5-flash", "openai/gpt-4o-mini"])
@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("asked", [False, True])
def test_what_litellm_takes_out_of_a_stream_is_read_where_it_puts_it(
    litellm, watching, spans, model, asynchronous, asked
):
    with ScriptedServer(SOLD) as server:
        bases = {"openai": "/v1", "gemini": "/v1beta/models/gemini-2.5-flash", "anthropic": ""}
        ask = {"model": model, "messages": [{"role": "user", "content": "Hi"}], "api_key": "k", "stream": True,
               "api_base": server.url + bases[model.partition("/")[0]]}  # fmt: skip
        if asked:
            ask["stream_options"] = {"include_usage": True}
        if asynchronous:

            async def streams():
                return await drained(await litellm.acompletion(**ask))

            asyncio.run(streams())
        else:
            list(litellm.completion(**ask))
    said = only(spans)
    if asked or "openai" not in model:  # who was not asked does not say
        assert said["agent.usage.source"] == "provider"
        assert tokens(said) == (100, 20, 30)
    else:
        assert said["agent.usage.source"] == "unknown"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("form", ["messages", "generate_content", "responses"])
def test_litellm_in_the_words_of_others(litellm, watching, spans, form, stream):
    pytest.importorskip("backoff", reason="the other interfaces come with litellm[proxy]")

    async def ask(server):
        if form == "messages":
            return await litellm.anthropic.messages.acreate(
                model="anthropic/claude-haiku-4-5", max_tokens=9, messages=[{"role": "user", "content": "Hi"}], api_base=server.url,
                api_key="k", stream=stream,
            )  # fmt: skip
        if form == "responses":
            return await litellm.aresponses(
                model="openai/gpt-4o-mini", input="Hi", api_base=f"{server.url}/v1", api_key="k", stream=stream
            )
        from litellm import google_genai

        call = google_genai.agenerate_content_stream if stream else google_genai.agenerate_content
        return await call(
            model="gemini/gemini-2.5-flash", contents=[{"role": "user", "parts": [{"text": "Hi"}]}], api_key="k",
            api_base=f"{server.url}/v1beta/models/gemini-2.5-flash",
        )  # fmt: skip

    async def main():
        with ScriptedServer(SOLD) as server:
            found = await ask(server)
            return await drained(found) if stream else found

    asyncio.run(main())
    said = only(spans)
    assert tokens(said) == (100, 20, 30)
    assert said["gen_ai.response.finish_reasons"]
    assert "Hello there" in said["gen_ai.output.messages"]


def test_litellm_that_was_imported_by_name_before_is_seen(litellm, provider, spans):
    module = type(pytest)("theirs")
    exec("from litellm import completion", vars(module))
    import sys

    sys.modules["theirs"] = module
    try:
        original = module.completion
        with instrument(Settings(), tracer_provider=provider), ScriptedServer(["Hello there"]) as server:
            module.completion(
                model="openai/gpt-4o-mini",
                messages=[{"role": "user", "content": "Hi"}],
                api_base=f"{server.url}/v1",
                api_key="k",
            )
        assert module.completion is original
    finally:
        del sys.modules["theirs"]
    assert only(spans)["gen_ai.provider.name"] == "openai"


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(
    ("client", "call", "answer", "operation", "tokens"),
    [
        (cohere("ClientV2"), lambda c: c.rerank(model="rerank-v3.5", query="a", documents=["b"]),
         {"id": "r", "results": [{"index": 0, "relevance_score": 0.5}], "meta": {"billed_units": {"search_units": 1}}}, "rerank", None),
        (cohere("ClientV2"), lambda c: c.embed(model="embed-v4.0", texts=["a"], input_type="search_query", embedding_types=["float"]),
         {"id": "e", "embeddings": {"float": [[0.1, 0.2]]}, "texts": ["a"], "meta": {"billed_units": {"input_tokens": 3}}, "response_type": "embeddings_by_type"},
         "embeddings", 3),
        (ollama, lambda c: c.embed(model="m", input=["a"]), {"model": "m", "embeddings": [[0.1, 0.2]], "prompt_eval_count": 3}, "embeddings", 3),
    ],
    ids=["cohere rerank", "cohere embed", "ollama embed"],
)  # fmt: skip
def test_what_is_no_chat_is_a_call(  # noqa: PLR0913, PLR0917
    client, call, answer, operation, tokens, asynchronous, answers, watching, spans
):
    pytest.importorskip("ollama" if client is ollama else "cohere")
    answers.queue = [answer]
    run(call(client(answers, asynchronous)))
    said = only(spans)
    assert said["gen_ai.operation.name"] == operation
    assert said.get("gen_ai.usage.input_tokens") == tokens
    if operation == "embeddings":
        assert said["gen_ai.embeddings.dimension.count"] == 2
    else:
        assert said["agent.usage.requests.search_units"] == 1


def test_cohere_through_its_raw_client_is_seen(answers, watching, spans):
    pytest.importorskip("cohere")
    answers.queue = [
        {
            "id": "c1",
            "finish_reason": "COMPLETE",
            "usage": COHERE_USAGE,
            "message": {"role": "assistant", "content": []},
        }
    ]
    client = cohere("ClientV2")(answers, False)
    response = client.with_raw_response.chat(model="m", messages=[{"role": "user", "content": "Hi"}])
    assert response.data.id == "c1"
    assert only(spans)["gen_ai.response.id"] == "c1"


def test_mistral_parse_is_one_call(answers, watching, spans):
    pytest.importorskip("mistralai")
    answers.queue = [
        CHAT | {"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "{}"}}]}
    ]
    from pydantic import BaseModel

    class Nothing(BaseModel):
        pass

    mistral(answers, False).made.chat.parse(Nothing, model="m", messages=[{"role": "user", "content": "Hi"}])
    assert only(spans)["gen_ai.output.type"] == "json"


@pytest.mark.parametrize("asynchronous", [False, True])
def test_replicate_predictions_are_calls(answers, watching, spans, asynchronous):
    replicate = pytest.importorskip("replicate")
    import httpx

    prediction = {
        "id": "p",
        "model": "a/b",
        "version": "v",
        "status": "succeeded",
        "input": {},
        "output": ["x"],
        "urls": {},
        "created_at": "",
        "source": "api",
    }
    answers.queue = [prediction]
    inner = http_client(answers, httpx, asynchronous, base_url="http://replicate.test")
    client = replicate.Client(api_token="k", base_url="http://replicate.test")
    vars(client)["_Client__async_client" if asynchronous else "_Client__client"] = inner
    create = client.models.predictions.async_create if asynchronous else client.models.predictions.create
    made = run(create(model=("a", "b"), input={}))
    said = only(spans)
    assert made.id == "p"
    assert (said["gen_ai.provider.name"], said["gen_ai.request.model"]) == ("replicate", "a/b")


# --- xAI, over a gRPC server of our own ------------------------------------------------------------------------------


@pytest.fixture
def xai(provider, monkeypatch):
    pytest.importorskip("xai_sdk")
    import grpc
    from xai_sdk.proto import chat_pb2, chat_pb2_grpc, usage_pb2

    usage = usage_pb2.SamplingUsage(prompt_tokens=9, completion_tokens=4, total_tokens=13, cached_prompt_text_tokens=2)

    class Chat(chat_pb2_grpc.ChatServicer):
        def GetCompletion(self, request, context):  # noqa: N802
            if request.model == "busy":
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "slow down")
            message = chat_pb2.CompletionMessage(content="Hello there", role=2)
            output = chat_pb2.CompletionOutput(message=message, finish_reason="REASON_STOP")
            return chat_pb2.GetChatCompletionResponse(id="x1", model="grok-4", outputs=[output], usage=usage)

        def GetCompletionChunk(self, request, context):  # noqa: N802
            for text in ("Hello ", "there"):
                output = chat_pb2.CompletionOutputChunk(
                    delta=chat_pb2.Delta(content=text, role=2), finish_reason="REASON_STOP"
                )
                yield chat_pb2.GetChatCompletionChunk(id="x1", model="grok-4", outputs=[output], usage=usage)

    server = grpc.server(ThreadPoolExecutor(2))
    chat_pb2_grpc.add_ChatServicer_to_server(Chat(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_xai_is_read_off_its_protocol_buffers(xai, watching, spans, asynchronous, stream):
    import xai_sdk
    from xai_sdk.chat import user

    async def later():
        client = xai_sdk.AsyncClient(api_key="k", api_host=xai, use_insecure_channel=True)
        chat = client.chat.create(model="grok-4", messages=[user("Hi")], temperature=0.5)
        got = await drained(chat.stream()) if stream else await chat.sample()
        await client.close()
        return got

    if asynchronous:
        asyncio.run(later())
    else:
        client = xai_sdk.Client(api_key="k", api_host=xai, use_insecure_channel=True)
        chat = client.chat.create(model="grok-4", messages=[user("Hi")], temperature=0.5)
        _ = list(chat.stream()) if stream else chat.sample()
        client.close()
    said = only(spans)
    assert said["gen_ai.provider.name"] == "x_ai"
    assert said["gen_ai.response.id"] == "x1"
    assert (said["gen_ai.usage.input_tokens"], said["gen_ai.usage.output_tokens"]) == (9, 4)
    assert said["gen_ai.usage.cache_read.input_tokens"] == 2
    assert said["gen_ai.response.finish_reasons"] == ("stop",)
    assert "Hello there" in said["gen_ai.output.messages"]
    assert json.loads(said["gen_ai.input.messages"])[0]["parts"][0]["content"] == "Hi"


def test_an_xai_error_is_classed(xai, watching, spans):
    import grpc
    import xai_sdk
    from xai_sdk.chat import user

    client = xai_sdk.Client(api_key="k", api_host=xai, use_insecure_channel=True)
    with pytest.raises(grpc.RpcError):
        client.chat.create(model="busy", messages=[user("Hi")]).sample()
    client.close()
    assert only(spans)["agent.error.class"] == "rate_limited"
