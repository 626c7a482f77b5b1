"""
A message that Anthropic streams, event by event.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..model import Draft
from ._anthropic_blocks import block_parts
from ._anthropic_usage import read_usage
from ._wire import error_name, fields, index_of, text_of

__all__ = ["fold"]


def fold(draft: Draft, chunk: Any) -> None:
    event = fields(chunk)
    if step := _FOLDS.get(str(event.get("type"))):
        step(draft, event)


def _start(draft: Draft, event: Mapping[str, Any]) -> None:
    message = fields(event.get("message"))
    draft.id = message.get("id")
    draft.model = message.get("model")
    draft.usage = read_usage(draft.usage, message.get("usage"), draft.extra)


def _block(draft: Draft, event: Mapping[str, Any]) -> None:
    index, block = index_of(event.get("index")), fields(event.get("content_block"))
    kind = block.get("type")
    if kind == "tool_use":
        draft.tool_call(0, index, block.get("id"), block.get("name"), block.get("input"))
    elif kind == "text":
        draft.text(0, index).append(text_of(block.get("text")))
    elif kind == "thinking":
        draft.reasoning(0, index).append(text_of(block.get("thinking")))
    else:
        for number, part in enumerate(block_parts(block)):
            draft.part(0, (index, number), part)


def _delta(draft: Draft, event: Mapping[str, Any]) -> None:
    index, delta = index_of(event.get("index")), fields(event.get("delta"))
    kind = delta.get("type")
    if kind == "text_delta":
        draft.text(0, index).append(text_of(delta.get("text")))
    elif kind == "thinking_delta":
        draft.reasoning(0, index).append(text_of(delta.get("thinking")))
    elif kind == "input_json_delta":
        _json(draft, index, text_of(delta.get("partial_json")))


def _json(draft: Draft, index: Any, piece: str) -> None:
    # server tools' input comes in the same way, but they are nobody's calls here
    if draft.has_tool_call(0, index):
        draft.tool_call(0, index, None, None, piece)


def _end(draft: Draft, event: Mapping[str, Any]) -> None:
    draft.usage = read_usage(draft.usage, event.get("usage"), draft.extra)
    if reason := fields(event.get("delta")).get("stop_reason"):
        draft.finish_reasons[0] = reason


def _error(draft: Draft, event: Mapping[str, Any]) -> None:
    draft.error = error_name(event.get("error"))


_FOLDS: Final = {
    "message_start": _start,
    "content_block_start": _block,
    "content_block_delta": _delta,
    "message_delta": _end,
    "error": _error,
}
