"""
Proxies that look like the streams that clients return, and read along, in sync and async form.

A chunk is read before it is handed on, while it is still in the processor's cache, and not kept; every read of the
stream runs in the call's context and gives it back; the end is told once, whichever way it comes.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Protocol

import wrapt
from opentelemetry.context import Context, attach, detach, get_current

from .. import runs
from ..outcomes import is_cancelled
from ..shield import report
from ._apart import Apart
from ._retries import Retried

__all__ = [
    "Along", "AsyncEntered", "AsyncStream", "EitherStream", "Entered", "Listener", "Proxy", "Stream", "Watched",
    "how_it_ended",
]  # fmt: skip

if TYPE_CHECKING:
    Proxy = wrapt.ObjectProxy[Any]
else:
    Proxy = wrapt.ObjectProxy


class Listener(Protocol):
    """The call that a stream belongs to."""

    @property
    def context(self) -> Context: ...
    @property
    def expects_stream(self) -> bool: ...
    @property
    def retried(self) -> Retried: ...

    def reader(self) -> Callable[[Any], object]: ...
    def started_streaming(self) -> None: ...
    def read(self, result: Any) -> None: ...
    def finish_stream(self, how: str, error: BaseException | None = None) -> None: ...


def how_it_ended(error: BaseException) -> str:
    return "cancelled" if is_cancelled(error) else "error"


async def _undisturbed(done: Awaitable[Any]) -> Any:
    """Await *done* and leave the context as it is here."""
    previous = get_current()
    try:
        return await done
    finally:
        runs.attach(previous)


class Watched(Proxy):
    """What both kinds share: the call, and the end that comes when nobody holds the proxy any more."""

    def __init__(self, wrapped: Any, call: Listener) -> None:
        super().__init__(wrapped)
        self._self_call = call
        self._self_handed_over = False

    def __del__(self) -> None:
        call = getattr(self, "_self_call", None)
        if call is not None and not self._self_handed_over:
            call.finish_stream("abandoned")

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.__wrapped__, name)
        if name not in ("close", "aclose"):
            return found

        def closing(*args: Any, **kwargs: Any) -> Any:
            self._self_call.finish_stream("closed")
            previous = get_current()
            try:
                done = found(*args, **kwargs)
            finally:  # a generator may go back to the context that it was first read in
                runs.attach(previous)
            return _undisturbed(done) if inspect.isawaitable(done) else done

        return functools.wraps(found)(closing)


class Entered(Watched):
    """What is read in a ``with`` block, which ends the call."""

    def __enter__(self) -> Any:
        self.__wrapped__.__enter__()
        return self

    def __exit__(self, *exc: object) -> Any:
        self._self_call.finish_stream("closed")
        return self.__wrapped__.__exit__(*exc)


class AsyncEntered(Watched):
    """What is read in an ``async with`` block, which ends the call."""

    async def __aenter__(self) -> Any:
        await self.__wrapped__.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> Any:
        self._self_call.finish_stream("closed")
        return await self.__wrapped__.__aexit__(*exc)


class Along:
    """Reads a stream along.  A plain object: one look at an attribute of a proxy costs as much as ten of its own."""

    __slots__ = ("_more", "call", "context", "read")

    def __init__(self, call: Listener, more: Callable[[], Awaitable[Any]] | None = None) -> None:
        self._more: Any = more
        self.call = call
        self.context = call.context
        self.read: Callable[[Any], object] | None = None

    def began(self) -> Callable[[Any], object]:
        """What reads the chunks, from the first one on."""
        if self.read is None:
            self.call.started_streaming()
            self.read = self.call.reader()
        return self.read

    def took(self, chunk: Any) -> Any:
        """Read *chunk* and give it back."""
        try:
            (self.read or self.began())(chunk)
        except Exception as error:  # noqa: BLE001 - the user gets the chunk that the client returned
            report("reading a stream", error)
        return chunk

    def failed(self, error: BaseException, apart: Apart) -> None:
        """A read failed; or the loop was left, and the stream itself may be read on."""
        if not isinstance(error, GeneratorExit):
            apart.lead()
            self.call.finish_stream(how_it_ended(error), error)

    async def next(self, holder: Any) -> Any:  # noqa: ARG002 - it is not let go of while we read
        """The next chunk of an asynchronous stream, whose proxy is *holder*."""
        previous = runs.attach(self.context)
        elsewhere = False
        try:
            chunk = await self._more()
        except StopAsyncIteration:
            self.call.finish_stream("drained")
            raise
        except BaseException as error:
            elsewhere = isinstance(error, GeneratorExit)  # closed by whom nobody knows
            self.call.finish_stream(how_it_ended(error), error)
            raise
        finally:
            if elsewhere:
                runs.restore(self.context, previous)
            else:  # a generator may have left a context of its own on top of ours
                runs.attach(previous)
        return self.took(chunk)


class Stream(Entered):
    """A stream that is read along."""

    def __init__(self, wrapped: Any, call: Listener) -> None:
        super().__init__(wrapped, call)
        self._self_along = Along(call)

    def __iter__(self) -> Iterator[Any]:
        # a read costs next to nothing: it runs in a context made once, and two glances tell that it is up to date
        along = self._self_along
        apart, read = Apart(along.context), along.read
        mine, theirs, seen = apart.mine, apart.theirs, apart.seen
        stream, run = iter(self.__wrapped__), mine.run
        try:
            while True:
                try:
                    same = copy_context() == theirs
                except Exception:  # noqa: BLE001 - values that can't be compared
                    same = False
                if not same:
                    mine, theirs, seen = apart.follow()
                    run = mine.run
                chunk = run(next, stream)
                try:
                    same = mine == seen
                except Exception:  # noqa: BLE001 - values that can't be compared
                    same = False
                if not same:
                    mine, theirs, seen = apart.lead()
                if read is None:
                    read = along.began()
                try:
                    read(chunk)
                except Exception as error:  # noqa: BLE001 - the user gets the chunk that the client returned
                    report("reading a stream", error)
                yield chunk
        except StopIteration:
            apart.lead()
            along.call.finish_stream("drained")
        except BaseException as error:
            along.failed(error, apart)
            raise

    def __next__(self) -> Any:
        token = attach(self._self_call.context)
        try:
            chunk = next(self.__wrapped__)
        except StopIteration:
            self._self_call.finish_stream("drained")
            raise
        except BaseException as error:
            self._self_call.finish_stream(how_it_ended(error), error)
            raise
        finally:
            detach(token)
        return self._self_along.took(chunk)


class AsyncStream(AsyncEntered):
    """An asynchronous stream that is read along."""

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    def __init__(self, wrapped: Any, call: Listener, read: Any = None) -> None:
        Watched.__init__(self, wrapped, call)
        self._self_along = Along(call, read or wrapped.__anext__)

    def __anext__(self) -> Awaitable[Any]:
        return self._self_along.next(self)


class EitherStream(AsyncStream, Stream):
    """A stream that can be read in both ways; it is read in one."""
