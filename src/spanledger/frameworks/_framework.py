"""
How a framework is watched: a table of places, and what begins at each.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import dataclass
from types import ModuleType, TracebackType
from typing import Any

from ..patching import Patches
from ..runs import decorate
from ..shield import shield

__all__ = ["Framework", "Hook", "argument", "around", "around_events", "around_manager", "around_task"]

Make = Callable[[Any, tuple[Any, ...], dict[str, Any]], Any]
"""From instance, positional and keyword arguments to a scope, or `None` when nothing begins here."""


@dataclass(frozen=True, slots=True)
class Hook:
    """
    One place of a framework.

    *path* is where it is in *module*; more than one path are the names it had in different versions, the first that is
    there counts.  *wrapper* is a wrapper in the form of wrapt's.
    """

    module: str
    paths: tuple[str, ...]
    wrapper: Callable[..., Any]
    needed: bool = True
    """Whether a version without it is reported; else it is a place that only some versions have."""


@dataclass(frozen=True, slots=True)
class Framework:
    """One framework: its distribution, the oldest version that is tested, and where it is watched."""

    distribution: str
    oldest: str
    hooks: tuple[Hook, ...]

    def put_on(self, patches: Patches) -> None:
        """Watch it: now, or as soon as somebody imports it."""
        for hook in self.hooks:
            patches.on_import(hook.module, _putter(hook, patches))


def _putter(hook: Hook, patches: Patches) -> Callable[[ModuleType], None]:
    def put(module: ModuleType) -> None:
        path = next((path for path in hook.paths if _there(module, path)), hook.paths[0])
        if hook.needed or _there(module, path):
            patches.add(hook.module, path, _while_active(hook.wrapper, patches))

    return put


def _while_active(wrapper: Callable[..., Any], patches: Patches) -> Callable[..., Any]:
    def guarded(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return wrapper(wrapped, instance, args, kwargs) if patches.active else wrapped(*args, **kwargs)

    return guarded


def _there(module: Any, path: str) -> bool:
    for name in path.split("."):
        if not hasattr(module, name):
            return False
        module = getattr(module, name)
    return True


def argument(args: tuple[Any, ...], kwargs: dict[str, Any], position: int, name: str) -> Any:
    """An argument, however it was passed; `None` when it was not."""
    return kwargs[name] if name in kwargs else args[position] if position < len(args) else None


def _made(make: Make, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with shield("reading a framework's call"):
        return make(instance, args, kwargs)
    return None


def around(make: Make) -> Callable[..., Any]:
    """A scope around a call of any kind: plain, coroutine, generator or async generator."""

    def wrapper(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        scope = _made(make, instance, args, kwargs)
        return wrapped(*args, **kwargs) if scope is None else decorate(wrapped, lambda *_: scope)(*args, **kwargs)

    return wrapper


def around_events(make: Make, sees: Callable[[Any, Any], None]) -> Callable[..., Any]:
    """A scope around an asynchronous generator; *sees* is called with the scope and each thing that it yields."""

    def wrapper(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        scope = _made(make, instance, args, kwargs)
        if scope is None:
            return wrapped(*args, **kwargs)

        async def events() -> AsyncGenerator[Any, None]:
            inner = wrapped(*args, **kwargs)
            try:
                async for event in inner:
                    with shield("reading a framework's event"):
                        sees(scope, event)
                    yield event
            finally:
                await inner.aclose()

        return decorate(events, lambda *_: scope)()

    return wrapper


def around_manager(make: Make, result: Callable[[Any], Any]) -> Callable[..., Any]:
    """A scope around the block of an asynchronous context manager; *result* reads what it gave when the block ends."""

    def wrapper(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        scope = _made(make, instance, args, kwargs)
        manager = wrapped(*args, **kwargs)
        return manager if scope is None else _Managed(manager, scope, result)

    return wrapper


class _Managed:
    def __init__(self, manager: Any, scope: Any, result: Callable[[Any], Any]) -> None:
        self._manager = manager
        self._scope = scope
        self._result = result
        self._given: Any = None

    async def __aenter__(self) -> Any:
        self._scope.open()
        self._scope.resume()
        try:
            self._given = await self._manager.__aenter__()
        except BaseException as error:
            self._scope.leave()
            self._scope.close(error)
            raise
        return self._given

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Any:
        left: BaseException | None = error
        try:
            return await self._manager.__aexit__(kind, error, traceback)
        except BaseException as other:
            left = other
            raise
        finally:
            found = None
            with suppress(Exception):
                found = self._result(self._given)
            self._scope.leave()
            self._scope.close(left, found)


def around_task(make: Make, task: Callable[[Any], Any]) -> Callable[..., Any]:
    """A scope around what a call starts and does not wait for; *task* finds the future in what it returns."""

    def wrapper(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        scope = _made(make, instance, args, kwargs)
        if scope is None:
            return wrapped(*args, **kwargs)
        scope.open()
        scope.resume()
        try:
            result = wrapped(*args, **kwargs)
        except BaseException as error:
            scope.leave()
            scope.close(error)
            raise
        scope.leave()
        _close_after(scope, result, task)
        return result

    return wrapper


def _close_after(scope: Any, result: Any, task: Callable[[Any], Any]) -> None:
    future = None
    with shield("following a framework's task"):
        future = task(result)
    if future is None or not hasattr(future, "add_done_callback"):
        scope.close(None, result)
        return

    def done(ended: Any) -> None:
        if ended.cancelled():
            scope.run.stop_reason = scope.run.stop_reason or "cancelled"
            scope.close(None, result)
        else:
            scope.close(ended.exception() or getattr(result, "_stored_exception", None), result)

    future.add_done_callback(done)
