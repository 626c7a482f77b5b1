"""
The ``/embeddings`` wire shape.

https://platform.openai.com/docs/api-reference/embeddings
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .. import semconv
from ..model import Message, Part, Request, Response
from ._adapter import Endpoint
from ._content_parts import read_prompt
from ._settings import Setting, read_settings
from ._tokens import read_usage
from ._wire import as_list, count, fields

__all__ = ["EMBEDDINGS"]


def _formats(found: dict[str, Any], value: Any) -> None:
    found[semconv.REQUEST_ENCODING_FORMATS] = [str(value)]


SETTINGS: Final[Mapping[str, str | Setting]] = {
    "dimensions": semconv.EMBEDDING_DIMENSIONS,
    "encoding_format": _formats,
}


def _read_request(body: Any) -> Request:
    body = fields(body)
    return Request(model=body.get("model"), settings=read_settings(body, SETTINGS))


def _read_messages(body: Any) -> tuple[list[Part], list[Message]]:
    texts = read_prompt(fields(body).get("input"))
    return [], [{"role": "user", "parts": [text]} for text in texts]


def _read_response(answer: Any, content: bool) -> Response:  # noqa: ARG001
    found = fields(answer)
    response = Response(id=found.get("id"), model=found.get("model"), usage=read_usage(found.get("usage")))
    if not response.usage.known:  # Voyage says the total only, and here all of it is input
        response.usage.uncached = count(fields(found.get("usage")).get("total_tokens"))
    first = next(iter(as_list(found.get("data"))), None)
    if dimensions := _dimensions(fields(first).get("embedding")):
        response.extra[semconv.EMBEDDING_DIMENSIONS] = dimensions
    return response


def _dimensions(vector: Any) -> int | None:
    if isinstance(vector, str):  # base64 of 32-bit floats
        return (len(vector) * 3 // 4 - vector[-2:].count("=")) // 4
    return len(vector) if isinstance(vector, (list, tuple)) else None


EMBEDDINGS: Final = Endpoint("embeddings", _read_request, _read_response, read_messages=_read_messages)
