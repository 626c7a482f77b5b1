"""
Cohere's chat, version 1: one message at a time, with the history beside it.

https://docs.cohere.com/v1/reference/chat
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..model import Draft, Message, Part, Request, Response, ToolCall, ToolResult, output_message
from ._adapter import Endpoint
from ._cohere_chat import read_settings_of, read_tokens
from ._wire import as_list, fields, text_of, text_part

__all__ = ["CHAT_V1"]

_ROLES: Final = {"CHATBOT": "assistant", "SYSTEM": "system", "USER": "user", "TOOL": "tool"}


def _call(data: Any) -> ToolCall:
    found = fields(data)
    return ToolCall(None, found.get("name"), found.get("parameters"))


def _read_request(body: Any) -> Request:
    found = fields(body)
    request = Request(
        model=found.get("model"),
        stream=found.get("stream") is True,
        settings=read_settings_of(found),
        system=found.get("preamble"),
        tools=found.get("tools"),
    )
    for item in as_list(found.get("tool_results")):
        result = fields(item)
        request.asked.append(asked := _call(result.get("call")))
        request.results.append(ToolResult(None, asked.name, result.get("outputs")))
    return request


def _read_messages(body: Any) -> tuple[list[Part], list[Message]]:
    found = fields(body)
    messages = [_message(fields(item)) for item in as_list(found.get("chat_history"))]
    if text := text_of(found.get("message")):
        messages.append({"role": "user", "parts": [text_part(text)]})
    answers = [_answer(item) for item in as_list(found.get("tool_results"))]
    if answers:
        messages.append({"role": "tool", "parts": answers})
    preamble = text_of(found.get("preamble"))
    return [text_part(preamble)] if preamble else [], messages


def _message(item: Mapping[str, Any]) -> Message:
    parts = [text_part(text)] if (text := text_of(item.get("message"))) else []
    parts += [_call(call).part() for call in as_list(item.get("tool_calls"))]
    parts += [_answer(result) for result in as_list(item.get("tool_results"))]
    role = str(item.get("role") or "user").upper()
    return {"role": _ROLES.get(role, role.lower()), "parts": parts}


def _answer(item: Any) -> Part:
    found = fields(item)
    return {"type": "tool_call_response", "name": _call(found.get("call")).name, "response": found.get("outputs")}


def _read_tools(body: Any) -> list[dict[str, Any]]:
    tools = []
    for item in as_list(fields(body).get("tools")):
        tool = fields(item)
        definition = {"type": "function", "name": tool.get("name"), "description": tool.get("description")}
        tools.append({**definition, "parameters": tool.get("parameter_definitions")})
    return tools


def _read_response(answer: Any, content: bool) -> Response:
    found = fields(answer)
    reason = found.get("finish_reason")
    calls = [_call(call) for call in as_list(found.get("tool_calls"))]
    response = Response(
        id=found.get("generation_id") or found.get("response_id"),
        finish_reasons=[reason] if reason else [],
        usage=read_tokens(found.get("meta")),
        tool_calls=calls,
    )
    if content:
        parts = [text_part(text)] if (text := text_of(found.get("text"))) else []
        response.messages = [output_message(parts + [call.part() for call in calls], reason)]
    return response


def _fold(draft: Draft, chunk: Any) -> None:
    event = fields(chunk)
    draft.id = event.get("generation_id") or draft.id
    if whole := event.get("response"):
        draft.settle(_read_response(whole, content=True))
    elif text := text_of(event.get("text")):
        draft.text(0).append(text)
    if reason := event.get("finish_reason"):
        draft.finish_reasons[0] = reason


CHAT_V1: Final = Endpoint("chat", _read_request, _read_response, _fold, _read_messages, _read_tools)
