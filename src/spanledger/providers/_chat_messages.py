"""
Messages and tools of the ``/chat/completions`` shape, in the convention's words.

Nothing here raises on odd input: a part that we do not know keeps its type and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ..model import Message, Part, ToolCall
from ._wire import as_list, fields, file, media, text_part, tool_answer

__all__ = ["definition", "message_parts", "read_messages", "read_prompt", "read_tools", "tool_calls"]

_PLAIN: Final = 2
_SPEAKERS: Final = frozenset(("user", "assistant", "system", "developer"))
_TEXTS: Final = ("text", "input_text", "output_text", "refusal", "summary_text", "reasoning_text")


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


def content_parts(content: Any) -> list[Part]:
    """The parts of a message's content: a string, a list of parts, or nothing."""
    if isinstance(content, str):
        return [text_part(content)] if content else []
    return [part for item in as_list(content) for part in _parts(item)]


def read_prompt(prompt: Any) -> list[Part]:
    """The parts of a legacy prompt: a string or several; tokens are left out."""
    return [text_part(text) for text in as_list(prompt) if isinstance(text, str) and text]


def _parts(item: Any) -> list[Part]:
    if isinstance(item, str):
        return [text_part(item)]
    found = fields(item)
    kind = str(found.get("type") or "unknown")
    if kind in _TEXTS:
        return [text_part(found.get("text") or found.get("refusal") or "")]
    return [_PARTS[kind](found) if kind in _PARTS else {"type": kind}]


def _thinking(found: Mapping[str, Any]) -> Part:
    thoughts = (t if isinstance(t, str) else fields(t).get("text") for t in as_list(found.get("thinking")))
    return {"type": "reasoning", "content": "".join(text for text in thoughts if isinstance(text, str))}


def _picture(found: Mapping[str, Any], modality: str) -> Part:
    if file_id := found.get("file_id"):
        return file(file_id, modality)
    url = found.get("image_url") or found.get("video_url")
    return media(url if isinstance(url, str) else fields(url).get("url"), modality)


def _file(found: Mapping[str, Any]) -> Part:
    if file_id := found.get("file_id"):
        return file(file_id, "document")
    if url := found.get("file_url"):
        return media(url, "document")
    return media(found.get("file_data"), "document", "application/octet-stream")


def _sound(found: Mapping[str, Any]) -> Part:
    audio = fields(found.get("input_audio"))
    return media(audio.get("data"), "audio", f"audio/{audio.get('format') or 'wav'}")


_PARTS: Final[Mapping[str, Callable[[Mapping[str, Any]], Part]]] = {
    "image_url": lambda found: _picture(found, "image"),
    "input_image": lambda found: _picture(found, "image"),
    "video_url": lambda found: _picture(found, "video"),
    "input_audio": _sound,
    "file": lambda found: _file(fields(found.get("file"))),
    "input_file": _file,
    "thinking": _thinking,
}


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
