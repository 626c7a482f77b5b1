"""
Where to stand in clients that have no choke point: at their methods, whose keyword arguments are the request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ._adapter import Endpoint, Found, Peer, Seam

__all__ = ["arguments", "methods"]


def arguments(args: tuple[Any, ...], kwargs: Mapping[str, Any], positional: tuple[str, ...] = ()) -> dict[str, Any]:
    """What a method was called with, by name; what stands for "not given" is left out."""
    found = {**dict(zip(positional, args, strict=False)), **kwargs}
    return {key: value for key, value in found.items() if value is not ... and value is not None}


def methods(
    module: str,
    table: Mapping[str, Endpoint],
    peer: Callable[[Any], Peer],
    *,
    positional: tuple[str, ...] = (),
    streams: bool = False,
    given: Callable[[Any], Mapping[str, Any]] = lambda _: {},
    **seam: Any,
) -> Iterator[Seam]:
    """
    A seam for each ``sync method|asynchronous method`` of *table*; either may be empty.

    *streams* says what the names do not: that the methods give a stream.  *given* reads off the object what a call
    need not repeat.  *seam* are `Seam`'s own further fields.
    """
    for names, endpoint in table.items():
        sync, _, asyncio = names.partition("|")

        def recognize(
            client: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], endpoint: Endpoint = endpoint
        ) -> Found:
            body = {**given(client), **arguments(args, kwargs, positional)}
            if streams:
                body["stream"] = True
            return Found(endpoint, body, peer(client))

        yield Seam(module, sync or None, asyncio or None, recognize, **seam)
