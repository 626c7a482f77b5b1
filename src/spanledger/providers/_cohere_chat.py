"""
Cohere's chat, version 2: the messages of ``/chat/completions`` in an envelope of its own.

https://docs.cohere.com/reference/chat
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from .. import semconv
from ..model import Draft, Request, Response, Usage, output_message
from ._chat_completions import CHAT_ALIKE, SETTINGS
from ._chat_messages import message_parts, tool_calls
from ._settings import Setting, read_settings, stops
from ._wire import as_list, count, fields, index_of, text_of

__all__ = ["CHAT_V2", "read_settings_of", "read_tokens"]

_SETTINGS: Final[Mapping[str, str | Setting]] = {
    **SETTINGS,
    "p": semconv.REQUEST_TOP_P,
    "k": semconv.REQUEST_TOP_K,
    "stop_sequences": stops,
}


def read_settings_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a request, which both versions spell alike."""
    return read_settings(body, _SETTINGS)


def read_tokens(usage: Any) -> Usage:
    """
    The tokens that went through the model, and beside them those that are billed.

    The bill (``billed_units``) is without the provider's own prompt; it stands in for the tokens where nothing else is
    said, as in embeddings.
    """
    found = fields(usage)
    billed = fields(found.get("billed_units"))
    tokens = fields(found.get("tokens")) or billed
    into, output = count(tokens.get("input_tokens")), count(tokens.get("output_tokens"))
    cached = count(found.get("cached_tokens"))
    if into is not None and cached:
        into -= min(cached, into)
    searches = count(billed.get("search_units"))
    return Usage(
        into, cached, output=output, requests={"search_units": searches} if searches else {},
        billed_input=count(billed.get("input_tokens")), billed_output=count(billed.get("output_tokens")),
    )  # fmt: skip


def _read_request(body: Any) -> Request:
    request = CHAT_ALIKE.read_request(body)
    request.settings = read_settings_of(fields(body))
    return request


def _read_response(answer: Any, content: bool) -> Response:
    found = fields(answer)
    message, reason = fields(found.get("message")), found.get("finish_reason")
    calls = tool_calls(message)
    response = Response(found.get("id"), None, [reason] if reason else [], read_tokens(found.get("usage")), calls)
    if content:
        said = {"reasoning": message.get("tool_plan"), **message}
        response.messages = [output_message(message_parts(said, calls), reason)]
    return response


def _fold(draft: Draft, chunk: Any) -> None:
    event = fields(chunk)
    delta = fields(event.get("delta"))
    message, index = fields(delta.get("message")), index_of(event.get("index"))
    draft.id = event.get("id") or draft.id
    if plan := text_of(message.get("tool_plan")):
        draft.reasoning(0, "plan").append(plan)
    for item in as_list(message.get("content")):
        part = fields(item)
        if text := text_of(part.get("text")):
            draft.text(0, index).append(text)
        if thought := text_of(part.get("thinking")):
            draft.reasoning(0, index).append(thought)
    for call in as_list(message.get("tool_calls")):
        asked = fields(fields(call).get("function"))
        draft.tool_call(0, index, fields(call).get("id"), asked.get("name"), asked.get("arguments"))
    if reason := delta.get("finish_reason"):
        draft.finish_reasons[0] = reason
    if usage := delta.get("usage"):
        draft.usage = read_tokens(usage)
    if isinstance(error := delta.get("error"), str):
        draft.error = draft.finish_reasons.get(0, "ERROR") if error else None


CHAT_V2: Final = replace(CHAT_ALIKE, read_request=_read_request, read_response=_read_response, fold=_fold)
