"""Data that is nearly right: one value at a time replaced by something that does not belong there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from spanledger.model import Draft, Response
from spanledger.providers import Endpoint

ODD = (None, True, 7, 0.5, "x", b"x", [], {}, [None], [7], ["x"], [[]], [{}], {"x": 1}, {"x": {}}, object())


def broken(data: Any) -> Iterator[Any]:
    """Every copy of *data* with one value, at any depth, replaced."""
    yield from ODD
    if isinstance(data, dict):
        for key, value in data.items():
            for odd in broken(value):
                yield {**data, key: odd}
    elif isinstance(data, list):
        for index, value in enumerate(data):
            for odd in broken(value):
                yield [*data[:index], odd, *data[index + 1 :]]


def as_object(kind: Any, data: Any) -> Any:
    """*data* as a client's object; a version of the client that does not know it yet is left out."""
    try:
        return kind.validate_python(data) if hasattr(kind, "validate_python") else kind.model_validate(data)
    except ValueError:
        pytest.skip("this version of the client does not know this answer")


def read_everything(endpoint: Endpoint, data: Any) -> None:
    """Read *data* as request, answer and stream; raises if a reader does."""
    endpoint.read_request(data)
    endpoint.read_messages(data)
    endpoint.read_tools(data)
    endpoint.read_response(data, True)
    streamed(endpoint, data if isinstance(data, list) else [data, data])


def streamed(endpoint: Endpoint, chunks: Iterable[Any]) -> Response:
    """What *endpoint* reads out of a stream of *chunks*."""
    draft = Draft()
    for chunk in chunks:
        endpoint.fold(draft, chunk)
    return draft.build()
