"""
Calls of which only the fact, the model and at best the tokens are read: rerank, images, speech, batches and their like.

They cost money, so they are seen; what they cost is not known here.
"""

from __future__ import annotations

from typing import Any

from .. import semconv
from ..model import Draft, Request, Response
from ._adapter import Endpoint
from ._tokens import read_usage
from ._wire import error_name, fields

__all__ = ["plain_call"]


def _read_request(body: Any) -> Request:
    found = fields(body)
    model = found.get("model")
    return Request(model=model if isinstance(model, str) else None, stream=found.get("stream") is True)


def _read_response(answer: Any, content: bool) -> Response:  # noqa: ARG001
    found = fields(answer)
    identity, model = found.get("id"), found.get("model")
    response = Response(usage=read_usage(found.get("usage")))
    response.id = identity if isinstance(identity, str) else None
    response.model = model if isinstance(model, str) else None
    if error := found.get("error"):
        response.error = error_name(error)
    return response


def _fold(draft: Draft, chunk: Any) -> None:
    if (usage := read_usage(fields(chunk).get("usage"))).known:
        draft.usage = usage


def plain_call(operation: str, output: str | None = None, *, inference: bool = True) -> Endpoint:
    """An endpoint of which little is read; *output* is the convention's output type, where it is not text."""
    attributes = {semconv.OUTPUT_TYPE: output} if output else {}
    return Endpoint(operation, _read_request, _read_response, _fold, attributes=attributes, inference=inference)
