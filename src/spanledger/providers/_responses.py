"""
The ``/responses`` wire shape: create, retrieve, compact.

https://platform.openai.com/docs/api-reference/responses
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .. import semconv
from ..model import Request, Response, ToolResult
from ._adapter import Endpoint
from ._chat_messages import read_tools
from ._response_answers import fold, read_response
from ._response_items import client_call, is_client_call, is_output, read_messages
from ._settings import SAMPLING, Setting, level, output_type, plain, read_settings
from ._wire import fields

__all__ = ["COMPACT", "COUNT", "FETCH", "RESPONSES"]


def _output_type(found: dict[str, Any], value: Any) -> None:
    output_type(found, fields(value).get("format"))


SETTINGS: Final[Mapping[str, str | Setting]] = {
    "max_output_tokens": semconv.REQUEST_MAX_TOKENS,
    **SAMPLING,
    "reasoning": level,
    "text": _output_type,
    "previous_response_id": semconv.REQUEST_PREVIOUS_RESPONSE,
    "service_tier": plain(semconv.OPENAI_REQUEST_TIER, unless="auto"),
}


def read_request(body: Any) -> Request:
    body = fields(body)
    conversation = body.get("conversation")
    request = Request(
        model=body.get("model"),
        stream=body.get("stream") is True,
        settings=read_settings(body, SETTINGS),
        system=body.get("instructions"),
        tools=body.get("tools"),
        previous_response_id=body.get("previous_response_id"),
        conversation_id=conversation if isinstance(conversation, str) else fields(conversation).get("id"),
    )
    items = body.get("input")
    if isinstance(items, list):
        _read_head(request, items)
        _read_tail(request, items)
    return request


def _read_head(request: Request, items: list[Any]) -> None:
    leading = []
    for item in items:
        if fields(item).get("role") not in ("system", "developer"):
            break
        leading.append(fields(item).get("content"))
    if leading:
        request.system = leading if request.system is None else [request.system, *leading]


def _read_tail(request: Request, items: list[Any]) -> None:
    at = len(items) - 1
    while at >= 0:
        item = fields(items[at])
        kind = item.get("type")
        if is_output(kind):
            request.results.append(ToolResult(item.get("call_id"), item.get("name"), item.get("output")))
        elif item.get("role") not in ("user", "system", "developer"):
            break
        at -= 1
    while at >= 0:  # the assistant's turn
        item = fields(items[at])
        if is_client_call(item.get("type")):
            request.asked.append(client_call(item))
        elif is_output(item.get("type")) or item.get("role") in ("user", "system", "developer"):
            break
        at -= 1
    request.results.reverse()
    request.asked.reverse()


def _read_fetch(body: Any) -> Request:
    body = fields(body)
    request = Request(stream=body.get("stream") is True, settings={semconv.RESPONSE_ID: body.get("response_id")})
    if (cursor := body.get("starting_after")) is not None:
        request.settings[semconv.REQUEST_STREAM_CURSOR] = str(cursor)
    return request


def _read_count(answer: Any, content: bool) -> Response:  # noqa: ARG001
    return Response()


_API: Final = {semconv.OPENAI_API_TYPE: "responses"}

RESPONSES: Final = Endpoint("chat", read_request, read_response, fold, read_messages, read_tools, attributes=_API)
FETCH: Final = Endpoint("fetch_response", _read_fetch, read_response, fold, attributes=_API, inference=False)
COMPACT: Final = Endpoint("compaction", read_request, read_response, fold, read_messages, read_tools, attributes=_API)
COUNT: Final = Endpoint(
    "count_tokens", read_request, _read_count, read_messages=read_messages, attributes=_API, inference=False
)
