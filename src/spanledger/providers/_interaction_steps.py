"""
Steps of Google's interactions API, in the convention's words.

https://ai.google.dev/gemini-api/docs/interactions
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ..model import Message, Part, ToolCall
from ._wire import as_list, fields, media, text_part

__all__ = ["function_call", "read_messages", "step_parts"]

_SAID: Final = ("model_output", "thought", "function_call")


def function_call(step: Mapping[str, Any]) -> ToolCall:
    """The tool call in a step."""
    return ToolCall(step.get("id"), step.get("name"), step.get("arguments") or {})


def step_parts(step: Mapping[str, Any]) -> list[Part]:
    """The parts that one step, or one piece of it, is worth; what we do not know keeps its type and nothing else."""
    kind = str(step.get("type") or "unknown")
    return _STEPS[kind](step) if kind in _STEPS else [{"type": kind}]


def _said(step: Mapping[str, Any]) -> list[Part]:
    content = step.get("content")
    if isinstance(content, str):
        return [text_part(content)]
    return [part for item in as_list(content) for part in step_parts(fields(item))]


def _thoughts(step: Mapping[str, Any]) -> list[Part]:
    texts = [fields(piece).get("text") for piece in as_list(step.get("summary"))]
    return [{"type": "reasoning", "content": text} for text in texts if isinstance(text, str)]


def _media(step: Mapping[str, Any]) -> list[Part]:
    mime = step.get("mime_type")
    content = step.get("data") or step.get("uri")
    return [media(content, str(step.get("type")), mime if isinstance(mime, str) else None)]


_STEPS: Final[Mapping[str, Callable[[Mapping[str, Any]], list[Part]]]] = {
    "model_output": _said,
    "user_input": _said,
    "text": lambda step: [text_part(step.get("text") or "")],
    "thought": _thoughts,
    "function_call": lambda step: [function_call(step).part()],
    "function_result": lambda step: [
        {"type": "tool_call_response", "id": step.get("call_id"), "response": step.get("result")}
    ],
    "image": _media,
    "audio": _media,
    "video": _media,
    "document": _media,
}


def read_messages(body: Any) -> tuple[list[Part], list[Message]]:
    """The system's parts, and a message for each step of the input."""
    body = fields(body)
    body = {**fields(body.get("request")), **body}
    system = body.get("system_instruction")
    messages: list[Message] = []
    for item in as_list(body.get("input")):
        step: Mapping[str, Any] = {"type": "text", "text": item} if isinstance(item, str) else fields(item)
        kind = step.get("type")
        if kind is None and "role" in step:
            step = {"type": "user_input", "content": step.get("content")}
        role = "tool" if kind == "function_result" else "assistant" if kind in _SAID else "user"
        if parts := step_parts(step):
            messages.append({"role": role, "parts": parts})
    return [text_part(system)] if isinstance(system, str) else [], messages
