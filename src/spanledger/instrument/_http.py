"""
What becomes of an HTTP response past the client that gave it: the user reads its body, a helper closes it.

Both are heard on the one object, not on its class.  Nothing is read that nobody reads, pieces are handed on as they
come, and whoever held the response before holds it alone.
"""

from __future__ import annotations

import json
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, Final

from .. import runs
from ..shield import shield
from ._streams import Along, Listener, Proxy, how_it_ended

__all__ = ["MAX_BODY", "Body", "body_of", "hear_closing"]

MAX_BODY: Final = 16 * 1024 * 1024
"""The longest body, or event of one, in bytes, that is kept to be read; a longer one is only timed."""


def is_http(response: Any) -> bool:
    """Whether *response* is one of httpx's, of whichever generation."""
    return hasattr(response, "is_stream_consumed")


def hear_closing(result: Any, call: Listener) -> None:
    """End the *call* when the response under the stream *result* is closed by something else than a read of it."""
    response: Any = getattr(result, "__dict__", {}).get("response")
    if is_http(response):
        response.stream = _Source(response.stream, call)


class _Source(Proxy):
    """Where a response's bytes come from, which it closes once."""

    def __init__(self, wrapped: Any, call: Listener) -> None:
        super().__init__(wrapped)
        self._self_call = call

    def __aiter__(self) -> AsyncIterator[bytes]:
        pieces: AsyncIterator[bytes] = self.__wrapped__.__aiter__()
        return pieces

    def close(self) -> Any:
        """Close it."""
        self._self_told()
        return self.__wrapped__.close()

    def aclose(self) -> Any:
        """Close it; where it is asynchronous."""
        self._self_told()
        return self.__wrapped__.aclose()

    def _self_told(self) -> None:
        call = self._self_call
        if runs.attempts() is not call.retried:  # else a read of ours is going on, which tells the end itself
            call.finish_stream("closed")


def body_of(response: Any, call: Listener) -> Body | None:
    """What hears the user read the body of *response*; `None` where there is nothing to hear."""
    return Body(response, call) if is_http(response) else None


class Body:
    """A body that the user reads, in whichever way: they all come down to the pieces of `iter_bytes`."""

    def __init__(self, response: Any, call: Listener) -> None:
        said = response.headers.get("content-type") or ("event-stream" if call.expects_stream else "json")
        self._call = call
        self._reads: Callable[[bytes], object] | None = None
        self._kept = bytearray()
        self._whole = "json" in said
        if self._whole:
            self._reads = self._keep
        elif "event-stream" in said:
            self._reads = Events(Along(call).took).feed
        self._response = weakref.ref(response)  # or it would be garbage only when somebody looks for cycles
        response.iter_bytes = partial(self._read, Pieces, "iter_bytes")
        response.aiter_bytes = partial(self._read, AsyncPieces, "aiter_bytes")

    def _read(self, proxy: Callable[..., Any], name: str, *args: Any, **kwargs: Any) -> Any:
        response: Any = self._response()
        return proxy(getattr(type(response), name)(response, *args, **kwargs), self)

    def _keep(self, data: bytes) -> None:
        self._kept += data
        if len(self._kept) > MAX_BODY:
            self._reads = None
            self._kept.clear()

    def got(self, data: bytes) -> None:
        """Read a piece, which the user is about to get."""
        if self._reads is not None:
            with shield("reading a body"):
                self._reads(data)

    def __enter__(self) -> None:
        """A piece is asked for."""

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, (StopIteration, StopAsyncIteration)):
            self.end("drained")
        elif error is not None:
            self.end(how_it_ended(error), error)

    def end(self, how: str, error: BaseException | None = None) -> None:
        """Nothing more is to come."""
        self.let_go()
        if how == "drained" and self._reads is not None:
            with shield("reading a body"):
                if not self._whole:
                    self._reads(b"\n\n")
                else:
                    with suppress(ValueError):  # no JSON: the user will see it
                        self._call.read(json.loads(self._kept))
        self._reads = None
        self._kept.clear()
        self._call.finish_stream(how, error)

    def let_go(self) -> None:
        """Hear no more reading that begins now."""
        if (response := self._response()) is not None:
            vars(response).pop("iter_bytes", None)
            vars(response).pop("aiter_bytes", None)


class Pieces(Proxy):
    """The pieces of a body as the user reads them."""

    def __init__(self, wrapped: Any, body: Body) -> None:
        super().__init__(wrapped)
        self._self_body = body

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        with self._self_body:
            piece: bytes = next(self.__wrapped__)
        self._self_body.got(piece)
        return piece


class AsyncPieces(Proxy):
    """The pieces of a body as the user reads them, asynchronously."""

    def __init__(self, wrapped: Any, body: Body) -> None:
        super().__init__(wrapped)
        self._self_body = body

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        with self._self_body:
            piece: bytes = await self.__wrapped__.__anext__()
        self._self_body.got(piece)
        return piece


class Events:
    """
    Server-sent events out of pieces of a body, whose JSON *read* gets.

    https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
    """

    def __init__(self, read: Callable[[Any], object]) -> None:
        self._read = read
        self._line = bytearray()  # the beginning of one
        self._data = bytearray()

    def feed(self, piece: bytes) -> None:
        """Read the events that end in *piece*."""
        ends = max(piece.rfind(b"\n"), piece.rfind(b"\r", 0, -1)) + 1  # a last "\r" may be half of a line's end
        if ends:
            self._line += piece[:ends]
            lines = self._line.splitlines()
            self._line.clear()
            for line in lines:
                self._take(bytes(line))
        if len(self._line) <= MAX_BODY:
            self._line += piece[ends:]

    def _take(self, line: bytes) -> None:
        if line.startswith(b"data:"):
            if len(self._data) <= MAX_BODY:
                self._data += line[5:] + b"\n"
        elif not line and self._data:
            event = None
            with suppress(ValueError):  # "[DONE]" and its like
                event = json.loads(self._data)
            self._data.clear()
            if event is not None:
                self._read(event)
