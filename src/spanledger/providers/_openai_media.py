"""
OpenAI's images, audio and moderation: seen as calls, with their tokens where the wire holds any.

https://platform.openai.com/docs/api-reference/images
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .. import semconv
from ..model import Draft, Message, Part, Request, Response, output_message
from ._adapter import Endpoint
from ._content_parts import content_parts
from ._settings import Setting, choices, read_settings
from ._tokens import read_usage
from ._wire import as_list, fields, media, text_of, text_part

__all__ = ["IMAGES", "MODERATIONS", "SPEECH", "TRANSCRIPTIONS", "TRANSLATIONS"]

SETTINGS: Final[Mapping[str, str | Setting]] = {"n": choices, "temperature": semconv.REQUEST_TEMPERATURE}


def _read_request(body: Any) -> Request:
    body = fields(body)
    stream = body.get("stream") in (True, "true")  # some of it is sent as a form
    return Request(model=body.get("model"), stream=stream, settings=read_settings(body, SETTINGS))


def _read_messages(body: Any) -> tuple[list[Part], list[Message]]:
    body = fields(body)
    parts = content_parts(body.get("prompt") or body.get("input"))
    instructions = content_parts(body.get("instructions"))
    return instructions, [{"role": "user", "parts": parts}] if parts else []


def _read_response(answer: Any, content: bool) -> Response:
    found = fields(answer)
    response = Response(id=found.get("id"), model=found.get("model"), usage=read_usage(found.get("usage")))
    if content:
        parts = [_picture(fields(item)) for item in as_list(found.get("data"))]
        if isinstance(text := found.get("text"), str) and text:
            parts.append(text_part(text))
        response.messages = [output_message([part], "stop") for part in parts]
    return response


def _picture(item: Mapping[str, Any]) -> Part:
    if data := item.get("b64_json"):
        return media(data, "image", "image/png")
    return media(item.get("url"), "image")


def _fold(draft: Draft, chunk: Any) -> None:
    event = fields(chunk)
    kind = str(event.get("type"))
    if kind == "transcript.text.delta":
        draft.text(0).append(text_of(event.get("delta")))
    elif kind in ("image_generation.completed", "image_edit.completed") and event.get("b64_json"):
        draft.part(0, kind, media(event["b64_json"], "image", "image/png"))
    if usage := event.get("usage"):
        draft.usage = read_usage(usage)
        draft.finish_reasons.setdefault(0, "stop")


def _endpoint(operation: str, output: str | None = None, *, inference: bool = True) -> Endpoint:
    return Endpoint(
        operation,
        _read_request,
        _read_response,
        _fold,
        _read_messages,
        attributes={semconv.OUTPUT_TYPE: output} if output else {},
        inference=inference,
    )


IMAGES: Final = _endpoint("image_generation", "image")
SPEECH: Final = _endpoint("speech", "speech")
TRANSCRIPTIONS: Final = _endpoint("transcription", "text")
TRANSLATIONS: Final = _endpoint("translation", "text")
MODERATIONS: Final = _endpoint("moderation", inference=False)
