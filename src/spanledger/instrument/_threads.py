"""
Runs and spans follow into threads and executors.

Only when there is something to carry: without a run or span around, the wrapped callables are passed through as they
are.  A pool's own threads carry nothing: they outlive whoever was first to need them, and each task brings its own.
"""

from __future__ import annotations

import sys
from typing import Any

from ..patching import Patches
from ..runs import carry

__all__ = ["carry_into_threads"]


def carry_into_threads(patches: Patches) -> None:
    """Make `Thread.start` and `ThreadPoolExecutor.submit` carry."""
    patches.add("concurrent.futures.thread", "ThreadPoolExecutor.submit", _submit)
    patches.add("threading", "Thread.start", _start)


def _submit(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    if not args:
        return wrapped(*args, **kwargs)
    return wrapped(carry(args[0]), *args[1:], **kwargs)


def _start(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    worker = getattr(sys.modules.get("concurrent.futures.thread"), "_worker", None)
    if worker is not None and getattr(instance, "_target", None) is worker:
        return wrapped(*args, **kwargs)
    carried = carry(instance.run)
    if carried is not instance.run and "run" not in vars(instance):

        def run() -> Any:
            del instance.run
            return carried()

        instance.run = run
    return wrapped(*args, **kwargs)
