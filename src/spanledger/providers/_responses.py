"""
The ``/responses`` wire shape: create, retrieve, compact.

Errors come inside the answer here, also in streams: nothing is raised, so they are read from the events.
https://platform.openai.com/docs/api-reference/responses
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from .. import semconv
from ..model import Draft, Request, Response, ToolCall, ToolResult, Usage, output_message
from ._adapter import Endpoint
from ._chat_messages import read_tools
from ._response_items import client_call, is_client_call, is_output, item_parts, read_messages
from ._settings import SAMPLING, Setting, level, output_type, plain, read_settings
from ._tokens import read_usage
from ._wire import as_list, error_name, fields, index_of, text_of

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

_TERMINAL: Final = ("response.completed", "response.incomplete", "response.failed", "response.cancelled")
_STATUS_REASON: Final = {"failed": "error", "cancelled": "cancelled"}
_BILLED: Final = {"web_search_call": "web_search", "file_search_call": "file_search"}


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


def read_response(answer: Any, content: bool) -> Response:
    found = fields(answer)
    response = Response(id=found.get("id"), model=found.get("model"), usage=read_usage(found.get("usage")))
    items = [fields(item) for item in as_list(found.get("output"))]
    response.tool_calls = [client_call(item) for item in items if is_client_call(item.get("type"))]
    response.finish_reasons = _finish(found, response.tool_calls)
    _read_extras(response.extra, found)
    if error := found.get("error"):
        response.error = error_name(error)
    elif found.get("status") == "failed":
        response.error = "failed"
    if used := _uses(items):
        response.usage.requests = used
    if content and items:
        parts = [part for item in items for part in item_parts(item)]
        response.messages = [output_message(parts, next(iter(response.finish_reasons), None))] if parts else []
    return response


def _finish(found: Mapping[str, Any], calls: list[ToolCall]) -> list[str]:
    # the API has a status, no finish reason; only an incomplete answer says why
    status = str(found.get("status"))
    if status == "completed":
        return ["tool_calls" if calls else "stop"]
    if status == "incomplete":
        return [text_of(fields(found.get("incomplete_details")).get("reason")) or "incomplete"]
    return [_STATUS_REASON[status]] if status in _STATUS_REASON else []


def _read_extras(extra: dict[str, Any], found: Mapping[str, Any]) -> None:
    for key, name in (("status", semconv.RESPONSE_STATUS), ("service_tier", semconv.OPENAI_RESPONSE_TIER)):
        if isinstance(value := found.get(key), str):
            extra[name] = value
    conversation = found.get("conversation")
    conversation = conversation if isinstance(conversation, str) else fields(conversation).get("id")
    if isinstance(conversation, str):
        extra[semconv.CONVERSATION_ID] = conversation


def _uses(items: list[Mapping[str, Any]]) -> dict[str, int]:
    used: dict[str, int] = {}
    for item in items:
        # of a web search, only the search itself is billed, not the pages that are opened
        if (name := _BILLED.get(str(item.get("type")))) and _action(item) in (None, "search"):
            used[name] = used.get(name, 0) + 1
    return used


def _action(item: Mapping[str, Any]) -> Any:
    return fields(item.get("action")).get("type")


def fold(draft: Draft, chunks: Sequence[Any]) -> None:
    for chunk in chunks:
        event = fields(chunk)
        kind = str(event.get("type"))
        if kind == "response.output_text.delta":
            _text(draft, event)
        elif kind in _FOLDS:
            _FOLDS[kind](draft, event)
        elif kind in _TERMINAL:
            draft.settle(read_response(event.get("response"), content=True))
        elif kind == "error":
            draft.error = error_name(event.get("error") or event)


def _begin(draft: Draft, event: Mapping[str, Any]) -> None:
    found = fields(event.get("response"))
    draft.id = found.get("id") or draft.id
    draft.model = found.get("model") or draft.model
    _read_extras(draft.extra, found)


def _text(draft: Draft, event: Mapping[str, Any]) -> None:
    block = (index_of(event.get("output_index")), index_of(event.get("content_index")))
    draft.text(0, block).append(text_of(event.get("delta")))


def _reasoning(draft: Draft, event: Mapping[str, Any]) -> None:
    block = [index_of(event.get(key)) for key in ("output_index", "summary_index", "content_index")]
    draft.reasoning(0, tuple(block)).append(text_of(event.get("delta")))


def _arguments(draft: Draft, event: Mapping[str, Any]) -> None:
    draft.tool_call(0, index_of(event.get("output_index")), None, None, event.get("delta"))


def _item_added(draft: Draft, event: Mapping[str, Any]) -> None:
    item = fields(event.get("item"))
    if is_client_call(item.get("type")):
        call = client_call(item)
        draft.tool_call(0, index_of(event.get("output_index")), call.id, call.name, call.arguments or None)


def _item_done(draft: Draft, event: Mapping[str, Any]) -> None:
    item = fields(event.get("item"))
    kind = item.get("type")
    if is_client_call(kind) or kind in ("message", "reasoning"):
        return  # came in pieces
    for number, part in enumerate(item_parts(item)):
        draft.part(0, (index_of(event.get("output_index")), number), part)


_FOLDS: Final = {
    "response.created": _begin,
    "response.queued": _begin,
    "response.in_progress": _begin,
    "response.refusal.delta": _text,
    **dict.fromkeys(("response.reasoning_summary_text.delta", "response.reasoning_text.delta"), _reasoning),
    **dict.fromkeys(
        ("response.function_call_arguments.delta", "response.custom_tool_call_input.delta"), _arguments
    ),
    "response.output_item.added": _item_added,
    "response.output_item.done": _item_done,
}


def _read_fetch(body: Any) -> Request:
    body = fields(body)
    request = Request(stream=body.get("stream") is True, settings={semconv.RESPONSE_ID: body.get("response_id")})
    if (cursor := body.get("starting_after")) is not None:
        request.settings[semconv.REQUEST_STREAM_CURSOR] = str(cursor)
    return request


def _read_fetched(answer: Any, content: bool) -> Response:
    # whoever started the response pays for it
    response = read_response(answer, content)
    response.usage = Usage()
    return response


def _fold_fetched(draft: Draft, chunks: Sequence[Any]) -> None:
    fold(draft, chunks)
    draft.usage = None


def _read_count(answer: Any, content: bool) -> Response:  # noqa: ARG001
    return Response()


_API: Final = {semconv.OPENAI_API_TYPE: "responses"}

RESPONSES: Final = Endpoint("chat", read_request, read_response, fold, read_messages, read_tools, attributes=_API)
FETCH: Final = Endpoint("fetch_response", _read_fetch, _read_fetched, _fold_fetched, attributes=_API, inference=False)
COMPACT: Final = Endpoint("compaction", read_request, read_response, fold, read_messages, read_tools, attributes=_API)
COUNT: Final = Endpoint(
    "count_tokens", read_request, _read_count, read_messages=read_messages, attributes=_API, inference=False
)
