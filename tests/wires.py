"""Transports that answer from a list, for clients on whichever HTTP library they stand."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any


def library_of(module: str) -> Any:
    """The HTTP library that the client's *module* stands on: httpx2, or httpx."""
    found = importlib.import_module(module)
    return getattr(found, "httpx2", None) or found.httpx


httpx = library_of("openai._base_client")
"""The one that answers are written in; what others stand on is bridged."""


class Pieces(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that arrives in *pieces*, and then fails when *error* is given."""

    def __init__(self, pieces: list[bytes], error: Exception | None = None) -> None:
        self._pieces, self._error = pieces, error

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces
        if self._error is not None:
            raise self._error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece
        if self._error is not None:
            raise self._error


@dataclass
class Answers:
    """A transport's script: each request takes the next answer."""

    queue: list[Any] = field(default_factory=list)
    requests: list[Any] = field(default_factory=list)

    def __call__(self, request: Any) -> Any:
        self.requests.append(request)
        answer = self.queue.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return answer
        if isinstance(answer, tuple):
            status, body = answer
            return httpx.Response(status, json=body)
        if isinstance(answer, list):
            answer = Pieces(answer)
        if isinstance(answer, bytes):
            kind = "audio/wav" if answer.startswith(b"RIFF") else "application/json"
            return httpx.Response(200, content=answer, headers={"content-type": kind})
        if isinstance(answer, Pieces):
            return httpx.Response(200, stream=answer, headers={"content-type": "text/event-stream"})
        return httpx.Response(200, json=answer)

    async def asyncio(self, request: Any) -> Any:
        return self(request)


def transports(answers: Any, library: Any) -> tuple[Any, Any]:
    """Transports for a client that stands on *library*, whatever ours is."""

    @contextlib.contextmanager
    def in_its_words() -> Iterator[None]:
        try:
            yield
        except httpx.TransportError as error:
            raise getattr(library, type(error).__name__)(str(error)) from None

    class Bridge(library.SyncByteStream, library.AsyncByteStream):
        def __init__(self, stream: Any) -> None:
            self._stream = stream

        def __iter__(self) -> Iterator[bytes]:
            with in_its_words():
                yield from self._stream

        async def __aiter__(self) -> AsyncIterator[bytes]:
            with in_its_words():
                async for piece in self._stream:
                    yield piece

    def bridged(said: Any) -> Any:
        headers = [pair for pair in said.headers.multi_items() if pair[0] != "content-length"]
        return library.Response(said.status_code, headers=headers, stream=Bridge(said.stream))

    def answer(request: Any) -> Any:
        with in_its_words():
            return bridged(answers(request))

    async def answer_later(request: Any) -> Any:
        with in_its_words():
            return bridged(await answers.asyncio(request))

    if library is httpx:
        return library.MockTransport(answers), library.MockTransport(answers.asyncio)
    return library.MockTransport(answer), library.MockTransport(answer_later)


def http_client(answers: Any, library: Any, asynchronous: bool, **more: Any) -> Any:
    sync, asyn = transports(answers, library)
    return library.AsyncClient(transport=asyn, **more) if asynchronous else library.Client(transport=sync, **more)
