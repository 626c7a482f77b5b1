"""
Items of the ``/responses`` shape, in the convention's words.

A history is a flat list of items here: what the assistant thought, said and asked for, one after the other, makes one
message; every tool output is a message of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ..model import Message, Part, ToolCall
from ._content_parts import content_parts
from ._wire import as_list, fields, text_part, tool_answer

__all__ = ["client_call", "is_client_call", "is_output", "item_parts", "read_messages"]

_CLIENT_CALLS: Final = {
    "function_call": None,
    "custom_tool_call": None,
    "computer_call": "computer",
    "local_shell_call": "local_shell",
    "shell_call": "shell",
    "apply_patch_call": "apply_patch",
}
"""Calls that the caller's program answers, and the name of those that have none."""


def is_client_call(kind: Any) -> bool:
    """Whether an item of this type asks the caller's program for something."""
    return isinstance(kind, str) and kind in _CLIENT_CALLS


def is_output(kind: Any) -> bool:
    """Whether an item of this type is the answer to such a call."""
    return isinstance(kind, str) and kind.endswith("_call_output")


def client_call(item: Mapping[str, Any]) -> ToolCall:
    """The tool call in *item*."""
    name = item.get("name") or _CLIENT_CALLS.get(str(item.get("type")))
    for key in ("arguments", "input", "action", "operation"):
        if (arguments := item.get(key)) is not None:
            return ToolCall(item.get("call_id"), name, _plain(arguments))
    return ToolCall(item.get("call_id"), name)


def _plain(value: Any) -> Any:
    """A client's object as plain data, without what it has but was never sent."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    found = fields(value)
    if not found:
        return value
    plain = type(value) is dict
    return {key: _plain(item) for key, item in found.items() if plain or item is not None}


def read_messages(body: Any) -> tuple[list[Part], list[Message]]:
    """The instructions, and the input as messages."""
    found = fields(body)
    instructions = content_parts(found.get("instructions"))
    items = found.get("input")
    if isinstance(items, str):
        return instructions, [{"role": "user", "parts": [text_part(items)]}]
    messages: list[Message] = []
    for item in as_list(items):
        _add(messages, fields(item))
    return instructions, messages


def _add(messages: list[Message], item: Mapping[str, Any]) -> None:
    kind = item.get("type")
    if is_output(kind):
        part: Part = {"type": "tool_call_response", "response": tool_answer(content_parts, item.get("output"))}
        if (call_id := item.get("call_id")) is not None:
            part["id"] = call_id
        messages.append({"role": "tool", "parts": [part]})
        return
    role = item.get("role") or ("user" if kind in (None, "item_reference", "mcp_approval_response") else "assistant")
    parts = item_parts(item)
    if role != "assistant":
        messages.append({"role": role, "parts": parts})
    elif messages and messages[-1]["role"] == "assistant":
        messages[-1]["parts"] += parts
    elif parts:
        messages.append({"role": role, "parts": parts})


def item_parts(item: Mapping[str, Any]) -> list[Part]:
    """The parts that one item is worth; what we do not know keeps its type and nothing else."""
    kind = str(item.get("type") or "message")
    if kind in _ITEMS:
        return _ITEMS[kind](item)
    if kind in _CLIENT_CALLS:
        return [client_call(item).part()]
    return _server_call(kind, item) if kind.endswith("_call") else [{"type": kind}]


def _picture(item: Mapping[str, Any]) -> list[Part]:
    if isinstance(data := item.get("result"), str):
        return [{"type": "blob", "modality": "image", "content": data}]
    return _server_call("image_generation_call", item)


def _thoughts(item: Mapping[str, Any]) -> list[Part]:
    # encrypted reasoning is nobody's content
    texts = [fields(piece).get("text") for piece in as_list(item.get("summary")) + as_list(item.get("content"))]
    return [{"type": "reasoning", "content": text} for text in texts if isinstance(text, str) and text]


def _server_call(kind: str, item: Mapping[str, Any]) -> list[Part]:
    call: dict[str, Any] = {"type": kind}
    for key in ("action", "queries", "code", "arguments", "server_label"):
        if (value := item.get(key)) is not None:
            call[key] = _plain(value)
    id_, name = item.get("id"), item.get("name") or kind.removesuffix("_call")
    parts: list[Part] = [{"type": "server_tool_call", "id": id_, "name": name, "server_tool_call": call}]
    for key in ("output", "outputs", "results"):
        if (value := item.get(key)) is not None:
            said = {"type": kind, key: _plain(value)}
            parts.append({"type": "server_tool_call_response", "id": id_, "server_tool_call_response": said})
    return parts


_ITEMS: Final[Mapping[str, Callable[[Mapping[str, Any]], list[Part]]]] = {
    "message": lambda item: content_parts(item.get("content")),
    "reasoning": _thoughts,
    "compaction": lambda item: [{"type": "compaction", "id": item.get("id")}],
    "image_generation_call": _picture,
}
