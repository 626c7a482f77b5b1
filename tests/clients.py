"""Real LLM clients over a transport that answers from a list: what each says, and how it is called."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import anthropic
import openai
from google import genai
from google.genai import types

from wires import Answers, http_client, library_of, transports


def sse(*events: Any, done: bool = True, named: bool = False) -> list[bytes]:
    """Server-sent events, one piece of body each."""
    lines = [
        (f"event: {event['type']}\n" if named else "").encode() + b"data: " + json.dumps(event).encode() + b"\n\n"
        for event in events
    ]
    return [*lines, b"data: [DONE]\n\n"] if done else lines


def google_options(answers: Answers) -> dict[str, Any]:
    """Options that lead Google's client to *answers*; its first versions take transports only."""
    library = library_of("google.genai._api_client")
    sync, asyn = http_client(answers, library, False), http_client(answers, library, True)
    if "httpx_client" in types.HttpOptions.model_fields:
        return {"base_url": "http://gemini.test", "httpx_client": sync, "httpx_async_client": asyn}
    there, later = transports(answers, library)
    return {
        "base_url": "http://gemini.test", "client_args": {"transport": there}, "async_client_args": {"transport": later},
    }  # fmt: skip


def clients(answers: Answers) -> dict[str, tuple[Any, Any]]:
    """Each client in its sync and async form, answered by *answers*."""
    base = {"api_key": "test-key", "max_retries": 0}

    def of(module: str) -> tuple[Any, Any]:
        library = library_of(module)
        return http_client(answers, library, False), http_client(answers, library, True)

    gemini = genai.Client(api_key="test-key", http_options=types.HttpOptions(**google_options(answers)))
    made: dict[str, tuple[Any, Any]] = {"gemini": (gemini, gemini.aio)}
    for name, plain, asynchronous, url in (
        ("openai", openai.OpenAI, openai.AsyncOpenAI, "http://openai.test/v1"),
        ("anthropic", anthropic.Anthropic, anthropic.AsyncAnthropic, "http://anthropic.test"),
    ):
        sync, asyn = of(f"{name}._base_client")
        made[name] = (
            plain(base_url=url, http_client=sync, **base), asynchronous(base_url=url, http_client=asyn, **base),
        )  # fmt: skip
    return made


_ADDRESSES: dict[str, str | None] = {
    "litellm": None, "xai": "api.x.ai", "watsonx": "us-south.ml.cloud.ibm.com", "aiobotocore converse": "bedrock.test",
    "aiobotocore invoke": "bedrock.test", "huggingface": "hf.test",
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One way to call one client: plainly and streaming, and what is said and seen; *client* makes it, or names it."""

    name: str
    client: str | Callable[[Answers, bool], Any]
    call: Callable[[Any], Any]
    stream: Callable[[Any], Any]
    answer: dict[str, Any]
    events: list[bytes]
    model: str
    provider: str
    operation: str
    finish: str
    tokens: tuple[int, int]
    error: tuple[int, dict[str, Any]]
    package: str | None = None
    """What must be installed, where that is not always so."""
    synchronous: bool = True
    asynchronous: bool = True
    closes: bool = True
    """Whether its streams can be closed; those that are plain generators of the SDK's are dropped instead."""

    @property
    def address(self) -> str | None:
        """Where it is sent."""
        return _ADDRESSES.get(self.name, f"{self.name.split()[0]}.test")

    def made(self, answers: Answers, asynchronous: bool) -> Any:
        """The client, answered by *answers*."""
        if isinstance(self.client, str):
            return clients(answers)[self.client][asynchronous]
        return self.client(answers, asynchronous)


CHAT_USAGE = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}
CHAT = {
    "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini-2024-07-18",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello there"}}],
    "usage": CHAT_USAGE,
}  # fmt: skip


def chat_chunk(delta: dict[str, Any], finish: str | None = None, usage: Any = None) -> dict[str, Any]:
    """A chunk of a streamed chat completion."""
    choices = [] if usage else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini-2024-07-18",
        "choices": choices, "usage": usage,
    }  # fmt: skip


CHAT_EVENTS = sse(
    chat_chunk({"role": "assistant", "content": ""}), chat_chunk({"content": "Hello "}), chat_chunk({"content": "there"}),
    chat_chunk({}, "stop"), chat_chunk({}, usage=CHAT_USAGE),
)  # fmt: skip
CHAT_ASK = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}], "temperature": 0.5}

RESPONSE = {
    "id": "resp_1", "object": "response", "created_at": 1, "model": "gpt-4o-mini-2024-07-18", "status": "completed",
    "output": [{"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
                "content": [{"type": "output_text", "text": "Hello there", "annotations": []}]}],
    "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
    "usage": {"input_tokens": 9, "output_tokens": 4, "total_tokens": 13,
              "input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}},
}  # fmt: skip
RESPONSE_EVENTS = sse(
    {"type": "response.created", "sequence_number": 0, "response": {**RESPONSE, "status": "in_progress", "output": [], "usage": None}},
    {"type": "response.output_text.delta", "sequence_number": 1, "item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": "Hello ", "logprobs": []},
    {"type": "response.output_text.delta", "sequence_number": 2, "item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": "there", "logprobs": []},
    {"type": "response.completed", "sequence_number": 3, "response": RESPONSE},
    done=False, named=True,
)  # fmt: skip

MESSAGE = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-4-5-20251001",
    "content": [{"type": "text", "text": "Hello there"}], "stop_reason": "end_turn", "stop_sequence": None,
    "usage": {"input_tokens": 9, "output_tokens": 4},
}  # fmt: skip
MESSAGE_EVENTS = sse(
    {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None, "usage": {"input_tokens": 9, "output_tokens": 1}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello "}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "there"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 4}},
    {"type": "message_stop"},
    done=False, named=True,
)  # fmt: skip
MESSAGE_ASK = {"model": "claude-haiku-4-5", "max_tokens": 64, "messages": [{"role": "user", "content": "Hi"}]}


def generated(text: str, finish: str | None = "STOP", usage: bool = True) -> dict[str, Any]:
    """An answer, or a chunk of one, of Gemini."""
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    found = {"candidates": [candidate], "responseId": "gem_1", "modelVersion": "gemini-2.5-flash"}
    if usage:
        found["usageMetadata"] = {"promptTokenCount": 9, "candidatesTokenCount": 4, "totalTokenCount": 13}
    return found


GENERATED_EVENTS = sse(generated("Hello ", None, usage=False), generated("there"), done=False)

CASES = (
    Case(
        "openai chat", "openai",
        lambda c: c.chat.completions.create(**CHAT_ASK), lambda c: c.chat.completions.create(stream=True, **CHAT_ASK),
        CHAT, CHAT_EVENTS, "gpt-4o-mini", "openai", "chat", "stop", (9, 4),
        (429, {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}),
    ),
    Case(
        "openai responses", "openai",
        lambda c: c.responses.create(model="gpt-4o-mini", input="Hi"),
        lambda c: c.responses.create(model="gpt-4o-mini", input="Hi", stream=True),
        RESPONSE, RESPONSE_EVENTS, "gpt-4o-mini", "openai", "chat", "stop", (9, 4),
        (429, {"error": {"message": "slow down"}}),
    ),
    Case(
        "anthropic messages", "anthropic",
        lambda c: c.messages.create(**MESSAGE_ASK), lambda c: c.messages.create(stream=True, **MESSAGE_ASK),
        MESSAGE, MESSAGE_EVENTS, "claude-haiku-4-5", "anthropic", "chat", "end_turn", (9, 4),
        (429, {"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}}),
    ),
    Case(
        "gemini", "gemini",
        lambda c: c.models.generate_content(model="gemini-2.5-flash", contents="Hi"),
        lambda c: c.models.generate_content_stream(model="gemini-2.5-flash", contents="Hi"),
        generated("Hello there"), GENERATED_EVENTS, "gemini-2.5-flash", "gcp.gemini", "generate_content", "STOP", (9, 4),
        (429, {"error": {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED"}}),
    ),
)  # fmt: skip
