"""
Runs and spans follow into threads and executors.

Only when there is something to carry: without a run or span around, the wrapped callables are passed through as they
are.
"""

from __future__ import annotations

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
    carried = carry(instance.run)
    if carried is not instance.run and "run" not in vars(instance):
        def run() -> Any:
            del instance.run
            return carried()

        instance.run = run
    return wrapped(*args, **kwargs)
