"""
Messages and tools of the ``/chat/completions`` shape, in the convention's words.

Nothing here raises on odd input: a part that we do not know keeps its type and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..model import Message, Part, ToolCall
from ._content_parts import content_parts, pictures
from ._wire import as_list, fields, file, text_part, tool_answer

__all__ = ["definition", "message_parts", "read_messages", "read_tools", "tool_calls"]

_PLAIN: Final = 2
_SPEAKERS: Final = frozenset(("user", "assistant", "system", "developer"))


def read_messages(body: Any) -> tuple[list[Part], list[Message]]:
    """System messages stay where they are, because they are part of the history here."""
    found: list[Message] = []
    for message in as_list(fields(body).get("messages")):
        # a long history is mostly this: a role and a text
        if type(message) is dict and len(message) == _PLAIN:
            role, content = message.get("role"), message.get("content")
            if type(role) is str and role in _SPEAKERS and type(content) is str and content:
                found.append({"role": role, "parts": [{"type": "text", "content": content}]})
                continue
        found.append(_message(fields(message)))
    return [], found


def _message(message: Mapping[str, Any]) -> Message:
    role = message.get("role")
    if role in ("tool", "function"):
        part: Part = {"type": "tool_call_response", "response": tool_answer(content_parts, message.get("content"))}
        if (id_ := message.get("tool_call_id")) is not None:
            part["id"] = id_
        found: Message = {"role": "tool", "parts": [part]}
    elif role == "assistant":
        found = {"role": "assistant", "parts": message_parts(message, tool_calls(message))}
    else:
        found = {"role": role or "user", "parts": content_parts(message.get("content"))}
    if name := message.get("name"):
        found["name"] = name
    return found


def message_parts(message: Mapping[str, Any], calls: list[ToolCall]) -> list[Part]:
    """The parts of an assistant's *message* with the tool *calls* that were read from it."""
    content = message.get("content")
    parts = [{"type": "text", "content": content}] if type(content) is str and content else content_parts(content)
    if isinstance(thought := message.get("reasoning_content") or message.get("reasoning"), str) and thought:
        parts.insert(0, {"type": "reasoning", "content": thought})
    if refusal := message.get("refusal"):
        parts.append(text_part(refusal))
    if audio := message.get("audio"):
        parts += _audio(fields(audio))
    if images := message.get("images"):
        parts += pictures(images)
    for call in calls:
        parts.append(call.part())
    return parts


def tool_calls(message: Mapping[str, Any]) -> list[ToolCall]:
    """The tool calls in an assistant's *message*, arguments as the wire holds them."""
    calls: list[ToolCall] = []
    for call in as_list(message.get("tool_calls") or None):
        found = fields(call)
        asked = fields(found.get("function") or found.get("custom"))
        calls.append(ToolCall(found.get("id"), asked.get("name"), asked.get("arguments", asked.get("input"))))
    legacy = message.get("function_call")  # some send an empty one
    if legacy and (asked := fields(legacy)).get("name"):
        calls.append(ToolCall(None, asked["name"], asked.get("arguments")))
    return calls


def _audio(found: Mapping[str, Any]) -> list[Part]:
    parts: list[Part] = []
    if data := found.get("data"):
        parts.append({"type": "blob", "modality": "audio", "content": data})
    elif file_id := found.get("id"):
        parts.append(file(file_id, "audio"))
    if transcript := found.get("transcript"):
        parts.append(text_part(transcript))
    return parts


def read_tools(body: Any) -> list[dict[str, Any]]:
    """The tool definitions of a request, else the functions of a legacy one."""
    found = fields(body)
    if tools := as_list(found.get("tools")):
        return [definition(fields(tool)) for tool in tools]
    return [definition({"type": "function", **fields(f)}) for f in as_list(found.get("functions"))]


def definition(tool: Mapping[str, Any]) -> dict[str, Any]:
    """One tool definition; built-in tools have no name of their own and go by their type."""
    kind = str(tool.get("type") or "function")
    inner = fields(tool.get(kind)) or tool
    found: dict[str, Any] = {"type": kind, "name": inner.get("name") or inner.get("server_label") or kind}
    for key in ("description", "parameters"):
        if (value := inner.get(key)) is not None:
            found[key] = value
    return found
