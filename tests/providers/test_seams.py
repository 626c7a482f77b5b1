"""Where we stand: which calls are seen, what body is read, and who is said to answer."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from pathlib import Path
from types import SimpleNamespace

import anthropic
import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odd import read_everything
from spanledger import providers
from spanledger.model import Usage
from spanledger.providers import ADAPTERS
from spanledger.providers._anthropic_messages import MESSAGES
from spanledger.providers._embeddings import EMBEDDINGS
from spanledger.providers._interactions import INTERACTIONS
from spanledger.providers._openai_media import IMAGES, TRANSCRIPTIONS
from spanledger.providers.anthropic import ADAPTER as ANTHROPIC
from spanledger.providers.google_genai import ROUTES as GOOGLE
from spanledger.providers.openai import ADAPTER as OPENAI
from spanledger.providers.openai import ROUTES


def options(url, method="post", body=None, **more):
    return SimpleNamespace(url=url, method=method, json_data=body, **more)


def recognize(adapter, client, *args, **kwargs):
    return adapter.seams[0].recognize(client, args, kwargs)


@pytest.mark.parametrize(
    ("url", "operation"),
    [
        ("/chat/completions", "chat"),
        ("/deployments/my-model/chat/completions", "chat"),
        ("https://gateway.test/openai/v1/chat/completions?api-version=1", "chat"),
        ("/responses", "chat"),
        ("/responses/compact", "compaction"),
        ("/responses/input_tokens", "count_tokens"),
        ("/embeddings", "embeddings"),
        ("/completions", "text_completion"),
        ("/images/generations", "image_generation"),
        ("/audio/transcriptions", "transcription"),
        ("/moderations", "moderation"),
        ("/files", None),
        ("/responses/resp_1/cancel", None),
    ],
)
def test_posts_to_openai(url, operation):
    found = recognize(OPENAI, object(), object, options(url, body={"model": "m"}))
    assert (found.endpoint.operation if found else None) == operation


@pytest.mark.parametrize(
    ("url", "body"),
    [
        ("/responses/resp_1", {"response_id": "resp_1", "stream": True}),
        ("https://x.test/v1/responses/resp_1/", {"response_id": "resp_1", "stream": True}),
        ("/responses/resp_1/input_items", None),
        ("/models", None),
    ],
)
def test_gets_from_openai(url, body):
    found = recognize(OPENAI, object(), object, options(url, "get", params={"stream": True}))
    assert (found.body if found else None) == body


@pytest.mark.parametrize(
    ("url", "operation"),
    [
        ("/v1/messages", "chat"),
        ("/v1/messages?beta=true", "chat"),
        ("/v1/messages/count_tokens?beta=true", "count_tokens"),
        ("/v1/messages/batches", "batch"),
        ("/v1/threads/t/messages", None),
    ],
)
def test_posts_to_anthropic(url, operation):
    found = recognize(ANTHROPIC, object(), cast_to=object, options=options(url))
    assert (found.endpoint.operation if found else None) == operation


def test_the_extra_body_of_the_caller_is_read():
    body, extra = {"model": "m", "top_p": 1}, {"top_p": 0.5, "reasoning": {"effort": "low"}}
    found = recognize(OPENAI, object(), object, options("/chat/completions", body=body, extra_json=extra))

    assert found.body == {**body, **extra}
    assert body["top_p"] == 1


@pytest.mark.parametrize("args", [(), (object,), (object, None), (object, SimpleNamespace(url=7))])
def test_odd_arguments_are_none_of_our_business(args):
    assert recognize(OPENAI, object(), *args) is None


@pytest.mark.parametrize(
    ("base_url", "provider", "address", "port"),
    [
        ("https://api.openai.com/v1", "openai", "api.openai.com", 443),
        ("http://localhost:8000/v1", "openai", "localhost", 8000),
        ("https://me.openai.azure.com/openai/v1", "azure.ai.openai", "me.openai.azure.com", 443),
        ("https://api.deepseek.com", "deepseek", "api.deepseek.com", 443),
        ("https://api.x.ai/v1", "x_ai", "api.x.ai", 443),
        ("https://openrouter.ai/api/v1", "openrouter", "openrouter.ai", 443),
        ("https://notopenrouter.ai/api/v1", "openai", "notopenrouter.ai", 443),
        (
            "https://us-central1-aiplatform.googleapis.com/v1",
            "gcp.vertex_ai",
            "us-central1-aiplatform.googleapis.com",
            443,
        ),
        ("https://bedrock-mantle.us-east-1.api.aws/v1", "aws.bedrock", "bedrock-mantle.us-east-1.api.aws", 443),
    ],
)
def test_who_answers(base_url, provider, address, port):
    client = openai.OpenAI(api_key="k", base_url=base_url)
    peer = recognize(OPENAI, client, object, options("/chat/completions")).peer

    assert (peer.provider, peer.address, peer.port) == (provider, address, port)
    assert recognize(OPENAI, client, object, options("/chat/completions")).peer is peer


def test_a_moved_client_is_told_anew_and_a_dropped_one_forgotten():
    client = openai.OpenAI(api_key="k", base_url="https://api.x.ai/v1")
    assert recognize(OPENAI, client, object, options("/responses")).peer.provider == "x_ai"
    client.base_url = "https://api.groq.com/openai/v1"
    assert recognize(OPENAI, client, object, options("/responses")).peer.provider == "groq"
    known = weakref.ref(client)
    client.close()
    del client
    gc.collect()
    assert known() is None


def test_azure_behind_a_gateway_is_still_azure():
    client = openai.AzureOpenAI(api_key="k", azure_endpoint="https://gateway.test", api_version="1")
    assert recognize(OPENAI, client, object, options("/chat/completions")).peer.provider == "azure.ai.openai"


@pytest.mark.parametrize(
    ("name", "provider"),
    [("AnthropicBedrock", "aws.bedrock"), ("AnthropicVertex", "gcp.vertex_ai"), ("MyAnthropic", "anthropic")],
)
def test_anthropic_elsewhere(name, provider):
    client = type(name, (), {"base_url": "https://gateway.test"})()
    assert recognize(ANTHROPIC, client, object, options("/v1/messages")).peer.provider == provider


def test_the_seams_are_there():
    assert callable(openai._base_client.SyncAPIClient.request)
    assert callable(anthropic._base_client.AsyncAPIClient.request)


def test_nothing_is_imported_for_reading():
    code = "import sys, spanledger.providers; print({'openai', 'anthropic', 'google', 'httpx'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_embeddings_images_and_audio():
    floats = EMBEDDINGS.read_response(
        {"data": [{"embedding": [0.1] * 3}], "usage": {"prompt_tokens": 2}}, content=False
    )
    coded = EMBEDDINGS.read_response({"data": [{"embedding": "AAAAAAAAAAAAAAAA"}]}, content=False)
    usage = {"input_tokens": 3, "output_tokens": 9, "input_tokens_details": {"image_tokens": 2}}
    image = IMAGES.read_response({"data": [{"b64_json": "QUJD"}], "usage": usage}, content=True)
    usage = {"type": "tokens", "input_tokens": 4, "input_token_details": {"audio_tokens": 4}, "output_tokens": 1}
    audio = TRANSCRIPTIONS.read_response({"text": "hi", "usage": usage}, content=True)

    assert [list(one.extra.values()) for one in (floats, coded)] == [[3], [3]]
    assert image.usage == Usage(3, output=9, input_image=2)
    assert image.messages[0]["parts"][0]["type"] == "blob"
    assert audio.usage == Usage(4, output=1, input_audio=4)
    assert EMBEDDINGS.read_response({"usage": {"total_tokens": 5}}, content=False).usage == Usage(5)
    assert EMBEDDINGS.read_request({"input": "a", "dimensions": 8}).settings == {"gen_ai.embeddings.dimension.count": 8}


ENDPOINTS = [*ROUTES.values(), *GOOGLE.values(), MESSAGES, INTERACTIONS]
NAMES = st.sampled_from(
    ["id", "messages", "content", "role", "type", "tool_calls", "function", "usage", "choices", "delta", "message", "input",
     "output", "text", "contents", "parts", "functionCall", "candidates", "usageMetadata", "finish_reason", "index",
     "tools", "item", "response", "status", "steps", "step", "event_type", "source", "image_url", "data", "name",
     "generationConfig", "stop", "n", "reasoning", "error", "system", "content_block", "requests", "instances"]
)  # fmt: skip
VALUES = st.sampled_from(
    ["user", "assistant", "tool", "text", "function_call", "message", "tool_use", "tool_result", "response.completed",
     "response.output_item.added", "message_start", "content_block_start", "step.delta", "interaction.completed", "x",
     "function_call_output", "reasoning", "image_url", "data:x", "model", "server_tool_use"]
)  # fmt: skip
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=25,
)


@settings(max_examples=50, deadline=None)
@given(ODD | st.dictionaries(NAMES, ODD, max_size=6))
def test_odd_input_never_raises(odd):
    for endpoint in ENDPOINTS:
        read_everything(endpoint, odd)


def test_there_is_an_adapter_for_each_client():
    modules = {path.stem for path in Path(providers.__file__).parent.glob("[a-z]*.py")} - {"sizes"}
    assert len({adapter.package for adapter in ADAPTERS}) == len(ADAPTERS)
    assert len(ADAPTERS) >= len(modules)
