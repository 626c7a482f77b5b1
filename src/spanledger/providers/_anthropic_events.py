"""
A message that Anthropic streams, event by event.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..model import Draft, parsed
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
            draft.kept[index] = part
    if kind == "fallback":  # from here on another model speaks, and a whole message names that one
        draft.model = fields(block.get("to")).get("model") or draft.model


def _delta(draft: Draft, event: Mapping[str, Any]) -> None:
    index, delta = index_of(event.get("index")), fields(event.get("delta"))
    kind = delta.get("type")
    if kind == "text_delta":
        draft.text(0, index).append(text_of(delta.get("text")))
    elif kind == "thinking_delta":
        draft.reasoning(0, index).append(text_of(delta.get("thinking")))
    elif kind == "input_json_delta":
        _json(draft, index, text_of(delta.get("partial_json")))
    elif kind == "compaction_delta" and fields(draft.kept.get(index)).get("type") == "compaction":
        draft.kept[index]["content"] = delta.get("content")


def _json(draft: Draft, index: Any, piece: str) -> None:
    # server tools' input comes in the same way, but they are nobody's calls here
    if draft.has_tool_call(0, index):
        draft.tool_call(0, index, None, None, piece)
    elif call := _server_call(draft, index):
        said = call["arguments"]  # an empty object, until the pieces come
        call["arguments"] = said + piece if isinstance(said, str) else said or piece or said


def _stop(draft: Draft, event: Mapping[str, Any]) -> None:
    if call := _server_call(draft, index_of(event.get("index"))):
        call["arguments"] = parsed(call["arguments"])


def _server_call(draft: Draft, index: Any) -> dict[str, Any] | None:
    return draft.kept[index].get("server_tool_call") if index in draft.kept else None


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
    "content_block_stop": _stop,
    "message_delta": _end,
    "error": _error,
}
