"""
The moments at which a process that is watched may end: at exit, by a signal, as a worker that knows no `atexit`.
"""

from __future__ import annotations

import atexit
import contextlib
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from .shield import shield
from .termination import die, interrupted_all_the_same, on_termination, wake_main_thread

__all__ = ["Watched", "watch_the_end"]


class Watched(Protocol):
    """What is finished when the process ends."""

    provider: Any
    terminated: int
    done: bool

    def finish(self, *also: Callable[[], Any]) -> None:
        """End what is going on and deliver it."""

    def end_worker(self) -> None:
        """Deliver what is waiting, for after this there is nothing."""


def watch_the_end(made: Watched) -> list[Callable[[], Any]]:
    """Deliver what *made* has left when the process ends, however it ends; gives back what takes that back."""
    undo: list[Callable[[], Any]] = []
    at_exit = partial(_exiting, made)
    atexit.register(at_exit)
    undo.append(partial(atexit.unregister, at_exit))
    with shield("watching for signals"):
        undo.append(on_termination(partial(_terminated, made)))
    from .patching import Patches  # noqa: PLC0415 - importing the package must cost little

    workers = Patches()
    workers.on_import("multiprocessing.util", partial(_watch_workers, made))
    undo.append(workers.undo)
    return undo


def _exiting(made: Watched) -> None:
    """Finish with the process; whoever presses Ctrl-C once more does not wait for it."""
    with contextlib.suppress(KeyboardInterrupt):
        made.finish()
    interrupted_all_the_same()


def _terminated(made: Watched, number: int) -> None:
    """Deliver what is left when somebody ends the process by signal *number*."""
    made.terminated = number
    made.finish(getattr(made.provider, "force_flush", bool))
    if made.done:  # else it came while the program was about to end; that goes on below us
        die(number)


def _watch_workers(made: Watched, util: Any) -> None:
    def begun(made: Watched) -> None:
        util.Finalize(made, made.end_worker, exitpriority=0)
        with shield("watching for signals"):
            wake_main_thread()

    util.register_after_fork(made, begun)
