"""How a program may call a client: at once or awaited, and the ways in which a stream may end."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any


def run(value: Any) -> Any:
    """The value, or what the coroutine gives."""

    async def waited() -> Any:
        return await value

    return asyncio.run(waited()) if inspect.isawaitable(value) else value


async def opened(stream: Any) -> Any:
    """The stream, which some clients give at once and some when it is awaited."""
    return await stream if inspect.isawaitable(stream) else stream


def drain(make: Any, *, stop: int | None = None, each: Any = lambda: None) -> list[Any]:
    """Read what *make* gives, of either kind, to its end or until *stop* chunks are here; call *each* at every one."""
    stream, read = make(), []
    if not inspect.isawaitable(stream) and not hasattr(stream, "__anext__") and not hasattr(stream, "__aiter__"):
        for chunk in stream:
            read.append(chunk)
            each()
            if stop is not None and len(read) >= stop:
                break
        return read

    async def asynchronously() -> list[Any]:
        async for chunk in await opened(stream):
            read.append(chunk)
            each()
            if stop is not None and len(read) >= stop:
                break
        return read

    return asyncio.run(asynchronously())


def only(spans: Any) -> Any:
    """The one span that is ours."""
    (span,) = [span for span in spans() if span.instrumentation_scope.name == "spanledger"]
    return span
