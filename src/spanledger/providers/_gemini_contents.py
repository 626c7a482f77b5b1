"""
Gemini's contents and parts, in the convention's words.

Keys come in camel case, some below the top level in snake case, depending on the client's version.
https://ai.google.dev/api/caching#Content
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ..model import Message, Part, ToolCall
from ._wire import as_list, fields, media, text_part

__all__ = ["content_parts", "either", "part_of", "read_messages", "read_tools", "tool_call"]

_SERVER: Final = {
    "executableCode": ("server_tool_call", "code_execution"),
    "executable_code": ("server_tool_call", "code_execution"),
    "codeExecutionResult": ("server_tool_call_response", None),
    "code_execution_result": ("server_tool_call_response", None),
    "toolCall": ("server_tool_call", "tool"),
    "toolResponse": ("server_tool_call_response", None),
}


def either(found: Mapping[str, Any], camel: str, snake: str) -> Any:
    """The value under one key or the other."""
    value = found.get(camel)
    return found.get(snake) if value is None else value


def read_messages(body: Any) -> tuple[list[Part], list[Message]]:
    """The system instruction, and the history with every function response in a message of its own."""
    found = fields(body)
    system = content_parts(either(found, "systemInstruction", "system_instruction"))
    messages: list[Message] = []
    for content in as_list(found.get("contents")):
        said = fields(content)
        role = said.get("role") or "user"
        parts: list[Part] = []
        for item in as_list(said.get("parts")) if said else [content]:
            part = part_of(item)
            if part["type"] == "tool_call_response":
                messages.append({"role": "tool", "parts": [part]})
            else:
                parts.append(part)
        if parts:
            messages.append({"role": "assistant" if role == "model" else role, "parts": parts})
    return system, messages


def content_parts(content: Any) -> list[Part]:
    """The parts of a content: an object with parts, a string, or nothing."""
    if isinstance(content, str):
        return [text_part(content)]
    if isinstance(content, list):
        return [part for item in content for part in content_parts(item)]
    found = fields(content)
    parts = found.get("parts")
    if parts is None:
        return [part_of(found)] if found else []
    return [part_of(part) for part in as_list(parts)]


def part_of(item: Any) -> Part:
    """One part; what we do not know keeps its kind and nothing else."""
    if isinstance(item, str):
        return text_part(item)
    found = fields(item)
    if isinstance(text := found.get("text"), str):
        return {"type": "reasoning" if found.get("thought") else "text", "content": text}
    for camel, snake, read in _PARTS:
        if value := either(found, camel, snake):
            return read(fields(value))
    return _server_part(found)


def _answer(said: Mapping[str, Any]) -> Part:
    part: Part = {"type": "tool_call_response", "name": said.get("name"), "response": said.get("response")}
    if (id_ := said.get("id")) is not None:
        part["id"] = id_
    return part


def _inline(data: Mapping[str, Any]) -> Part:
    mime = either(data, "mimeType", "mime_type") or "application/octet-stream"
    return media(data.get("data"), _modality(mime), mime)


def _file(data: Mapping[str, Any]) -> Part:
    mime = either(data, "mimeType", "mime_type")
    part = media(either(data, "fileUri", "file_uri"), _modality(mime))
    return {**part, "mime_type": mime} if mime else part


_PARTS: Final[tuple[tuple[str, str, Callable[[Mapping[str, Any]], Part]], ...]] = (
    ("functionCall", "function_call", lambda call: tool_call(call).part()),
    ("functionResponse", "function_response", _answer),
    ("inlineData", "inline_data", _inline),
    ("fileData", "file_data", _file),
)


def _server_part(found: Mapping[str, Any]) -> Part:
    for key, value in found.items():
        if key in _SERVER and value is not None:
            kind, name = _SERVER[key]
            part: Part = {"type": kind, kind: {"type": key, **fields(value)}}
            return {**part, "name": fields(value).get("name") or name} if name else part
    return {"type": next((key for key, value in found.items() if value is not None), "unknown")}


def _modality(mime: Any) -> str:
    kind = str(mime or "").partition("/")[0]
    return kind if kind in ("image", "audio", "video") else "document"


def tool_call(call: Mapping[str, Any]) -> ToolCall:
    """The tool call in a ``functionCall``."""
    return ToolCall(call.get("id"), call.get("name"), call.get("args") or {})


def read_tools(body: Any) -> list[dict[str, Any]]:
    """The tool definitions: declared functions, and the others by their key."""
    tools: list[dict[str, Any]] = []
    for tool in as_list(fields(body).get("tools")):
        for key, value in fields(tool).items():
            if key in ("functionDeclarations", "function_declarations"):
                tools += [_function(fields(declared)) for declared in as_list(value)]
            elif value is not None:
                tools.append({"type": key, "name": key})
    return tools


def _function(declared: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "function", "name": declared.get("name")}
    if description := declared.get("description"):
        found["description"] = description
    schema = either(declared, "parametersJsonSchema", "parameters_json_schema")
    if (parameters := declared.get("parameters") if schema is None else schema) is not None:
        found["parameters"] = parameters
    return found
