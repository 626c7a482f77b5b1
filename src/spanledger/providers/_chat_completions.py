"""
The ``/chat/completions`` wire shape, spoken by OpenAI and its many imitators; and ``/completions``, its ancestor.

https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from .. import semconv
from ..model import Request, Response, ToolCall, ToolResult, output_message
from ._adapter import Endpoint
from ._chat_chunks import fold, read_extras
from ._chat_messages import message_parts, read_messages, read_tools, tool_calls
from ._content_parts import read_prompt
from ._settings import Setting, choices, level, output_type, plain, read_settings, stops
from ._tokens import read_usage
from ._wire import as_list, error_name, fields

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
    several = found.get("choices")
    for choice in several if type(several) is list else as_list(several):
        said = fields(choice)
        message = fields(said.get("message"))
        reason = said.get("finish_reason")
        if reason is not None:
            reasons.append(reason)
        if error := said.get("error"):  # OpenRouter, in a choice
            response.error = error_name(error)
        calls: list[ToolCall] = []
        if message.get("tool_calls") or message.get("function_call"):
            calls = tool_calls(message)
            response.tool_calls += calls
        if content:
            parts = message_parts(message, calls) if message else read_prompt(said.get("text"))
            response.messages.append(output_message(parts, reason))
    read_extras(response, found)
    return response


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
