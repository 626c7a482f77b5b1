"""
The ``/chat/completions`` wire shape, spoken by OpenAI and its many imitators; and ``/completions``, its ancestor.

https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from .. import semconv
from ..model import Draft, Request, Response, ToolCall, ToolResult, output_message
from ._adapter import Endpoint
from ._chat_messages import message_parts, read_messages, read_tools, tool_calls
from ._content_parts import read_prompt
from ._settings import Setting, choices, level, output_type, plain, read_settings, stops
from ._tokens import read_usage
from ._wire import as_list, error_name, fields, index_of, text_of

__all__ = ["CHAT", "CHAT_ALIKE", "COMPLETIONS", "SETTINGS"]


SETTINGS: Final[Mapping[str, str | Setting]] = {
    "max_tokens": semconv.REQUEST_MAX_TOKENS,
    "max_completion_tokens": semconv.REQUEST_MAX_TOKENS,
    "temperature": semconv.REQUEST_TEMPERATURE,
    "top_p": semconv.REQUEST_TOP_P,
    "top_k": semconv.REQUEST_TOP_K,
    "frequency_penalty": semconv.REQUEST_FREQUENCY_PENALTY,
    "presence_penalty": semconv.REQUEST_PRESENCE_PENALTY,
    "seed": semconv.REQUEST_SEED,
    "stop": stops,
    "n": choices,
    "reasoning_effort": semconv.REQUEST_REASONING_LEVEL,
    "reasoning": level,  # OpenRouter
    "response_format": output_type,
    "service_tier": plain(semconv.OPENAI_REQUEST_TIER, unless="auto"),
}

_SYSTEM: Final = ("system", "developer")
_ANSWERS: Final = ("tool", "function")


def read_request(body: Any) -> Request:
    body = fields(body)
    request = Request(
        body.get("model"), body.get("stream") is True, read_settings(body, SETTINGS),
        tools=body.get("tools") or body.get("functions"),
    )  # fmt: skip
    if isinstance(messages := body.get("messages"), list):
        system = []
        for message in messages:
            said = message if type(message) is dict else fields(message)
            if said.get("role") not in _SYSTEM:
                break
            system.append(said.get("content"))
        request.system = system or None
        # what came back from the tools since the last assistant turn: only the tail of a history is looked at
        for message in reversed(messages):
            said = message if type(message) is dict else fields(message)
            if (role := said.get("role")) == "assistant":
                if said.get("tool_calls") or said.get("function_call"):
                    request.asked = tool_calls(said)
                break
            if role in _ANSWERS:
                name = said.get("name") or said.get("tool_name")  # Ollama
                request.results.insert(0, ToolResult(said.get("tool_call_id"), name, said.get("content")))
    return request


def read_response(completion: Any, content: bool) -> Response:
    found = fields(completion)
    reasons: list[str] = []
    response = Response(found.get("id"), found.get("model"), reasons, read_usage(found.get("usage")))
    for choice in as_list(found.get("choices")):
        said = fields(choice)
        message = fields(said.get("message"))
        reason = said.get("finish_reason")
        if reason is not None:
            reasons.append(reason)
        calls: list[ToolCall] = []
        if message.get("tool_calls") or message.get("function_call"):
            calls = tool_calls(message)
            response.tool_calls += calls
        if content:
            parts = message_parts(message, calls) if message else read_prompt(said.get("text"))
            response.messages.append(output_message(parts, reason))
    _read_extras(response, found)
    return response


def fold(draft: Draft, chunks: Sequence[Any]) -> None:
    push = None
    if draft.id is None and chunks:
        _fold_any(draft, fields(chunks[0]))
        chunks = chunks[1:]
    for chunk in chunks:
        # nearly every chunk is some text of choice 0; a pydantic object's attributes cost ten times an item
        try:
            said = chunk.__dict__
            (choice,) = said["choices"]
            told = choice.__dict__
            delta = told["delta"]
            news = delta.__dict__
            if (
                type(text := news["content"]) is str
                and told["finish_reason"] is None
                and said["usage"] is None
                and news["tool_calls"] is None
                and told["index"] == 0
                and not delta.__pydantic_extra__
            ):
                if push is None:
                    push = draft.text(0).append
                push(text)
                continue
        except (AttributeError, KeyError, TypeError, ValueError):
            pass
        _fold_any(draft, fields(chunk))


def _fold_any(draft: Draft, chunk: Mapping[str, Any]) -> None:
    if draft.id is None and (found := chunk.get("id")):
        draft.id = found
    if draft.model is None and (found := chunk.get("model")):
        draft.model = found
    for choice in as_list(chunk.get("choices")):
        said = fields(choice)
        index = index_of(said.get("index"))
        if delta := said.get("delta"):
            _fold_delta(draft, index, fields(delta))
        elif text := text_of(said.get("text")):
            draft.text(index).append(text)
        if reason := said.get("finish_reason"):
            draft.finish_reasons[index] = reason
    if usage := chunk.get("usage") or fields(chunk.get("x_groq")).get("usage"):
        draft.usage = read_usage(usage)
    _read_extras(draft, chunk)


def _read_extras(answer: Draft | Response, found: Mapping[str, Any]) -> None:
    if isinstance(tier := found.get("service_tier"), str):
        answer.extra[semconv.OPENAI_RESPONSE_TIER] = tier
    if isinstance(fingerprint := found.get("system_fingerprint"), str):
        answer.extra[semconv.OPENAI_FINGERPRINT] = fingerprint
    if error := found.get("error"):  # OpenRouter, inside a 200
        answer.error = error_name(error)


def _fold_delta(draft: Draft, index: int, delta: Mapping[str, Any]) -> None:
    if isinstance(thought := delta.get("reasoning_content") or delta.get("reasoning"), str) and thought:
        draft.reasoning(index).append(thought)
    if isinstance(text := delta.get("content") or delta.get("refusal"), str):
        if text:
            draft.text(index).append(text)
    elif text:
        _fold_content(draft, index, text)
    for call in as_list(delta.get("tool_calls")):
        found = fields(call)
        asked = fields(found.get("function") or found.get("custom"))
        arguments = asked.get("arguments", asked.get("input"))
        draft.tool_call(index, index_of(found.get("index")), found.get("id"), asked.get("name"), arguments)
    asked = fields(delta.get("function_call"))
    if asked.get("name") or asked.get("arguments"):
        draft.tool_call(index, "function_call", None, asked.get("name"), asked.get("arguments"))
    if audio := delta.get("audio"):
        draft.text(index, "transcript").append(text_of(fields(audio).get("transcript")))


def _fold_content(draft: Draft, index: int, content: Any) -> None:
    # Mistral's reasoning models send parts where others send text
    for part in as_list(content):
        found = fields(part)
        if found.get("type") == "text" and isinstance(text := found.get("text"), str):
            draft.text(index).append(text)
        elif found.get("type") == "thinking":
            for thought in as_list(found.get("thinking")):
                draft.reasoning(index).append(str(fields(thought).get("text") or ""))


CHAT: Final = Endpoint(
    "chat",
    read_request,
    read_response,
    fold,
    read_messages,
    read_tools,
    attributes={semconv.OPENAI_API_TYPE: "chat_completions"},
    history="messages",
)

CHAT_ALIKE: Final = replace(CHAT, attributes={})
"""The same shape from somebody else's client."""

COMPLETIONS: Final = Endpoint(
    "text_completion",
    read_request,
    read_response,
    fold,
    lambda body: ([], [{"role": "user", "parts": read_prompt(fields(body).get("prompt"))}]),
)
