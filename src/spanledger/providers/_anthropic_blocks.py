"""
Content blocks of Anthropic's Messages API, in the convention's words.

https://docs.anthropic.com/en/api/messages
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ..model import Message, Part, ToolCall
from ._wire import as_list, fields, file, media, text_part, tool_answer

__all__ = ["block_parts", "content_parts", "read_messages", "read_tools", "tool_call"]

_MODALITIES: Final = {"image": "image", "document": "document", "container_upload": "document"}


def read_messages(body: Any) -> tuple[list[Part], list[Message]]:
    """System parts, and the history with every tool result in a message of its own."""
    found = fields(body)
    messages: list[Message] = []
    for message in as_list(found.get("messages")):
        said = fields(message)
        role, content = said.get("role") or "user", said.get("content")
        if isinstance(content, str):
            messages.append({"role": role, "parts": [text_part(content)]})
        else:
            _split(messages, role, content)
    return content_parts(found.get("system")), messages


def _split(messages: list[Message], role: str, content: Any) -> None:
    parts: list[Part] = []
    for block in as_list(content):
        found = fields(block)
        if found.get("type") == "tool_result":
            part: Part = {"type": "tool_call_response", "response": tool_answer(content_parts, found.get("content"))}
            part["id"] = found.get("tool_use_id")
            messages.append({"role": "tool", "parts": [part]})
        else:
            parts += block_parts(block)
    if parts:
        messages.append({"role": role, "parts": parts})


def content_parts(content: Any) -> list[Part]:
    """The parts of a content: a string, a list of blocks, or nothing."""
    if isinstance(content, str):
        return [text_part(content)] if content else []
    return [part for block in as_list(content) for part in block_parts(block)]


def block_parts(block: Any) -> list[Part]:
    """The parts that one block is worth; what we do not know keeps its type and nothing else."""
    if isinstance(block, str):
        return [text_part(block)]
    found = fields(block)
    kind = str(found.get("type") or "unknown")
    if kind == "text":
        return [text_part(found["text"])] if found.get("text") else []
    if kind in _BLOCKS:
        return [_BLOCKS[kind](found)]
    if kind in _MODALITIES:
        return [_source(found, _MODALITIES[kind])]
    return [_server_answer(kind, found) if kind.endswith("_tool_result") else {"type": kind}]


def _server_call(block: Mapping[str, Any]) -> Part:
    call = {"type": block.get("type"), "arguments": _plain(block.get("input"))}
    return {"type": "server_tool_call", "id": block.get("id"), "name": block.get("name"), "server_tool_call": call}


def _server_answer(kind: str, block: Mapping[str, Any]) -> Part:
    answer = {"type": kind, "content": _plain(block.get("content"))}
    return {"type": "server_tool_call_response", "id": block.get("tool_use_id"), "server_tool_call_response": answer}


_BLOCKS: Final[Mapping[str, Callable[[Mapping[str, Any]], Part]]] = {
    "tool_use": lambda block: tool_call(block).part(),
    "thinking": lambda block: {"type": "reasoning", "content": block.get("thinking") or ""},
    "redacted_thinking": lambda _: {"type": "reasoning", "content": ""},
    "compaction": lambda block: {"type": "compaction", "content": block.get("content")},
    "server_tool_use": _server_call,
    "mcp_tool_use": _server_call,
}


def tool_call(block: Mapping[str, Any]) -> ToolCall:
    """The tool call in a ``tool_use`` block."""
    return ToolCall(block.get("id"), block.get("name"), block.get("input"))


def _source(block: Mapping[str, Any], modality: str) -> Part:
    source = fields(block.get("source"))
    kind, mime = source.get("type"), source.get("media_type")
    if kind == "base64":
        return media(source.get("data"), modality, mime or "application/octet-stream")
    if kind == "url":
        return media(source.get("url"), modality)
    if kind == "file" or block.get("file_id"):
        return file(source.get("file_id") or block.get("file_id"), modality)
    if kind == "text":
        return text_part(source.get("data"))
    return {"type": modality}


def _plain(value: Any) -> Any:
    """A client's object as plain data; what only the server can read is left out."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    found = fields(value)
    if not found:
        return value
    return {key: _plain(item) for key, item in found.items() if not key.startswith("encrypted_") and item is not None}


def read_tools(body: Any) -> list[dict[str, Any]]:
    """The tool definitions: the caller's own as functions, Anthropic's by their type."""
    tools = []
    for tool in as_list(fields(body).get("tools")):
        found = fields(tool)
        kind = found.get("type")
        if kind in (None, "custom"):
            definition = {"type": "function", "name": found.get("name"), "parameters": found.get("input_schema")}
            if description := found.get("description"):
                definition["description"] = description
            tools.append(definition)
        else:
            tools.append({"type": kind, "name": found.get("name") or kind})
    return tools
