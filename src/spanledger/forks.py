"""
What a fork must not cut in two.

A child has one thread: what another thread of the parent was in the middle of stays as it is in the child.  A module
that was being imported is half a module there for ever, and whoever imports it waits for a thread that does not exist.
So our threads load what they need inside `undivided`, and a fork waits for the end of it.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import Final

__all__ = ["undivided"]

SECONDS: Final = 5.0
"""How long a fork waits at most."""

_lock = threading.RLock()


@contextlib.contextmanager
def undivided() -> Iterator[None]:
    """Let no fork happen inside, and no other thread be inside at the same time."""
    with _lock:
        yield


def _hold() -> None:
    _lock.acquire(timeout=SECONDS)


def _let_go() -> None:
    with contextlib.suppress(RuntimeError):  # it took too long to get hold of
        _lock.release()


def _begin_anew() -> None:
    global _lock  # noqa: PLW0603 - somebody in the parent may have held it all the same
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_hold, after_in_parent=_let_go, after_in_child=_begin_anew)
