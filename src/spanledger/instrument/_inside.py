"""
What is read later and is not the result itself: a stream or a body inside it, or a manager that gives it when entered.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, TypeAlias

from .. import runs
from ..shield import shield
from ._http import MAX_BODY
from ._streams import AsyncStream, Listener, Stream, Watched, how_it_ended

__all__ = ["watched_inside"]

Inside: TypeAlias = Callable[[Any], "tuple[Any, str] | None"]


def watched_inside(result: Any, call: Listener, inside: Inside) -> Any:
    """*result* with something in it that reads along, or *result* as a manager that will; `None` if it is all here."""
    kind = type(result)
    if hasattr(kind, "__enter__"):
        return Manager(result, call, inside)
    if hasattr(kind, "__aenter__"):
        return AsyncManager(result, call, inside)
    found = inside(result)
    if found is None:
        return None
    holder, key = found
    value = holder[key]
    kind = type(value)
    if hasattr(kind, "read"):
        proxy = AsyncBody if hasattr(kind, "__aiter__") else Body
        holder[key] = proxy(value, call, lambda data: {**holder, key: data})
    else:
        holder[key] = (
            AsyncStream(value, call, value.__aiter__().__anext__) if hasattr(kind, "__aiter__") else Stream(value, call)
        )
    return result


class _Read(Watched):
    """What both kinds of bodies share: the bytes so far, and the end."""

    def __init__(self, wrapped: Any, call: Listener, whole: Callable[[bytes], Any]) -> None:
        super().__init__(wrapped, call)
        self._self_whole = whole
        self._self_data = bytearray()

    def _self_got(self, data: bytes, *, last: bool) -> None:
        if len(self._self_data) <= MAX_BODY:
            self._self_data += data
        if last:
            self._self_end("drained")

    def _self_end(self, how: str, error: BaseException | None = None) -> None:
        if not self._self_handed_over:
            self._self_handed_over = True
            with shield("reading a body"):
                self._self_call.read(self._self_whole(bytes(self._self_data) if how == "drained" else b""))
            self._self_call.finish_stream(how, error)

    def __del__(self) -> None:
        if hasattr(self, "_self_data"):
            self._self_end("abandoned")

    def close(self) -> Any:
        """Close the body, which ends the call."""
        self._self_end("closed")
        return self.__wrapped__.close()

    def aclose(self) -> Any:
        """Close the body, which ends the call; where the client has it."""
        self._self_end("closed")
        return self.__wrapped__.aclose()


def _is_last(data: bytes, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    amount = args[0] if args else next(iter(kwargs.values()), None)
    return amount is None or amount < 0 or (not data and amount > 0)


class Body(_Read):
    """A body that is read along: the client's own ways to read it, all of which come down to `read`."""

    def read(self, *args: Any, **kwargs: Any) -> Any:
        """Read from the body."""
        try:
            data = self.__wrapped__.read(*args, **kwargs)
        except BaseException as error:
            self._self_end(how_it_ended(error), error)
            raise
        self._self_got(data, last=_is_last(data, args, kwargs))
        return data

    def readinto(self, buffer: Any) -> Any:
        """Read from the body into *buffer*."""
        try:
            size = self.__wrapped__.readinto(buffer)
        except BaseException as error:
            self._self_end(how_it_ended(error), error)
            raise
        self._self_got(bytes(memoryview(buffer)[:size]), last=size == 0 and len(buffer) > 0)
        return size

    def readlines(self) -> Any:
        """Read the lines of the body."""
        lines = self.__wrapped__.readlines()
        self._self_got(b"".join(lines), last=True)
        return lines

    def iter_chunks(self, *args: Any, **kwargs: Any) -> Iterator[bytes]:
        """Read the body piece by piece."""
        chunks: Iterator[bytes] = type(self.__wrapped__).iter_chunks(self, *args, **kwargs)
        return chunks

    def iter_lines(self, *args: Any, **kwargs: Any) -> Iterator[bytes]:
        """Read the body line by line."""
        lines: Iterator[bytes] = type(self.__wrapped__).iter_lines(self, *args, **kwargs)
        return lines

    def __iter__(self) -> Iterator[bytes]:
        return self.iter_chunks()

    def __next__(self) -> bytes:
        chunk: bytes = type(self.__wrapped__).__next__(self)
        return chunk

    next = __next__

    def __exit__(self, *exc: object) -> Any:
        self._self_end("closed")
        return self.__wrapped__.__exit__(*exc)


class AsyncBody(_Read):
    """An asynchronous body that is read along."""

    async def read(self, *args: Any, **kwargs: Any) -> Any:
        """Read from the body."""
        try:
            data = await self.__wrapped__.read(*args, **kwargs)
        except BaseException as error:
            self._self_end(how_it_ended(error), error)
            raise
        self._self_got(data, last=_is_last(data, args, kwargs))
        return data

    def iter_chunks(self, *args: Any, **kwargs: Any) -> AsyncIterator[bytes]:
        """Read the body piece by piece."""
        chunks: AsyncIterator[bytes] = type(self.__wrapped__).iter_chunks(self, *args, **kwargs)
        return chunks

    def iter_lines(self, *args: Any, **kwargs: Any) -> AsyncIterator[bytes]:
        """Read the body line by line."""
        lines: AsyncIterator[bytes] = type(self.__wrapped__).iter_lines(self, *args, **kwargs)
        return lines

    def readlines(self) -> Any:
        """Read the lines of the body."""
        return type(self.__wrapped__).readlines(self)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.iter_chunks()

    async def __anext__(self) -> bytes:
        chunk: bytes = await type(self.__wrapped__).__anext__(self)
        return chunk

    async def __aenter__(self) -> Any:
        await self.__wrapped__.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> Any:
        self._self_end("closed")
        return await self.__wrapped__.__aexit__(*exc)


class Manager(Watched):
    """What gives the result when it is entered; the call is made then."""

    def __init__(self, wrapped: Any, call: Listener, inside: Inside) -> None:
        super().__init__(wrapped, call)
        self._self_inside = inside
        self._self_end = "closed"

    def enter(self) -> Any:
        """Enter without a block; where the client has it."""
        return self.__enter__()

    def __enter__(self) -> Any:
        call = self._self_call
        previous = runs.attach(call.context)
        try:
            result = self.__wrapped__.__enter__()
        except BaseException as error:
            call.finish_stream(how_it_ended(error), error)
            raise
        finally:
            runs.restore(call.context, previous)
        with shield("reading a response"):
            if watched_inside(result, call, self._self_inside) is None:
                self._self_end = "drained"  # nothing in it ends before it does: a connection
        return result

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> Any:
        self._self_call.finish_stream("abandoned" if kind is GeneratorExit else self._self_end)
        return self.__wrapped__.__exit__(kind, *exc)


class AsyncManager(Watched):
    """An asynchronous manager that gives the result when it is entered."""

    def __init__(self, wrapped: Any, call: Listener, inside: Inside) -> None:
        super().__init__(wrapped, call)
        self._self_inside = inside
        self._self_end = "closed"

    async def enter(self) -> Any:
        """Enter without a block; where the client has it."""
        return await self.__aenter__()

    async def __aenter__(self) -> Any:
        call = self._self_call
        previous = runs.attach(call.context)
        try:
            result = await self.__wrapped__.__aenter__()
        except BaseException as error:
            call.finish_stream(how_it_ended(error), error)
            raise
        finally:
            runs.restore(call.context, previous)
        with shield("reading a response"):
            if watched_inside(result, call, self._self_inside) is None:
                self._self_end = "drained"  # nothing in it ends before it does: a connection
        return result

    async def __aexit__(self, kind: type[BaseException] | None, *exc: object) -> Any:
        self._self_call.finish_stream("abandoned" if kind is GeneratorExit else self._self_end)
        return await self.__wrapped__.__aexit__(kind, *exc)
