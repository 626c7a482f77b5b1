"""
xAI's protocol buffers, read by their fields.

https://github.com/xai-org/xai-proto
"""

from __future__ import annotations

import functools
from collections import Counter
from typing import Any, Final

from .. import semconv
from ..model import Draft, Message, Part, Request, Response, ToolCall, ToolResult, Usage, output_message
from ._adapter import Endpoint
from ._chat_messages import read_messages as read_chat_messages
from ._wire import as_list, count, text_part

__all__ = ["CHAT"]


_ROLES: Final = {1: "user", 2: "assistant", 3: "system", 4: "function", 5: "tool", 6: "developer"}
_REASONS: Final = {"REASON_STOP": "stop", "REASON_MAX_LEN": "length", "REASON_MAX_CONTEXT": "length",
                   "REASON_TOOL_CALLS": "tool_calls", "REASON_TIME_LIMIT": "length",
                   "REASON_INVALID": "error"}  # fmt: skip
"""Nothing is said as the last one, which a stream has until it ended."""
_TIERS: Final = {1: "default", 2: "priority"}
_TOOLS: Final = {
    1: "web_search", 2: "x_search", 3: "code_execution", 6: "collections_search", 8: "attachment_search",
    10: "image_search", 11: "image_generation",
}  # fmt: skip
"""Tools that run over there, by their numbers; the others are billed by their tokens alone."""
_SETTINGS: Final = (
    ("max_tokens", semconv.REQUEST_MAX_TOKENS),
    ("temperature", semconv.REQUEST_TEMPERATURE),
    ("top_p", semconv.REQUEST_TOP_P),
    ("seed", semconv.REQUEST_SEED),
    ("frequency_penalty", semconv.REQUEST_FREQUENCY_PENALTY),
    ("presence_penalty", semconv.REQUEST_PRESENCE_PENALTY),
)
_TICKS: Final = 10_000_000_000
"""Of a dollar: the unit of ``cost_in_usd_ticks``."""


def _of(data: Any, name: str) -> Any:
    """A field that was set; protocol buffers answer for the others too."""
    try:
        return getattr(data, name) if data.HasField(name) else None
    except ValueError:  # has no presence
        return getattr(data, name) or None
    except AttributeError:
        return None


def _text(message: Any) -> str:
    return "".join(str(getattr(part, "text", "")) for part in as_list(_listed(getattr(message, "content", None))))


def _listed(repeated: Any) -> Any:
    return repeated if repeated is None or isinstance(repeated, (str, list)) else list(repeated)


def _read_request(body: Any) -> Request:
    proto = body["proto"] if isinstance(body, dict) else None
    settings = {key: value for name, key in _SETTINGS if (value := _of(proto, name)) is not None}
    if stop := list(_of(proto, "stop") or ()):
        settings[semconv.REQUEST_STOP_SEQUENCES] = stop
    messages = list(getattr(proto, "messages", ()))
    request = Request(getattr(proto, "model", None), bool(proto and body.get("stream")), settings)
    request.system = [_text(message) for message in messages[:1] if _ROLES.get(message.role) == "system"] or None
    request.tools = [str(tool) for tool in getattr(proto, "tools", ())] or None
    request.previous_response_id = _of(proto, "previous_response_id")
    for message in reversed(messages):
        if message.role == 2:  # noqa: PLR2004 - the assistant
            request.asked = [_call(call) for call in message.tool_calls]
            break
        if _ROLES.get(message.role) == "tool":
            request.results.insert(0, ToolResult(_of(message, "tool_call_id"), message.name or None, _text(message)))
    return request


def _call(call: Any) -> ToolCall:
    return ToolCall(call.id, call.function.name, call.function.arguments)


def _read_messages(body: Any) -> tuple[list[Part], list[Message]]:
    proto = body.get("proto") if isinstance(body, dict) else None
    return read_chat_messages(
        {
            "messages": [
                {
                    "role": _ROLES.get(message.role),
                    "content": _text(message),
                    "tool_call_id": _of(message, "tool_call_id"),
                    "tool_calls": [
                        {"id": c.id, "function": {"name": c.function.name, "arguments": c.function.arguments}}
                        for c in message.tool_calls
                    ],
                }
                for message in getattr(proto, "messages", ())
            ]
        }
    )


def _read_response(answer: Any, content: bool) -> Response:
    answers = answer if isinstance(answer, list) else [answer]
    answers = [one[0] if isinstance(one, tuple) else one for one in answers]  # parse() gives a shape beside it
    first = answers[0] if answers else None
    proto = getattr(first, "_proto", None)
    response = Response(id=_of(proto, "id"), model=_of(proto, "model"), usage=_usage(getattr(proto, "usage", None)))
    if proto is None:
        return response
    for one in answers:
        reason = _REASONS.get(str(one.finish_reason), str(one.finish_reason).removeprefix("REASON_").lower())
        calls = [_call(call) for call in one.tool_calls]
        response.finish_reasons.append(reason)
        response.tool_calls += calls
        if content:
            parts: list[Part] = []
            if one.reasoning_content:
                parts.append({"type": "reasoning", "content": one.reasoning_content})
            if one.content:
                parts.append(text_part(one.content))
            response.messages.append(output_message(parts + [call.part() for call in calls], reason))
    if fingerprint := _of(proto, "system_fingerprint"):
        response.extra[semconv.OPENAI_FINGERPRINT] = fingerprint
    if (tier := _TIERS.get(_of(proto, "service_tier"))) is not None:
        response.extra[semconv.OPENAI_RESPONSE_TIER] = tier
    return response


def _usage(wire: Any) -> Usage:
    if wire is None or not getattr(wire, "total_tokens", 0):
        return Usage()
    cached, reasoning = count(wire.cached_prompt_text_tokens) or 0, count(wire.reasoning_tokens) or 0
    usage = Usage(wire.prompt_tokens - cached, cached, output=wire.completion_tokens, reasoning=reasoning)
    if wire.total_tokens == wire.prompt_tokens + wire.completion_tokens + reasoning:
        usage.output = wire.completion_tokens + reasoning  # not counted in, only the total says so
    usage.input_image = count(wire.prompt_image_tokens)
    if used := list(_of(wire, "server_side_tools_used") or ()):
        usage.requests = Counter(_TOOLS[tool] for tool in used if tool in _TOOLS)
    if (ticks := _of(wire, "cost_in_usd_ticks")) is not None:
        usage.cost = ticks / _TICKS
    return usage


def _fold(draft: Draft, chunk: Any) -> None:
    if isinstance(chunk, tuple) and chunk:  # what has arrived so far, and the chunk
        so_far = list(chunk[0]) if isinstance(chunk[0], (list, tuple)) else chunk[0]
        draft.so_far = functools.partial(_read_response, so_far, content=True)


CHAT: Final = Endpoint("chat", _read_request, _read_response, _fold, _read_messages)
