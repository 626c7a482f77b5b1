"""
Google's interactions API: steps instead of candidates, events instead of chunks.

https://ai.google.dev/gemini-api/docs/interactions
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .. import semconv
from ..model import Draft, Request, Response, ToolResult, output_message
from ._adapter import Endpoint
from ._gemini_tiers import read_request_tier, read_response_tier
from ._gemini_usage import add, read_interaction_usage
from ._interaction_steps import function_call, read_messages, step_parts
from ._settings import Setting, read_settings, stops
from ._wire import as_list, error_name, fields, index_of

__all__ = ["INTERACTIONS"]

SETTINGS: Final[Mapping[str, str | Setting]] = {
    "max_output_tokens": semconv.REQUEST_MAX_TOKENS,
    "temperature": semconv.REQUEST_TEMPERATURE,
    "top_p": semconv.REQUEST_TOP_P,
    "seed": semconv.REQUEST_SEED,
    "stop_sequences": stops,
    "thinking_level": semconv.REQUEST_REASONING_LEVEL,
}

_REASONS: Final = {"completed": "stop", "requires_action": "tool_calls", "failed": "error", "cancelled": "cancelled"}
_CONTINUES: Final = "requires_continuation"
_ENDS: Final = ("failed", "cancelled", "incomplete", "budget_exceeded")
"""What an update of the status may be the last word on; any other end comes with the interaction itself."""


def read_request(body: Any) -> Request:
    body = fields(body)
    body = {**fields(body.get("request")), **body}
    previous = body.get("previous_interaction_id")
    request = Request(
        model=body.get("model") or body.get("agent"),
        stream=body.get("stream") is True,
        settings=read_settings(fields(body.get("generation_config")), SETTINGS),
        system=body.get("system_instruction"),
        tools=body.get("tools"),
        previous_response_id=previous if isinstance(previous, str) else None,
    )
    if request.previous_response_id:
        request.settings[semconv.REQUEST_PREVIOUS_RESPONSE] = previous
    read_request_tier(request.settings, body)
    steps = [fields(step) for step in as_list(body.get("input"))]
    for step in steps:
        kind = step.get("type")
        if kind == "function_result":
            failed = step.get("is_error") is True
            request.results.append(ToolResult(step.get("call_id"), step.get("name"), step.get("result"), failed))
        elif kind == "function_call":
            request.asked.append(function_call(step))
    return request


def read_response(answer: Any, content: bool) -> Response:
    found = fields(answer)
    steps = [fields(step) for step in as_list(found.get("steps")) or as_list(found.get("outputs"))]
    response = Response(
        id=found.get("id"),
        model=found.get("model"),
        finish_reasons=_finish(found.get("status")),
        usage=read_interaction_usage(found.get("usage"), found.get("model")),
        tool_calls=[function_call(step) for step in steps if step.get("type") == "function_call"],
    )
    if isinstance(status := found.get("status"), str):
        response.extra[semconv.RESPONSE_STATUS] = status
    read_response_tier(response.extra, found)
    if error := found.get("error"):
        response.error = error_name(error)
    elif status == "failed":
        names = (error_name(error) for error in as_list(found.get("errors")))
        response.error = next((name for name in names if name != "_OTHER"), "failed")
    parts = [part for step in steps for part in step_parts(step)] if content else []
    if parts:
        response.messages = [output_message(parts, next(iter(response.finish_reasons), None))]
    return response


def _finish(status: Any) -> list[str]:
    if not isinstance(status, str) or status in ("in_progress", "queued", _CONTINUES):
        return []
    return [_REASONS.get(status, status)]


def fold(draft: Draft, chunk: Any) -> None:
    event = fields(chunk)
    kind = str(event.get("event_type") or event.get("type"))
    if kind in ("step.delta", "content.delta"):
        _fold_delta(draft, index_of(event.get("index")), fields(event.get("delta")))
    elif kind in ("step.start", "content.start"):
        _fold_start(draft, index_of(event.get("index")), fields(event.get("step")) or fields(event.get("content")))
    elif kind in ("interaction.created", "interaction.start", "interaction.completed", "interaction.complete"):
        _fold_interaction(draft, fields(event.get("interaction")), final="complete" in kind)
    elif kind == "interaction.status_update":
        _fold_status(draft, event)
    elif kind == "error":
        draft.error = error_name(event.get("error") or event)
    if usage := fields(event.get("metadata")).get("usage"):
        _fold_usage(draft, usage, final=False)


def _fold_interaction(draft: Draft, found: Mapping[str, Any], *, final: bool) -> None:
    if draft.id is None or final:
        draft.id = found.get("id") or draft.id
        draft.model = found.get("model") or draft.model
    if not final:
        return
    if usage := found.get("usage"):
        _fold_usage(draft, usage, final=True)
    _settle(draft, read_response({key: value for key, value in found.items() if key != "usage"}, content=True))


def _fold_status(draft: Draft, event: Mapping[str, Any]) -> None:
    if (status := event.get("status")) not in _ENDS:
        return
    if usage := event.get("usage"):
        _fold_usage(draft, usage, final=True)
    _settle(draft, read_response({"status": status}, content=False))


def _settle(draft: Draft, response: Response) -> None:
    if response.error == "failed":  # an event of its own may have said more
        response.error = draft.error or response.error
    draft.settle(response)


def _fold_usage(draft: Draft, usage: Any, *, final: bool) -> None:
    # an answer may take several requests, each with a usage of its own
    if draft.extra.get(semconv.RESPONSE_STATUS) != _CONTINUES:
        draft.usage = read_interaction_usage(usage, draft.model)
    elif final:
        draft.usage = add(draft.usage, read_interaction_usage(usage, draft.model))


def _fold_start(draft: Draft, index: int, step: Mapping[str, Any]) -> None:
    if step.get("type") == "function_call":
        draft.tool_call(0, index, step.get("id"), step.get("name"), step.get("arguments") or {})


def _fold_delta(draft: Draft, index: int, delta: Mapping[str, Any]) -> None:
    kind = delta.get("type")
    if kind == "text" and isinstance(text := delta.get("text"), str):
        draft.text(0, index).append(text)
    elif kind in ("thought_summary", "thought"):
        text = fields(delta.get("content")).get("text") or delta.get("text")
        if isinstance(text, str):
            draft.reasoning(0, index).append(text)
    elif kind in ("arguments_delta", "arguments", "function_call"):
        draft.tool_call(0, index, delta.get("id"), delta.get("name"), delta.get("arguments"))
    elif kind in ("image", "audio"):
        for part in step_parts(delta):
            draft.part(0, index, part)


INTERACTIONS: Final = Endpoint("generate_content", read_request, read_response, fold, read_messages)
