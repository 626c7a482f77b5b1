"""
The four workloads: the same bytes in every process, answered in memory through the real client.

`short` is a chat of about 1 KB, `history` 50 KB in 41 messages with five tools whose answer asks for a tool, `stream`
an answer in 200 chunks, `concurrent` 100 short chats at once in an event loop.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import openai

if int(openai.__version__.split(".")[0]) >= 3:
    import httpx2 as http
else:
    import httpx as http

MODEL = "gpt-4o-mini"
ANSWERED_BY = "gpt-4o-mini-2024-07-18"
CHUNKS = 200
AT_ONCE = 100
_VOCABULARY = [
    *("a", "ticket", "came", "in", "about", "the", "billing", "address", "of", "an", "account", "that", "moved"),
    *("last", "week", "so", "look", "at", "what", "agent", "wrote", "before", "you", "answer", "and", "say", "which"),
    *("invoice", "is", "meant", "when", "next", "one", "will", "be", "sent", "to", "them"),
]


def words(size: int, start: int = 0) -> str:
    """English-like text of *size* characters; another *start* gives another text."""
    text = " ".join(_VOCABULARY[(start + i * 5 + i // 13) % len(_VOCABULARY)] for i in range(size // 2))
    return text[:size]


def _tool(number: int) -> dict[str, Any]:
    properties = {
        "ticket": {"type": "string", "description": words(70, number)},
        "parts": {"type": "array", "items": {"type": "string", "enum": ["owner", "state", "sum", "history"]}},
        "most": {"type": "integer", "minimum": 1, "maximum": 50},
    }
    schema = {"type": "object", "properties": properties, "required": ["ticket"], "additionalProperties": False}
    name, said = f"read_ticket_{number}", words(150, number)
    return {"type": "function", "function": {"name": name, "description": said, "parameters": schema}}


def _asked(identifier: str, number: int) -> dict[str, Any]:
    arguments = json.dumps({"ticket": f"T-{number:06}", "parts": ["owner", "sum"], "most": 5})
    return {
        "id": identifier,
        "type": "function",
        "function": {"name": f"read_ticket_{number % 5}", "arguments": arguments},
    }


def _short() -> dict[str, Any]:
    messages = [{"role": "system", "content": words(250)}, {"role": "user", "content": words(700, 3)}]
    return {"model": MODEL, "temperature": 0.2, "max_tokens": 256, "messages": messages}


def _history() -> dict[str, Any]:
    messages: list[dict[str, Any]] = [{"role": "system", "content": words(600)}]
    for turn in range(9):
        calls = [_asked(f"call_{turn}_{n}", turn + n) for n in range(2 if turn % 3 == 0 else 1)]
        messages.append({"role": "user", "content": words(1100, turn)})
        messages.append({"role": "assistant", "content": None, "tool_calls": calls})
        for call in calls:
            rows = json.dumps({"rows": [words(210, turn + row) for row in range(9)]})
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": rows})
        messages.append({"role": "assistant", "content": words(900, turn + 4)})
    messages.append({"role": "user", "content": words(800, 17)})
    tools = [_tool(number) for number in range(5)]
    return {
        "model": MODEL,
        "temperature": 0.2,
        "max_tokens": 512,
        "messages": messages,
        "tools": tools,
        "tool_choice": "auto",
    }


def _usage(taken: int, given: int) -> dict[str, Any]:
    return {
        "prompt_tokens": taken, "completion_tokens": given, "total_tokens": taken + given,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
        },
    }  # fmt: skip


def _head(kind: str) -> dict[str, Any]:
    return {
        "id": "chatcmpl-7Qw2", "object": kind, "created": 1_790_000_000, "model": ANSWERED_BY,
        "service_tier": "default", "system_fingerprint": "fp_9a1b",
    }  # fmt: skip


def _answer(message: dict[str, Any], reason: str, usage: dict[str, Any]) -> bytes:
    message = {"role": "assistant", "content": None, "refusal": None, "annotations": [], **message}
    choices = [{"index": 0, "finish_reason": reason, "logprobs": None, "message": message}]
    return json.dumps({**_head("chat.completion"), "choices": choices, "usage": usage}).encode()


def _events() -> list[bytes]:
    def event(delta: dict[str, Any] | None, reason: str | None = None, usage: dict[str, Any] | None = None) -> bytes:
        choices = [] if delta is None else [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}]
        return (
            b"data: "
            + json.dumps({**_head("chat.completion.chunk"), "choices": choices, "usage": usage}).encode()
            + b"\n\n"
        )

    spoken = [event({"content": words(6, n)}) for n in range(CHUNKS - 3)]
    first, last = event({"role": "assistant", "content": "", "refusal": None}), event({}, "stop")
    return [first, *spoken, last, event(None, usage=_usage(230, CHUNKS - 3)), b"data: [DONE]\n\n"]


class _Pieces(http.SyncByteStream):
    """An answer that arrives event by event."""

    def __init__(self, events: list[bytes]) -> None:
        self._events = events

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._events)


class Workload:
    """One workload; `call` makes calls with a client from `client`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.request = _history() if name == "history" else _short()
        self._loop = asyncio.new_event_loop() if name == "concurrent" else None
        self._events = _events() if name == "stream" else []
        if name == "stream":
            self.request.update(stream=True, stream_options={"include_usage": True})
        if name == "history":
            self._body = _answer({"tool_calls": [_asked("call_9", 1)]}, "tool_calls", _usage(12_480, 44))
        else:
            self._body = _answer({"content": words(400, 2)}, "stop", _usage(230, 91))

    @property
    def calls(self) -> int:
        """How many calls make one block."""
        return {"short": 12, "history": 3, "stream": 2, "concurrent": AT_ONCE}[self.name]

    def _respond(self, _request: Any) -> Any:
        if self._events:
            return http.Response(200, headers={"content-type": "text/event-stream"}, stream=_Pieces(self._events))
        return http.Response(200, headers={"content-type": "application/json"}, content=self._body)

    def client(self) -> Any:
        """A new client of the right kind that never leaves the process."""
        transport = http.MockTransport(self._respond)
        given = {"api_key": "none", "base_url": "http://model.test/v1", "max_retries": 0}
        if self._loop is not None:
            return openai.AsyncOpenAI(**given, http_client=http.AsyncClient(transport=transport))
        return openai.OpenAI(**given, http_client=http.Client(transport=transport))

    def call(self, client: Any, times: int, inside: AbstractContextManager[Any] | None = None) -> None:
        """Make *times* calls, all of them *inside* a context when one is given."""
        create, request = client.chat.completions.create, self.request
        with inside or nullcontext():
            if self._loop is not None:
                self._loop.run_until_complete(self._together(create, times))
            elif self._events:
                for _ in range(times):
                    for _chunk in create(**request):
                        pass
            else:
                for _ in range(times):
                    create(**request)

    async def _together(self, create: Any, times: int) -> None:
        await asyncio.gather(*(create(**self.request) for _ in range(times)))
