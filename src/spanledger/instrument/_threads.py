"""
Runs and spans follow into threads and executors.

Only when there is something to carry: without a run or span around, the wrapped callables are passed through as they
are.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from opentelemetry import context as otel_context

from .. import runs
from ..patching import Patches

__all__ = ["carry", "carry_into_threads"]


def carry(function: Callable[..., Any]) -> Callable[..., Any]:
    """*function*, to be called elsewhere as if it were called here: in the same run, step and span."""
    context, implicit = otel_context.get_current(), runs.implicit.get()
    if not context and implicit is None:
        return function

    @functools.wraps(function, updated=())
    def carried(*args: Any, **kwargs: Any) -> Any:
        previous = runs.attach(context)
        token = runs.implicit.set(implicit)
        try:
            return function(*args, **kwargs)
        finally:
            runs.implicit.reset(token)
            runs.restore(context, previous)

    return carried


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
