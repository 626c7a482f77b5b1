"""
The `generateContent` wire shape, whole and streamed.

https://ai.google.dev/api/generate-content
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from .. import semconv
from ..model import Draft, Request, Response, ToolResult, output_message
from ._adapter import Endpoint
from ._gemini_contents import either, part_of, read_messages, read_tools, tool_call
from ._gemini_partial import add_pieces
from ._gemini_searches import looked_up, uses
from ._gemini_tiers import read_request_tier, read_response_tier, told_in
from ._gemini_usage import read_usage
from ._settings import Setting, choices, put, read_settings, stops
from ._wire import as_list, count, error_name, fields, index_of

__all__ = ["GENERATE", "read_request", "unpack"]


def _output_type(found: dict[str, Any], value: Any) -> None:
    if value == "application/json":
        found[semconv.OUTPUT_TYPE] = "json"


def _top_k(found: dict[str, Any], value: Any) -> None:
    if (whole := count(value)) is not None:  # the client makes it a float
        found[semconv.REQUEST_TOP_K] = whole


def _thinking(found: dict[str, Any], value: Any) -> None:
    put(found, semconv.REQUEST_REASONING_LEVEL, either(fields(value), "thinkingLevel", "thinking_level"))


SETTINGS: Final[Mapping[str, str | Setting]] = {
    "maxOutputTokens": semconv.REQUEST_MAX_TOKENS,
    "temperature": semconv.REQUEST_TEMPERATURE,
    "topP": semconv.REQUEST_TOP_P,
    "topK": _top_k,
    "frequencyPenalty": semconv.REQUEST_FREQUENCY_PENALTY,
    "presencePenalty": semconv.REQUEST_PRESENCE_PENALTY,
    "seed": semconv.REQUEST_SEED,
    "stopSequences": stops,
    "candidateCount": choices,
    "responseMimeType": _output_type,
    "thinkingConfig": _thinking,
}


def read_request(body: Any) -> Request:
    body = fields(body)
    settings = read_settings(fields(body.get("generationConfig")), SETTINGS)
    request = Request(body.get("model"), body.get("stream") is True, settings, tools=body.get("tools"))
    request.system = body.get("systemInstruction")
    read_request_tier(settings, body)
    for content in reversed(as_list(body.get("contents"))):
        said = fields(content)
        parts = [fields(part) for part in as_list(said.get("parts"))]
        if said.get("role") == "model":
            request.asked = [tool_call(fields(c)) for p in parts if (c := either(p, "functionCall", "function_call"))]
            break
        for part in reversed(parts):
            if answer := either(part, "functionResponse", "function_response"):
                found = fields(answer)
                request.results.append(ToolResult(found.get("id"), found.get("name"), found.get("response")))
    request.results.reverse()
    return request


def read_response(answer: Any, content: bool) -> Response:
    found = fields(answer)
    response = Response(
        id=found.get("responseId"), model=found.get("modelVersion"), usage=read_usage(found.get("usageMetadata"))
    )
    read_response_tier(response.extra, found)
    asked: set[tuple[str, str]] = set()
    for candidate in as_list(found.get("candidates")):
        said = fields(candidate)
        asked |= looked_up(said.get("groundingMetadata"))
        reason = said.get("finishReason")
        if reason:
            response.finish_reasons.append(reason)
        parts = [fields(part) for part in as_list(fields(said.get("content")).get("parts"))]
        response.tool_calls += [tool_call(fields(c)) for p in parts if (c := p.get("functionCall"))]
        if content:
            response.messages.append(output_message([part_of(part) for part in parts], reason))
    if asked:
        response.usage.requests = uses(asked, response.model)
    if not response.finish_reasons and _blocked(found):
        response.finish_reasons = ["content_filter"]
    if error := found.get("error"):
        response.error = error_name(error)
    return response


def _blocked(found: Mapping[str, Any]) -> bool:
    return bool(fields(found.get("promptFeedback")).get("blockReason"))


def fold(draft: Draft, chunk: Any) -> None:
    found = fields(chunk if isinstance(chunk, dict) else unpack(chunk))
    draft.id = found.get("responseId") or draft.id
    draft.model = found.get("modelVersion") or draft.model
    read_response_tier(draft.extra, found)
    for candidate in as_list(found.get("candidates")):
        said = fields(candidate)
        index = index_of(said.get("index"))
        for part in as_list(fields(said.get("content")).get("parts")):
            _fold_part(draft, index, fields(part))
        if reason := said.get("finishReason"):
            draft.finish_reasons[index] = reason
        if asked := looked_up(said.get("groundingMetadata")):
            draft.asked |= asked
    if usage := found.get("usageMetadata"):
        draft.usage = read_usage(usage)
    if draft.asked and draft.usage is not None:
        draft.usage.requests = uses(draft.asked, draft.model)
    if _blocked(found):
        draft.finish_reasons.setdefault(0, "content_filter")
    if error := found.get("error"):
        draft.error = error_name(error)


def _fold_part(draft: Draft, index: int, part: Mapping[str, Any]) -> None:
    if isinstance(text := part.get("text"), str):
        (draft.reasoning(index) if part.get("thought") else draft.text(index)).append(text)
    elif call := part.get("functionCall"):
        found = tool_call(said := fields(call))
        if found.name:
            draft.tool_call(index, None, found.id, found.name, found.arguments)
        if said.get("partialArgs"):
            add_pieces(draft.arguments(index), said)
    elif part:
        draft.part(index, None, part_of(part))


def unpack(result: Any) -> Any:
    """
    The JSON in what the transport returned: text in ``body``, or (older versions) the JSON itself.

    The tier that answered is in a header only, so it is put into the JSON.
    """
    body = getattr(result, "body", None)
    if isinstance(body, (str, bytes)):
        try:
            found = json.loads(body) if body else {}
        except ValueError:  # the client will stumble over it after us
            return {"error": {"code": "invalid_json"}}
        if isinstance(found, dict) and (tier := told_in(getattr(result, "headers", None))):
            found["serviceTier"] = tier
        return found
    return result


GENERATE: Final = Endpoint("generate_content", read_request, read_response, fold, read_messages, read_tools)
