"""
Reading what went over the wire, whatever it is wrapped in.

A request body is JSON; a response is a client's object, or the same data as JSON where it was recorded.  `fields` makes
one of the two, level by level and without copying; the rest are the shapes that several providers share.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from ..model import Part

__all__ = [
    "as_list", "count", "error_name", "fields", "file", "index_of", "media", "text_of", "text_part", "tool_answer",
]  # fmt: skip

_INFINITE: Final = float("inf")
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


def fields(data: Any) -> Mapping[str, Any]:
    """The fields of a mapping or of a client's object, unknown ones included; empty for anything else."""
    if type(data) is dict:
        return data
    if data is None:
        return _NOTHING
    try:
        # where the clients' pydantic models keep what their schema does not know, e.g. `usage.cost`
        found: dict[str, Any] = data.__dict__
        extra = data.__pydantic_extra__
    except AttributeError:
        if isinstance(data, Mapping):
            return data
        return getattr(data, "__dict__", _NOTHING)
    return {**found, **extra} if extra else found


def as_list(data: Any) -> list[Any]:
    """*data* if it is a list, a list of one if it is something else, an empty one if it is nothing."""
    if isinstance(data, list):
        return data
    if data is None:
        return []
    return list(data) if isinstance(data, tuple) else [data]


def count(value: Any) -> int | None:
    """A number of tokens; `None` for what cannot be one."""
    if type(value) is int and value >= 0:
        return value
    if value is None or isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < _INFINITE:
        return None
    return int(value)


def text_of(value: Any) -> str:
    """*value* if it is text, else nothing."""
    return value if isinstance(value, str) else ""


def index_of(value: Any) -> int:
    """The number of a choice or a block; zero where none is given."""
    return value if isinstance(value, int) else 0


def error_name(error: Any) -> str:
    """The low-cardinality name of an error object that came inside an answer."""
    if isinstance(error, str):
        return "_OTHER"
    found = fields(error)
    name = found.get("code") or found.get("type") or found.get("status")
    return str(name) if isinstance(name, (str, int)) else "_OTHER"


def text_part(content: Any) -> Part:
    """A text part."""
    return {"type": "text", "content": content}


def file(file_id: Any, modality: str, mime_type: str | None = None) -> Part:
    """A part that names a file which the provider keeps."""
    part: Part = {"type": "file", "modality": modality, "file_id": file_id}
    if mime_type:
        part["mime_type"] = mime_type
    return part


def media(content: Any, modality: str, mime_type: str | None = None) -> Part:
    """
    A part for an image or the like: a ``blob`` for a ``data:`` URL or base64, a ``uri`` for any other URL.

    A bare string is taken for base64 when *mime_type* says what it would be, else for a URL.
    """
    if isinstance(content, bytes):
        content = b64encode(content).decode()
    if not isinstance(content, str):
        return {"type": modality}
    if content.startswith("data:"):
        head, _, payload = content[5:].partition(",")
        mime_type, _, coding = head.partition(";")
        if not coding.endswith("base64"):
            payload = b64encode(unquote_to_bytes(payload)).decode()
    elif mime_type is None or "://" in content[:20]:
        found = {"type": "uri", "modality": modality, "uri": content}
        return {**found, "mime_type": mime_type} if mime_type else found
    else:
        payload = content
    part: Part = {"type": "blob", "modality": modality, "content": payload}
    if mime_type:
        part["mime_type"] = mime_type
    return part


def tool_answer(parts_of: Callable[[Any], list[Part]], content: Any) -> Any:
    """A tool's answer: text as text, anything richer as what *parts_of* makes of it."""
    if content is None or isinstance(content, str):
        return content
    parts = parts_of(content)
    return parts[0]["content"] if len(parts) == 1 and parts[0]["type"] == "text" else parts
