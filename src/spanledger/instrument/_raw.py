"""
What a client returned, looked at: a stream, a raw response whose body is not here yet, or an answer and nothing else.

A raw response is the user's to read: parsed, or its bytes, text or lines.
"""

from __future__ import annotations

import inspect
from typing import Any, Final

from ..shield import shield
from ._http import body_of, hear_closing
from ._streams import AsyncEntered, AsyncStream, EitherStream, Entered, Listener, Stream, Watched, how_it_ended

__all__ = ["is_raw", "parsed", "plain", "watched"]

_MAX_KINDS: Final = 1024
plain: Final[set[type]] = set()
"""What clients returned that was an answer and nothing else: asking a pydantic class costs much."""


def watched(result: Any, call: Listener) -> Any:
    """*result* behind a proxy when it will be read later, else `None`."""
    kind = type(result)
    if hasattr(kind, "__anext__"):
        hear_closing(result, call)
        return (EitherStream if hasattr(kind, "__next__") else AsyncStream)(result, call)
    if hasattr(kind, "__next__"):
        hear_closing(result, call)
        return Stream(result, call)
    if is_raw(result):
        if call.expects_stream or not result.http_response.is_closed:
            return (AsyncRawResponse if inspect.iscoroutinefunction(kind.parse) else RawResponse)(result, call)
    elif not hasattr(kind, "parse") and len(plain) < _MAX_KINDS:
        plain.add(kind)
    return None


def is_raw(result: Any) -> bool:
    """Whether *result* is a raw response, whose answer comes out of its `parse`."""
    return hasattr(type(result), "parse") and hasattr(result, "http_response")


def parsed(result: Any) -> Any:
    """What is in a raw response whose body is here; `None` for sound and its like."""
    if not inspect.iscoroutinefunction(type(result).parse):
        return result.parse()
    answer = result.http_response  # parsing must be awaited; the JSON itself does as well
    return answer.json() if "json" in answer.headers.get("content-type", "json") else None


class _Raw(Watched):
    """What both kinds of raw responses share: the body, and what parsing it tells."""

    def __init__(self, wrapped: Any, call: Listener) -> None:
        super().__init__(wrapped, call)
        self._self_body = body_of(wrapped.http_response, call)

    def _self_parsing(self) -> None:
        if self._self_body is not None:
            self._self_body.let_go()  # what is parsed is read as what it becomes

    def _self_parsed(self, answer: Any) -> Any:
        self._self_handed_over = True
        call = self._self_call
        with shield("reading a raw response"):
            stream = watched(answer, call)
            if stream is not None:
                return stream
            call.read(answer)
            call.finish_stream("drained")
        return answer

    def _self_failed(self, error: BaseException) -> None:
        if self.__wrapped__.http_response.is_closed:  # else there is an answer still to be read
            self._self_call.finish_stream(how_it_ended(error), error)


class RawResponse(_Raw, Entered):
    """A raw response whose body is not here yet: read when the user reads it."""

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        """Parse the body, and read along."""
        self._self_parsing()
        try:
            answer = self.__wrapped__.parse(*args, **kwargs)
        except BaseException as error:
            self._self_failed(error)
            raise
        return self._self_parsed(answer)


class AsyncRawResponse(_Raw, AsyncEntered):
    """An asynchronous raw response whose body is not here yet."""

    async def parse(self, *args: Any, **kwargs: Any) -> Any:
        """Parse the body, and read along."""
        self._self_parsing()
        try:
            answer = await self.__wrapped__.parse(*args, **kwargs)
        except BaseException as error:
            self._self_failed(error)
            raise
        return self._self_parsed(answer)
