"""
Chunks of a streamed answer of the ``/chat/completions`` wire shape.

https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import semconv
from ..model import Draft, Response
from ._content_parts import pictures
from ._tokens import read_usage
from ._wire import as_list, error_name, fields, index_of, text_of

__all__ = ["fold", "read_extras"]


def fold(draft: Draft, chunk: Any) -> None:
    """Add *chunk* to *draft*."""
    # nearly every chunk is some text of choice 0; a pydantic object's attributes cost ten times an item
    try:
        said = chunk.__dict__
        (choice,) = said["choices"]
        told = choice.__dict__
        delta = told["delta"]
        news = delta.__dict__
        if (
            draft.words is not None
            and type(text := news["content"]) is str
            and text
            and told["finish_reason"] is None
            and said["usage"] is None
            and news["tool_calls"] is None
            and told["index"] == 0
            and not delta.__pydantic_extra__
        ):
            draft.words.append(text)
            return
    except (AttributeError, KeyError, TypeError, ValueError):
        pass
    _fold_any(draft, fields(chunk))


def _fold_any(draft: Draft, chunk: Mapping[str, Any]) -> None:
    if draft.id is None and (found := chunk.get("id")):
        draft.id = found
    if draft.model is None and (found := chunk.get("model")):
        draft.model = found
    usage = chunk.get("usage") or fields(chunk.get("x_groq")).get("usage")
    for choice in as_list(chunk.get("choices")):
        said = fields(choice)
        usage = usage or said.get("usage")  # Moonshot, unless it is asked for the usage
        index = index_of(said.get("index"))
        if delta := said.get("delta"):
            _fold_delta(draft, index, fields(delta))
        elif text := text_of(said.get("text")):
            draft.text(index).append(text)
        if reason := said.get("finish_reason"):
            draft.finish_reasons[index] = reason
        if error := said.get("error"):
            draft.error = error_name(error)
    if usage:
        draft.usage = read_usage(usage)
    read_extras(draft, chunk)


def read_extras(answer: Draft | Response, found: Mapping[str, Any]) -> None:
    """What an answer and a chunk both may say besides: tier, fingerprint, an error."""
    tier = found.get("service_tier")
    if tier is None:
        tier = fields(found.get("usage")).get("service_tier")  # Mistral
    if isinstance(tier, str):
        answer.extra[semconv.OPENAI_RESPONSE_TIER] = tier
    if isinstance(fingerprint := found.get("system_fingerprint"), str):
        answer.extra[semconv.OPENAI_FINGERPRINT] = fingerprint
    if error := found.get("error"):  # OpenRouter, inside a 200
        answer.error = error_name(error)


def _fold_delta(draft: Draft, index: int, delta: Mapping[str, Any]) -> None:
    if isinstance(thought := delta.get("reasoning_content") or delta.get("reasoning"), str) and thought:
        draft.reasoning(index).append(thought)
    if isinstance(text := delta.get("content") or delta.get("refusal"), str):
        if text:
            pieces = draft.text(index)
            pieces.append(text)
            if index == 0:
                draft.words = pieces
    elif text:
        _fold_content(draft, index, text)
    for call in as_list(delta.get("tool_calls") or None):  # Mistral's client has an object for what is not there
        found = fields(call)
        asked = fields(found.get("function") or found.get("custom"))
        arguments = asked.get("arguments", asked.get("input"))
        draft.tool_call(index, index_of(found.get("index")), found.get("id"), asked.get("name"), arguments)
    asked = fields(delta.get("function_call"))
    if asked.get("name") or asked.get("arguments"):
        draft.tool_call(index, "function_call", None, asked.get("name"), asked.get("arguments"))
    for picture in pictures(delta.get("images") or None):
        draft.part(index, None, picture)
    if audio := delta.get("audio"):
        draft.text(index, "transcript").append(text_of(fields(audio).get("transcript")))


def _fold_content(draft: Draft, index: int, content: Any) -> None:
    # Mistral's reasoning models send parts where others send text
    for part in as_list(content):
        found = fields(part)
        if found.get("type") == "text" and isinstance(text := found.get("text"), str):
            draft.text(index).append(text)
        elif (kind := found.get("type")) in ("thinking", "reasoning"):  # the second is Databricks'
            for thought in as_list(found.get("thinking" if kind == "thinking" else "summary")):
                draft.reasoning(index).append(str(fields(thought).get("text") or ""))
