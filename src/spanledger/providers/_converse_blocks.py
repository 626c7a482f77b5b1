"""
Content blocks and tools of the Converse wire shape, in the convention's words.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..model import Message, Part, ToolCall
from ._wire import as_list, fields, media, text_of, text_part

__all__ = ["block_parts", "is_theirs", "read_messages", "read_tools", "server_call", "tool_calls"]

_MEDIA: Final = {"image": "image", "document": "document", "video": "video", "audio": "audio"}


def read_messages(body: Any) -> tuple[list[Part], list[Message]]:
    """The system instructions, and the history with every tool result in a message of its own."""
    found = fields(body)
    messages: list[Message] = []
    for item in as_list(found.get("messages")):
        parts: list[Part] = []
        for block in as_list(fields(item).get("content")):
            for part in block_parts(block):
                if part["type"] == "tool_call_response":
                    messages.append({"role": "tool", "parts": [part]})
                else:
                    parts.append(part)
        if parts:
            messages.append({"role": fields(item).get("role") or "user", "parts": parts})
    return [part for block in as_list(found.get("system")) for part in block_parts(block)], messages


def block_parts(block: Any) -> list[Part]:
    """The parts that one block is worth; what we do not know keeps its kind and nothing else."""
    found = fields(block)
    if (text := found.get("text")) is not None:
        return [text_part(text)] if text else []
    if call := fields(found.get("toolUse")):
        return [server_call(call) if is_theirs(call) else tool_call(call).part()]
    if result := fields(found.get("toolResult")):
        return [_result(result)]
    if thought := fields(found.get("reasoningContent")):
        return [{"type": "reasoning", "content": text_of(fields(thought.get("reasoningText")).get("text"))}]
    for kind, modality in _MEDIA.items():
        if piece := fields(found.get(kind)):
            return [_media(piece, modality)]
    cited = fields(found.get("citationsContent"))
    guarded = fields(found.get("guardContent"))
    inner = as_list(cited.get("content")) or as_list(guarded.get("text"))
    return [part for item in inner for part in block_parts(item)] or [{"type": str(kind)} for kind in found]


def _result(found: Mapping[str, Any]) -> Part:
    call_id, answer = found.get("toolUseId"), _answer(found)
    if (kind := found.get("type")) is None:
        return {"type": "tool_call_response", "id": call_id, "response": answer}
    theirs = {"type": kind, "content": answer}
    return {"type": "server_tool_call_response", "id": call_id, "server_tool_call_response": theirs}


def _answer(result: Mapping[str, Any]) -> Any:
    content = [fields(item) for item in as_list(result.get("content"))]
    if len(content) == 1 and ("text" in content[0] or "json" in content[0]):
        return content[0].get("text", content[0].get("json"))
    return [
        {"type": "json", "content": item["json"]} if "json" in item else part
        for item in content
        for part in block_parts(item)[:1]
    ]


def _media(piece: Mapping[str, Any], modality: str) -> Part:
    source = fields(piece.get("source"))
    kind = f"{'application' if modality == 'document' else modality}/{piece.get('format') or 'octet-stream'}"
    if (uri := fields(source.get("s3Location")).get("uri")) is not None:
        return media(uri, modality)
    if (text := source.get("text")) is not None:
        return text_part(text)
    return media(source.get("bytes"), modality, kind)


def read_tools(body: Any) -> list[dict[str, Any]]:
    """The tool definitions: the caller's own as functions, Amazon's by their name."""
    tools = []
    for item in as_list(fields(fields(body).get("toolConfig")).get("tools")):
        tool = fields(item)
        if spec := fields(tool.get("toolSpec")):
            definition = {"type": "function", "name": spec.get("name"), "description": spec.get("description")}
            tools.append({**definition, "parameters": fields(spec.get("inputSchema")).get("json")})
        elif name := fields(tool.get("systemTool")).get("name"):
            tools.append({"type": "system", "name": name})
    return tools


def is_theirs(found: Mapping[str, Any]) -> bool:
    """Whether the ``toolUse`` block *found* is of a tool that Amazon carries out itself."""
    return found.get("type") == "server_tool_use"


def server_call(found: Mapping[str, Any]) -> Part:
    """The part of such a tool's call."""
    call_id, call = found.get("toolUseId"), {"type": found.get("type"), "arguments": found.get("input")}
    return {"type": "server_tool_call", "id": call_id, "name": found.get("name"), "server_tool_call": call}


def tool_calls(blocks: Iterable[Mapping[str, Any]]) -> list[ToolCall]:
    """The calls of the caller's own tools in *blocks*."""
    used = (fields(block.get("toolUse")) for block in blocks)
    return [tool_call(use) for use in used if use and not is_theirs(use)]


def tool_call(found: Mapping[str, Any]) -> ToolCall:
    """The tool call in a ``toolUse`` block."""
    return ToolCall(found.get("toolUseId"), found.get("name"), found.get("input"))
