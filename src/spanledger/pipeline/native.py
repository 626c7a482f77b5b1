"""
Which threads are inside of RE2, and which may not enter it any more.

An interpreter that ends takes its daemon threads down where they ask for its lock.  One that is in C++ at that moment
can't unwind: the process aborts, with another exit status than the program's.  So an exit that has no time left keeps
the thread that it waits for no longer out of there.
"""

from __future__ import annotations

import time
from threading import get_ident
from typing import Final

__all__ = ["WATCHED", "admit", "bar", "enter", "forget", "is_inside", "leave", "watch"]

_POLL: Final = 0.002
_inside: Final[set[int]] = set()
_barred: Final[set[int]] = set()
WATCHED: Final[set[int]] = set()
"""The threads that may be barred: only they need to say where they are."""


def watch(thread: int) -> None:
    """From now on until it is admitted *thread* may be barred."""
    WATCHED.add(thread)


def enter() -> int:
    """Say that this thread goes into C++; gives back what `leave` wants, ends a thread that was barred."""
    me = get_ident()
    _inside.add(me)
    if me in _barred:
        _inside.discard(me)
        raise SystemExit
    return me


def is_inside(thread: int) -> bool:
    """Whether *thread* said so, and not yet that it came out."""
    return thread in _inside


def leave(thread: int) -> None:
    """Say that *thread* came out again."""
    _inside.discard(thread)


def bar(thread: int, seconds: float) -> None:
    """Let *thread* go in no more; waits *seconds* at most until it is out."""
    _barred.add(thread)
    until = time.monotonic() + seconds
    while thread in _inside and time.monotonic() < until:
        time.sleep(_POLL)


def admit(thread: int) -> None:
    """It may go in again: whoever barred it is done with it, and ids are given again."""
    _barred.discard(thread)
    WATCHED.discard(thread)


def forget() -> None:
    """In a forked child no other thread is anywhere."""
    _inside.clear()
    _barred.clear()
    WATCHED.clear()
