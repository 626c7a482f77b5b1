"""
SIGTERM and SIGHUP: what is left is delivered before the process ends, unless the program says itself what happens then.

A program that was started under ``nohup`` goes on ignoring SIGHUP.  Python runs a handler when its main thread comes
back from what it does.  A worker of `multiprocessing` that is asked to end while it begins to wait for a lock never
comes back, so there a thread of ours wakes it: a signal leaves a byte in a pipe at once, whatever the main thread does.

Ctrl-C needs no handler of ours, but its exit status does: Python forgets that it was interrupted when anything is
compiled and run while it ends, and then ends as a program that failed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Final

__all__ = ["die", "interrupted_all_the_same", "on_termination", "wake_main_thread"]

PATIENCE: Final = 0.3
"""Seconds after which a handler that did not begin is asked for again."""

_SPAWNED: Final = "--multiprocessing-fork"
_SIGNALS: Final = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
_begun = threading.Event()
_acts: Final[list[Callable[[int], None]]] = []
"""What is to be done, if anything is: our handlers stay where they can't be taken back, on threads but the main one."""


def on_termination(act: Callable[[int], None]) -> Callable[[], None]:
    """
    Call *act* with the signal by which somebody asks the process to end; gives back what takes that back.

    Nothing happens where it can't be done, and for signals that the program handles or ignores.
    """
    _acts[:] = [act]
    if _on_main_thread():
        for number in _SIGNALS:
            if signal.getsignal(number) == signal.SIG_DFL:
                signal.signal(number, _handler)
    wake_main_thread()
    return partial(_take_back, act)


def _take_back(act: Callable[[int], None]) -> None:
    if act not in _acts:  # somebody came after it
        return
    _acts.clear()
    if _on_main_thread():
        for number in _SIGNALS:
            if _is_ours(number):
                signal.signal(number, signal.SIG_DFL)


def _handler(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
    _begun.set()
    if not _acts:
        die(number)
    for act in _acts:
        act(number)


def _on_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _is_ours(number: int) -> bool:
    return signal.getsignal(number) is _handler


def wake_main_thread() -> None:
    """In a worker of `multiprocessing`: see to it that its main thread hears what it is asked."""
    process = sys.modules.get("multiprocessing.process")  # which a worker has imported
    worker = process is not None and process.parent_process() is not None
    worker = worker or _SPAWNED in sys.orig_argv  # which does not know yet that it is one
    if not worker or os.name != "posix" or not _on_main_thread() or not any(map(_is_ours, _SIGNALS)):
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
    threading.Thread(target=_wake, args=(reader,), name="spanledger-signals", daemon=True).start()


_ours: Final[list[int]] = []
"""The writing ends of our pipes; a forked child inherits its parent's and must not write there."""


def _wake(reader: int) -> None:
    """Ask the main thread again until our handler begins; a program's own handler must not hear it twice."""
    main = threading.main_thread().ident
    asked: list[int] = []
    while main is not None and not asked:
        came = os.read(reader, 64)
        asked = [number for number in _SIGNALS if number in came and _is_ours(number)]
    while main is not None and not _begun.wait(PATIENCE) and _is_ours(asked[0]):
        signal.pthread_kill(main, asked[0])


def die(number: int) -> None:
    """End as a process does that was asked to by signal *number*."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def interrupted_all_the_same() -> None:
    """
    See to it that a program that Ctrl-C ended ends as one, whatever was compiled and run since.

    Python notes an interrupt that came out of the code it was given last, and forgets it when it is given more
    (``run_eval_code_obj`` in https://github.com/python/cpython/blob/main/Python/pythonrun.c).
    """
    if getattr(sys, "last_type", None) is KeyboardInterrupt and not hasattr(sys, "ps1"):
        with contextlib.suppress(KeyboardInterrupt):
            exec("raise KeyboardInterrupt")  # noqa: S102 - not compiled beforehand, or it would not count
