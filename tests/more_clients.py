"""Clients that are not always installed, as cases beside those of `clients`."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

from clients import CHAT, CHAT_ASK, CHAT_EVENTS, MESSAGE, Case
from wires import Answers, http_client, library_of, transports


def lines(*events: Any) -> list[bytes]:
    return [json.dumps(event).encode() + b"\n" for event in events]


def sse(*events: Any) -> list[bytes]:
    return [b"data: " + json.dumps(event).encode() + b"\n\n" for event in events]


# --- Stainless -----------------------------------------------------------------------------------------------------


def stainless(module: str, sync: str, name: str) -> Callable[[Answers, bool], Any]:
    def make(answers: Answers, asynchronous: bool) -> Any:
        import importlib

        package = importlib.import_module(module)
        client = http_client(answers, library_of(f"{module}._base_client"), asynchronous)
        kind = getattr(package, ("Async" if asynchronous else "") + sync)
        more = {"warm_tcp_connection": False} if sync == "Cerebras" else {}
        return kind(api_key="k", base_url=f"http://{name}.test/v1", max_retries=0, http_client=client, **more)

    return make


def alike(name: str, module: str, sync: str) -> Case:
    return Case(
        name, stainless(module, sync, name),
        lambda c: c.chat.completions.create(**CHAT_ASK), lambda c: c.chat.completions.create(stream=True, **CHAT_ASK),
        CHAT, CHAT_EVENTS, "gpt-4o-mini", name, "chat", "stop", (9, 4),
        (429, {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}), package=f"{module}._base_client",
    )  # fmt: skip


# --- Mistral and OpenRouter, by Speakeasy --------------------------------------------------------------------------


def mistral(answers: Answers, asynchronous: bool) -> Any:
    try:
        from mistralai.client import Mistral, basesdk
    except ImportError:
        from mistralai import Mistral, basesdk
    client = http_client(answers, basesdk.httpx, asynchronous)
    where = {"async_client" if asynchronous else "client": client}
    made = Mistral(api_key="k", server_url="http://mistral.test", **where)
    if asynchronous:
        return SimpleNamespace(call=made.chat.complete_async, stream=made.chat.stream_async, made=made)
    return SimpleNamespace(call=made.chat.complete, stream=made.chat.stream, made=made)


def openrouter(answers: Answers, asynchronous: bool) -> Any:
    from openrouter import OpenRouter, basesdk

    client = http_client(answers, basesdk.httpx, asynchronous)
    where = {"async_client" if asynchronous else "client": client}
    made = OpenRouter(api_key="k", server_url="http://openrouter.test", retry_config=None, **where)
    return SimpleNamespace(call=made.chat.send_async if asynchronous else made.chat.send, made=made)


# --- Cohere --------------------------------------------------------------------------------------------------------


def cohere(kind: str) -> Callable[[Answers, bool], Any]:
    def make(answers: Answers, asynchronous: bool) -> Any:
        import cohere as package
        import httpx

        client = http_client(answers, httpx, asynchronous)
        made = getattr(package, ("Async" if asynchronous else "") + kind)
        return made(api_key="k", base_url="http://cohere.test", httpx_client=client)

    return make


COHERE_USAGE = {
    "billed_units": {"input_tokens": 2, "output_tokens": 4},
    "tokens": {"input_tokens": 9, "output_tokens": 4},
}
COHERE = {
    "id": "c1", "finish_reason": "COMPLETE", "usage": COHERE_USAGE,
    "message": {"role": "assistant", "content": [{"type": "text", "text": "Hello there"}]},
}  # fmt: skip
COHERE_EVENTS = sse(
    {"type": "message-start", "id": "c1", "delta": {"message": {"role": "assistant"}}},
    {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "Hello "}}}},
    {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "there"}}}},
    {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": COHERE_USAGE}},
)
ONCE = {"max_retries": 0}
COHERE_ASK = {"request_options": ONCE, "model": "command-a-03-2025", "messages": [{"role": "user", "content": "Hi"}]}
COHERE_V1 = {
    "text": "Hello there", "generation_id": "g1", "finish_reason": "COMPLETE", "meta": COHERE_USAGE,
    "chat_history": [{"role": "USER", "message": "Hi"}, {"role": "CHATBOT", "message": "Hello there"}],
}  # fmt: skip
COHERE_V1_EVENTS = lines(
    {"event_type": "stream-start", "is_finished": False, "generation_id": "g1"},
    {"event_type": "text-generation", "is_finished": False, "text": "Hello "},
    {"event_type": "text-generation", "is_finished": False, "text": "there"},
    {"event_type": "stream-end", "is_finished": True, "finish_reason": "COMPLETE", "response": COHERE_V1},
)
TOO_FAST = (429, {"message": "slow down"})


# --- Ollama --------------------------------------------------------------------------------------------------------


def ollama(answers: Answers, asynchronous: bool) -> Any:
    import httpx
    import ollama as package

    transport = transports(answers, httpx)[asynchronous]
    return (package.AsyncClient if asynchronous else package.Client)(host="http://ollama.test", transport=transport)


OLLAMA_COUNTS = {"done": True, "done_reason": "stop", "prompt_eval_count": 9, "eval_count": 4}
OLLAMA = {"model": "gemma3:1b", "message": {"role": "assistant", "content": "Hello there"}, **OLLAMA_COUNTS}
OLLAMA_EVENTS = lines(
    {"model": "gemma3:1b", "message": {"role": "assistant", "content": "Hello "}, "done": False},
    {"model": "gemma3:1b", "message": {"role": "assistant", "content": "there"}, "done": False},
    {"model": "gemma3:1b", "message": {"role": "assistant", "content": ""}, **OLLAMA_COUNTS},
)
OLLAMA_ASK = {"model": "gemma3:1b", "messages": [{"role": "user", "content": "Hi"}]}
GENERATED = {"model": "gemma3:1b", "response": "Hello there", **OLLAMA_COUNTS}
GENERATED_EVENTS = lines(
    {"model": "gemma3:1b", "response": "Hello ", "done": False},
    {"model": "gemma3:1b", "response": "there", "done": False},
    {"model": "gemma3:1b", "response": "", **OLLAMA_COUNTS},
)


# --- Hugging Face --------------------------------------------------------------------------------------------------


class _Current:
    """The answers of the test that is running."""

    current: Answers
    library: Any

    def __call__(self, request: Any) -> Any:
        if request.url.host != "hf.test":  # the package asks its own site something, once in a process
            return self.library.Response(404)
        return self.current(request)

    async def asyncio(self, request: Any) -> Any:
        return await self.current.asyncio(request) if request.url.host == "hf.test" else self(request)


_HF = _Current()


def huggingface(answers: Answers, asynchronous: bool) -> Any:
    import huggingface_hub

    library = library_of("huggingface_hub.utils._http")
    _HF.current, _HF.library = answers, library  # the package keeps one client for the process, whoever made it
    huggingface_hub.set_client_factory(lambda: http_client(_HF, library, False))
    huggingface_hub.set_async_client_factory(lambda: http_client(_HF, library, True))
    kind = huggingface_hub.AsyncInferenceClient if asynchronous else huggingface_hub.InferenceClient
    return kind(base_url="http://hf.test/v1", token="hf_x")


# --- Bedrock -------------------------------------------------------------------------------------------------------


def frame(kind: str, payload: Any, *, exception: bool = False) -> bytes:
    """One event of Amazon's binary event streams, or an exception in one."""
    body = json.dumps(payload).encode()
    head, what = b"", "exception" if exception else "event"
    for name, value in ((f":{what}-type", kind), (":content-type", "application/json"), (":message-type", what)):
        head += bytes([len(name)]) + name.encode() + b"\x07" + struct.pack("!H", len(value)) + value.encode()
    prelude = struct.pack("!II", 16 + len(head) + len(body), len(head))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + head + body
    return message + struct.pack("!I", zlib.crc32(message))


class Raw:
    """What botocore takes for the body of a response."""

    def __init__(self, said: Any) -> None:
        self._pieces = iter(said.stream)
        self._rest = b""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield from self._pieces

    def read(self, amount: int | None = None) -> bytes:
        self._rest += b"".join(self._pieces)
        amount = len(self._rest) if amount is None else amount
        found, self._rest = self._rest[:amount], self._rest[amount:]
        return found

    def close(self) -> None:
        self._pieces = iter(())


def bedrock(answers: Answers, asynchronous: bool) -> Any:
    import boto3
    from botocore.awsrequest import AWSResponse
    from botocore.config import Config

    client = boto3.client(
        "bedrock-runtime", region_name="us-east-1", endpoint_url="http://bedrock.test", aws_access_key_id="k",
        aws_secret_access_key="k", config=Config(retries={"total_max_attempts": 1}),
    )  # fmt: skip

    def send(request: Any, **_: Any) -> Any:
        said = answers(request)
        return AWSResponse(request.url, said.status_code, {"content-type": "application/json"}, Raw(said))

    client.meta.events.register("before-send.bedrock-runtime.*", send)
    return client


CLAUDE = "anthropic.claude-haiku-4-5-20251001-v1:0"
CONVERSE_ASK = {"modelId": CLAUDE, "messages": [{"role": "user", "content": [{"text": "Hi"}]}]}
CONVERSE = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Hello there"}]}}, "stopReason": "end_turn",
    "usage": {"inputTokens": 9, "outputTokens": 4, "totalTokens": 13}, "metrics": {"latencyMs": 1},
}  # fmt: skip
CONVERSE_EVENTS = [
    frame("messageStart", {"role": "assistant"}),
    frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hello "}}),
    frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "there"}}),
    frame("messageStop", {"stopReason": "end_turn"}),
    frame("metadata", {"usage": CONVERSE["usage"]}),
]
INVOKE_ASK = {
    "modelId": CLAUDE,
    "body": json.dumps(
        {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
    ),
}


def chunk(event: Any) -> bytes:
    import base64

    return frame("chunk", {"bytes": base64.b64encode(json.dumps(event).encode()).decode()})


INVOKE_EVENTS = [
    chunk(
        {
            "type": "message_start",
            "message": {**MESSAGE, "content": [], "usage": {"input_tokens": 9, "output_tokens": 1}},
        }
    ),
    chunk({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
    chunk({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello there"}}),
    chunk({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}}),
    chunk({"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 9, "outputTokenCount": 4}}),
]


def invoked(client: Any) -> Any:
    return json.loads(client.invoke_model(**INVOKE_ASK)["body"].read())


MORE_CASES = (
    alike("groq", "groq", "Groq"),
    alike("together", "together", "Together"),
    alike("cerebras", "cerebras.cloud.sdk", "Cerebras"),
    alike("perplexity", "perplexity", "Perplexity"),
    alike("fireworks", "fireworks", "Fireworks"),
    Case(
        "mistral", mistral, lambda c: c.call(**CHAT_ASK), lambda c: c.stream(**CHAT_ASK), CHAT, CHAT_EVENTS,
        "gpt-4o-mini", "mistral_ai", "chat", "stop", (9, 4), TOO_FAST, package="mistralai",
    ),
    Case(
        "openrouter", openrouter, lambda c: c.call(**CHAT_ASK), lambda c: c.call(stream=True, **CHAT_ASK),
        {**CHAT, "system_fingerprint": None}, CHAT_EVENTS, "gpt-4o-mini", "openrouter", "chat", "stop", (9, 4),
        (429, {"error": {"message": "slow down", "code": 429}}), package="openrouter",
    ),
    Case(
        "cohere v2", cohere("ClientV2"), lambda c: c.chat(**COHERE_ASK), lambda c: c.chat_stream(**COHERE_ASK),
        COHERE, COHERE_EVENTS, "command-a-03-2025", "cohere", "chat", "COMPLETE", (9, 4), TOO_FAST, package="cohere",
    ),
    Case(
        "cohere v1", cohere("Client"), lambda c: c.chat(model="command-r", message="Hi", request_options=ONCE),
        lambda c: c.chat_stream(model="command-r", message="Hi", request_options=ONCE), COHERE_V1, COHERE_V1_EVENTS, "command-r", "cohere",
        "chat", "COMPLETE", (9, 4), TOO_FAST, package="cohere",
    ),
    Case(
        "ollama chat", ollama, lambda c: c.chat(**OLLAMA_ASK), lambda c: c.chat(stream=True, **OLLAMA_ASK), OLLAMA,
        OLLAMA_EVENTS, "gemma3:1b", "ollama", "chat", "stop", (9, 4), (429, {"error": "slow down"}), package="ollama",
    ),
    Case(
        "ollama generate", ollama, lambda c: c.generate(model="gemma3:1b", prompt="Hi"),
        lambda c: c.generate(model="gemma3:1b", prompt="Hi", stream=True), GENERATED, GENERATED_EVENTS, "gemma3:1b",
        "ollama", "text_completion", "stop", (9, 4), (429, {"error": "slow down"}), package="ollama",
    ),
    Case(
        "huggingface", huggingface, lambda c: c.chat_completion(model="m", messages=CHAT_ASK["messages"]),
        lambda c: c.chat_completion(model="m", messages=CHAT_ASK["messages"], stream=True), CHAT, CHAT_EVENTS, "m",
        "huggingface", "chat", "stop", (9, 4), (429, {"error": "slow down"}), package="huggingface_hub",
    ),
    Case(
        "bedrock converse", bedrock, lambda c: c.converse(**CONVERSE_ASK),
        lambda c: c.converse_stream(**CONVERSE_ASK)["stream"], CONVERSE, CONVERSE_EVENTS, CLAUDE, "aws.bedrock",
        "chat", "end_turn", (9, 4), TOO_FAST, package="boto3", asynchronous=False,
    ),
    Case(
        "bedrock invoke", bedrock, invoked,
        lambda c: c.invoke_model_with_response_stream(**INVOKE_ASK)["body"], MESSAGE, INVOKE_EVENTS, CLAUDE,
        "aws.bedrock", "chat", "end_turn", (9, 4), TOO_FAST, package="boto3", asynchronous=False,
    ),
)  # fmt: skip
