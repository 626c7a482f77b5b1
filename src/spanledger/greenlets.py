"""
Threads that are gevent's: to start one is to let everybody else go on first.

gevent's `subprocess` forks in Python.  In that child, which is about to become another program, everybody else is a
copy of the parent's program; set going by the start of a thread it would do the parent's work once more, fork again
while it does, and so on until the machine is full.  So where threads are gevent's nothing starts one while a process
forks, neither we nor the SDK: they start when the child first waits for something, which one that becomes another
program never does.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from .shield import shield

__all__ = ["after_fork", "patient_sdk"]

_HOOKS: Final = (
    ("opentelemetry.sdk._shared_internal", "BatchProcessor", "_at_fork_reinit"),
    ("opentelemetry.sdk.metrics._internal.export", "PeriodicExportingMetricReader", "_at_fork_reinit"),
    ("opentelemetry.sdk.trace", "TracerProvider", "_handle_fork"),
    ("opentelemetry.sdk.metrics._internal", "MeterProvider", "_handle_fork"),
    ("opentelemetry.sdk._logs._internal", "LoggerProvider", "_handle_fork"),
)
"""What of the SDK starts threads while a process forks: module, class, method."""
_WAITS: Final = "_spanledger_waits_in"
"""On an object of those classes: the process that it waits in to be set going."""


def after_fork(start: Callable[[], object]) -> None:
    """Call *start*, which starts threads, in a forked child: now, or where they are gevent's once the child waits."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None or not monkey.is_module_patched("threading"):
        start()
        return
    _starts.append(start)
    if len(_starts) == 1:
        sys.modules["gevent"].spawn(_go_on)


_starts: Final[list[Callable[[], object]]] = []


def _go_on() -> None:
    """One after the other: some locks of the standard library are still those of threads, and would never be given."""
    while _starts:
        with shield("going on in a forked process"):
            _starts[0]()
        del _starts[0]


@functools.cache
def patient_sdk() -> None:
    """Have what the SDK makes from now on start no thread while gevent forks."""
    from .patching import Patches  # noqa: PLC0415 - importing the package must cost little

    patches = Patches()
    for module, name, method in _HOOKS:
        patches.on_import(module, functools.partial(_patient, name, method))


def _patient(name: str, method: str, module: ModuleType) -> None:
    kind = getattr(module, name, None)
    original = getattr(kind, method, None)
    if kind is None or original is None:  # another SDK, that does it in another way
        return

    def hook(self: Any) -> None:
        kept = vars(self)
        if kept.pop(_WAITS, None) == os.getpid():  # this is later: it is used, or the child waits
            original(self)
            return

        def later() -> None:
            if _WAITS in kept:
                hook(self)

        if "_queue" in kept:  # what is in there is the parent's to send
            kept["_queue"].clear()
        kept[_WAITS] = os.getpid()
        after_fork(later)

    setattr(kind, method, hook)
