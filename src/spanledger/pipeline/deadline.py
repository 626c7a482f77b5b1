"""
Work that may take no longer than it may: an exit must not wait for a dead collector.

Each piece is done on a thread of its own.  Python 3.12 starts no thread while it ends, so there some are kept waiting
for that moment; where none is left the work is done here, for as long as it takes.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from spanledger.greenlets import after_fork
from spanledger.shield import shield

if TYPE_CHECKING:
    from queue import SimpleQueue

__all__ = ["aside", "keep_ready", "within"]

Work = Callable[[], Any]

NAME: Final = "spanledger-flush"
_waiting: Final[list[SimpleQueue[Work]]] = []
"""Where threads wait for work, for when no thread can be started any more."""


def within(seconds: float, *works: Work) -> bool:
    """Do all *works* side by side; whether all was done, and none of it gave back `False`, within *seconds*."""
    over, results = threading.Semaphore(0), []

    def body(work: Work) -> None:
        try:
            with shield("delivering what is left"):
                results.append(work() is not False)
        finally:
            over.release()

    until = time.monotonic() + seconds
    for work in works:
        aside(lambda work=work: body(work))  # type: ignore[misc]
    for _ in works:
        if not over.acquire(timeout=max(0.0, until - time.monotonic())):
            return False
    return len(results) == len(works) and all(results)


def aside(work: Work) -> None:
    """Do *work* on another thread, or here where none can be had."""
    try:
        threading.Thread(target=work, name=NAME, daemon=True).start()
    except RuntimeError:  # the interpreter ends, or the system has no more threads
        if _waiting and threading.current_thread().name != NAME:
            _waiting.pop().put(work)
        else:
            work()


def keep_ready(number: int) -> None:
    """Keep *number* threads for the exit, where Python can start none then."""
    if sys.version_info[:2] == (3, 12):
        from queue import SimpleQueue  # noqa: PLC0415 - no other version needs it

        while len(_waiting) < number:
            box: SimpleQueue[Work] = SimpleQueue()
            threading.Thread(target=_wait_for_work, args=(box,), name=NAME, daemon=True).start()
            _waiting.append(box)


def _wait_for_work(box: SimpleQueue[Work]) -> None:
    while True:
        box.get()()
        _waiting.append(box)


def _after_fork() -> None:
    number = len(_waiting)
    _waiting.clear()
    with shield("keeping threads for the exit"):
        after_fork(lambda: keep_ready(number))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
