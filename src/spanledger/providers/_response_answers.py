"""
Answers of the ``/responses`` shape, whole and as events.

Errors come inside the answer here, also in streams: nothing is raised, so they are read from the events.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .. import semconv
from ..model import Draft, Response, ToolCall, output_message
from ._response_items import client_call, is_client_call, item_parts
from ._tokens import read_usage
from ._wire import as_list, count, error_name, fields, index_of, text_of

__all__ = ["fold", "read_response"]

_TERMINAL: Final = ("response.completed", "response.incomplete", "response.failed", "response.cancelled")
_STATUS_REASON: Final = {"failed": "error", "cancelled": "cancelled"}
_BILLED: Final = {
    "web_search_call": "web_search", "file_search_call": "file_search",
    "image_generation_call": "image_generation",  # by tokens of a model of its own, which nobody names
}  # fmt: skip


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
    if used := _uses(items, fields(found.get("tool_usage"))):
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


def _uses(items: list[Mapping[str, Any]], told: Mapping[str, Any]) -> dict[str, int]:
    used: dict[str, int] = {}
    for item in items:
        # of a web search, only the search itself is billed, not the pages that are opened
        if (name := _BILLED.get(str(item.get("type")))) and _action(item) in (None, "search"):
            used[name] = used.get(name, 0) + 1
    if (searches := count(fields(told.get("web_search")).get("num_requests"))) is not None:
        used["web_search"] = searches  # what is billed, not all that was done
    if count(fields(told.get("image_gen")).get("total_tokens")):
        used.setdefault("image_generation", 1)
    return {name: number for name, number in used.items() if number}


def _action(item: Mapping[str, Any]) -> Any:
    return fields(item.get("action")).get("type")


def fold(draft: Draft, chunk: Any) -> None:
    event = fields(chunk)
    told = event.get("type")
    kind = told if type(told) is str else str(getattr(told, "value", told))  # LiteLLM has an enumeration for it
    if kind == "response.output_text.delta":
        _text(draft, event)
    elif kind in _FOLDS:
        _FOLDS[kind](draft, event)
    elif kind in _TERMINAL:
        _end(draft, fields(event.get("response")))
    elif kind == "error":
        draft.error = error_name(event.get("error") or event)


def _end(draft: Draft, found: Mapping[str, Any]) -> None:
    items = list(draft.kept.values())
    if items and all(items) and not found.get("output"):
        # some servers say each item when it is done and not again in the end; the pieces of what was not done are more
        found = {**found, "output": items}
    draft.settle(read_response(found, content=True))


def _begin(draft: Draft, event: Mapping[str, Any]) -> None:
    found = fields(event.get("response"))
    draft.id = found.get("id") or draft.id
    draft.model = found.get("model") or draft.model
    _read_extras(draft.extra, found)


def _text(draft: Draft, event: Mapping[str, Any]) -> None:
    block = (index_of(event.get("output_index")), index_of(event.get("content_index")))
    draft.kept.setdefault(block[0])
    draft.text(0, block).append(text_of(event.get("delta")))


def _reasoning(draft: Draft, event: Mapping[str, Any]) -> None:
    block = [index_of(event.get(key)) for key in ("output_index", "summary_index", "content_index")]
    draft.kept.setdefault(block[0])
    draft.reasoning(0, tuple(block)).append(text_of(event.get("delta")))


def _arguments(draft: Draft, event: Mapping[str, Any]) -> None:
    draft.tool_call(0, index_of(event.get("output_index")), None, None, event.get("delta"))


def _item_added(draft: Draft, event: Mapping[str, Any]) -> None:
    item = fields(event.get("item"))
    draft.kept.setdefault(index_of(event.get("output_index")))
    if is_client_call(item.get("type")):
        call = client_call(item)
        draft.tool_call(0, index_of(event.get("output_index")), call.id, call.name, call.arguments or None)


def _item_done(draft: Draft, event: Mapping[str, Any]) -> None:
    item = fields(event.get("item"))
    kind, number = item.get("type"), index_of(event.get("output_index"))
    said = kind != "message" or item.get("content")
    draft.kept[("own", len(draft.kept)) if draft.kept.get(number) else number] = item if said else None
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
    **dict.fromkeys(("response.function_call_arguments.delta", "response.custom_tool_call_input.delta"), _arguments),
    "response.output_item.added": _item_added,
    "response.output_item.done": _item_done,
}
