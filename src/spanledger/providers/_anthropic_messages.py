"""
The `/v1/messages` wire shape, and `/v1/complete`, its ancestor.

https://platform.claude.com/docs/en/api/messages
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .. import semconv
from ..model import Request, Response, ToolResult, output_message
from ._adapter import Endpoint
from ._anthropic_blocks import block_parts, content_parts, read_messages, read_tools, tool_call
from ._anthropic_events import fold
from ._anthropic_usage import read_usage
from ._settings import SAMPLING, Setting, put, read_settings, stops
from ._wire import as_list, error_name, fields

__all__ = ["COMPLETE", "COUNT", "MESSAGES", "read_response"]


def _output_config(found: dict[str, Any], value: Any) -> None:
    config = fields(value)
    put(found, semconv.REQUEST_REASONING_LEVEL, config.get("effort"))
    _output_format(found, config.get("format"))


def _output_format(found: dict[str, Any], value: Any) -> None:
    if fields(value).get("type") == "json_schema":
        found[semconv.OUTPUT_TYPE] = "json"


SETTINGS: Final[Mapping[str, str | Setting]] = {
    "max_tokens": semconv.REQUEST_MAX_TOKENS,
    **SAMPLING,
    "stop_sequences": stops,
    "output_config": _output_config,
    "output_format": _output_format,
    "service_tier": semconv.ANTHROPIC_REQUEST_TIER,
    "speed": semconv.REQUEST_SPEED,
    "inference_geo": semconv.REQUEST_GEO,
}


def read_request(body: Any) -> Request:
    body = fields(body)
    said, settings = body.get, read_settings(body, SETTINGS)
    request = Request(said("model"), said("stream") is True, settings, system=said("system"), tools=said("tools"))
    messages = said("messages")
    if isinstance(messages, list):
        _read_tail(request, messages)
    return request


def _read_tail(request: Request, messages: list[Any]) -> None:
    for at in range(len(messages) - 1, -1, -1):
        message = fields(messages[at])
        content = message.get("content")
        blocks: list[Any] = content if isinstance(content, list) else []
        if message.get("role") == "assistant":
            request.asked = [tool_call(f) for b in blocks if (f := fields(b)).get("type") == "tool_use"]
            break
        for block in reversed(blocks):
            found = fields(block)
            if found.get("type") == "tool_result":
                failed = found.get("is_error") is True
                request.results.append(ToolResult(found.get("tool_use_id"), None, found.get("content"), failed))
    request.results.reverse()


def read_response(message: Any, content: bool) -> Response:
    found = fields(message)
    blocks = [fields(block) for block in as_list(found.get("content"))]
    reason = found.get("stop_reason")
    response = Response(
        id=found.get("id"),
        model=found.get("model"),
        finish_reasons=[reason] if reason else [],
        tool_calls=[tool_call(block) for block in blocks if block.get("type") == "tool_use"],
    )
    response.usage = read_usage(None, found.get("usage"), response.extra)
    if content and blocks:
        response.messages = [output_message([p for block in blocks for p in block_parts(block)], reason)]
    if error := found.get("error"):
        response.error = error_name(error)
    return response


def _read_count(answer: Any, content: bool) -> Response:  # noqa: ARG001
    return Response()


def _read_completion(completion: Any, content: bool) -> Response:
    found = fields(completion)
    reason = found.get("stop_reason")
    response = Response(found.get("id"), found.get("model"), [reason] if reason else [])
    if content:
        response.messages = [output_message(content_parts(found.get("completion")), reason)]
    return response


MESSAGES: Final = Endpoint("chat", read_request, read_response, fold, read_messages, read_tools, history="messages")
COUNT: Final = Endpoint(
    "count_tokens", read_request, _read_count, read_messages=read_messages, read_tools=read_tools, inference=False
)
COMPLETE: Final = Endpoint("text_completion", read_request, _read_completion)
