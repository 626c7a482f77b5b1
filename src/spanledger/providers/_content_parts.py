"""
The parts of a message's content as OpenAI spells them, in all of its shapes, in the convention's words.

Nothing here raises on odd input: a part that we do not know keeps its type and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ..model import Part
from ._wire import as_list, fields, file, media, text_part

__all__ = ["content_parts", "pictures", "read_prompt"]

_TEXTS: Final = ("text", "input_text", "output_text", "refusal", "summary_text", "reasoning_text")


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


def _reasoning(found: Mapping[str, Any]) -> Part:
    """As Databricks sends it."""
    said = (fields(text).get("text") for text in as_list(found.get("summary") or found.get("content")))
    return {"type": "reasoning", "content": "".join(text for text in said if isinstance(text, str))}


def pictures(images: Any) -> list[Part]:
    """What a model drew, beside what it said: OpenRouter's list of pictures, none of Ollama's bare ones."""
    return content_parts([image for image in as_list(images) if not isinstance(image, str)])


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
    "reasoning": _reasoning,
}
