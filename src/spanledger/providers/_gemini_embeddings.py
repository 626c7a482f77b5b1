"""
What Google's embedding and image models are asked, and what they give.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .. import semconv
from ..model import Message, Part, Request, Response, Usage
from ._adapter import Endpoint
from ._gemini_contents import content_parts
from ._gemini_usage import read_usage
from ._generate_content import read_request
from ._settings import Setting, plain, read_settings
from ._wire import as_list, count, fields, text_part

__all__ = ["EMBED", "IMAGES", "read_nothing"]


def _read_embed_request(body: Any) -> Request:
    body = fields(body)
    first = fields(next(iter(as_list(body.get("requests"))), None))
    said = {**fields(body.get("parameters")), **first, **body}
    return Request(model=body.get("model"), settings=read_settings(said, _EMBED_SETTINGS))


_EMBED_SETTINGS: Final[Mapping[str, str | Setting]] = {
    "outputDimensionality": semconv.EMBEDDING_DIMENSIONS,
    "embedContentConfig": plain(semconv.EMBEDDING_DIMENSIONS, "outputDimensionality"),
}


def _read_embed_messages(body: Any) -> tuple[list[Part], list[Message]]:
    body = fields(body)
    asked = as_list(body.get("requests")) or as_list(body.get("instances")) or [body]
    contents = [content_parts(fields(one).get("content")) for one in asked]
    return [], [{"role": "user", "parts": parts} for parts in contents if parts]


def _read_embed_response(answer: Any, content: bool) -> Response:  # noqa: ARG001
    found = fields(answer)
    response = Response(usage=read_usage(found.get("usageMetadata")))
    vectors = [fields(one) for one in as_list(found.get("embeddings")) or as_list(found.get("embedding"))]
    for prediction in as_list(found.get("predictions")):  # Vertex
        vectors.append(vector := fields(fields(prediction).get("embeddings")))
        if (tokens := count(fields(vector.get("statistics")).get("token_count"))) is not None:
            response.usage = Usage((response.usage.uncached or 0) + tokens)
    values = vectors[0].get("values") if vectors else None
    if isinstance(values, list):
        response.extra[semconv.EMBEDDING_DIMENSIONS] = len(values)
    return response


def read_nothing(answer: Any, content: bool) -> Response:  # noqa: ARG001
    return Response()


def _read_images(body: Any) -> tuple[list[Part], list[Message]]:
    prompts = [fields(one).get("prompt") for one in as_list(fields(body).get("instances"))]
    return [], [{"role": "user", "parts": [text_part(prompt)]} for prompt in prompts if isinstance(prompt, str)]


EMBED: Final = Endpoint("embeddings", _read_embed_request, _read_embed_response, read_messages=_read_embed_messages)
IMAGES: Final = Endpoint(
    "image_generation",
    read_request,
    read_nothing,
    read_messages=_read_images,
    attributes={semconv.OUTPUT_TYPE: "image"},
)
