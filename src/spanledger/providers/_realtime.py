"""
Connections that stay open, speech mostly: one call from the handshake to the end, of which no tokens are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from ._adapter import Peer, Seam
from ._methods import methods
from ._plain_calls import plain_call

__all__ = ["connections"]

_REALTIME: Final = plain_call("realtime")


def connections(module: str, names: str, peer: Callable[[Any], Peer]) -> Iterator[Seam]:
    """Seams at methods that give a manager, also for asynchronous use, in which the connection is open."""
    for name in names.split():
        yield from methods(module, {f"{name}|": _REALTIME}, peer, inside=lambda _: None, optional=True)
