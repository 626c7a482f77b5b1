"""
What a fork must not cut in two.

A child has one thread: what another thread of the parent was in the middle of stays as it is in the child.  A module
that was being imported is half a module there for ever, and whoever imports it waits for a thread that does not exist.
So our threads load what they need inside `undivided`, and a fork waits for the end of it.

SQLite keeps what it locked in the memory of the process, so a child inherits locks that nobody gives back, and finds
the database busy for ever (https://www.sqlite.org/howtocorrupt.html, 2.6).  So databases are closed around a fork.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import Final, Protocol
from weakref import WeakSet

from .shield import shield

__all__ = ["Holder", "closes", "undivided"]

SECONDS: Final = 5.0
"""How long a fork waits at most."""

_lock = threading.RLock()


class Holder(Protocol):
    """Somebody who has a database open."""

    lock: threading.RLock
    """Held while it is used."""

    def close(self) -> None:
        """Close it; it is opened again when it is needed."""


_holders: WeakSet[Holder] = WeakSet()
_held: list[threading.RLock] = []


def closes(holder: Holder) -> None:
    """Have *holder* close its database around each fork."""
    _holders.add(holder)


@contextlib.contextmanager
def undivided() -> Iterator[None]:
    """Let no fork happen inside, and no other thread be inside at the same time; take no lock inside."""
    with _lock:
        yield


def _take(lock: threading.RLock) -> bool:
    taken = lock.acquire(timeout=SECONDS)
    if taken:
        _held.append(lock)
    return taken


def _before() -> None:
    _take(_lock)
    for holder in list(_holders):
        if _take(holder.lock):
            with shield("closing a database before a fork"):
                holder.close()


def _in_parent() -> None:
    while _held:
        _held.pop().release()


def _in_child() -> None:
    global _lock  # noqa: PLW0603 - somebody in the parent may have held it all the same
    _lock = threading.RLock()
    _held.clear()
    for holder in list(_holders):
        holder.lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
