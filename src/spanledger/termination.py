"""
SIGTERM: what is left is delivered before the process ends, unless the program has a handler of its own.

Python runs a handler when its main thread comes back from what it does.  A worker of `multiprocessing` that is asked to
end while it begins to wait for a lock never comes back, so there a thread of ours wakes it: a signal leaves a byte in a
pipe at once, whatever the main thread does.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final

__all__ = ["die", "on_sigterm", "wake_main_thread"]

PATIENCE: Final = 0.3
"""Seconds after which a handler that did not begin is asked for again."""

_SPAWNED: Final = "--multiprocessing-fork"
_begun = threading.Event()


def on_sigterm(act: Callable[[], None]) -> None:
    """Call *act* when somebody asks the process to end; nothing where that can't be done or somebody else does."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        return

    def handler(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
        _begun.set()
        act()

    signal.signal(signal.SIGTERM, handler)
    wake_main_thread()


def wake_main_thread() -> None:
    """In a worker of `multiprocessing`: see to it that its main thread hears what it is asked."""
    process = sys.modules.get("multiprocessing.process")  # which a worker has imported
    worker = process is not None and process.parent_process() is not None
    worker = worker or _SPAWNED in sys.orig_argv  # which does not know yet that it is one
    if not worker or os.name != "posix" or signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    if before not in (-1, *_ours):  # an event loop's
        signal.set_wakeup_fd(before, warn_on_full_buffer=False)
        os.close(reader)
        os.close(writer)
        return
    _ours.append(writer)
    threading.Thread(target=_wake, args=(reader,), name="spanledger-sigterm", daemon=True).start()


_ours: Final[list[int]] = []
"""The writing ends of our pipes; a forked child inherits its parent's and must not write there."""


def _wake(reader: int) -> None:
    main = threading.main_thread().ident
    while main is not None and signal.SIGTERM not in os.read(reader, 64):
        pass
    while main is not None and not _begun.wait(PATIENCE):
        signal.pthread_kill(main, signal.SIGTERM)


def die() -> None:
    """End as a process does that was asked to."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGTERM)
