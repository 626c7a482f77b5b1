"""
One decorator for four kinds of function: plain, coroutine, generator and async generator.

A scope is entered around the call.  Around a generator it is opened once, and made current only while the generator's
own code runs, never across a yield.  A generator that is closed, or left, before it ended closes its scope with
`GeneratorExit`: the run in it was cancelled, like that of a stream that nobody read to its end.  A plain function that
gives back a coroutine, as one around a coroutine function does, ends when that does.
"""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from types import FunctionType
from typing import Any, Final, Protocol

from ..outcomes import is_cancelled

__all__ = ["METHODS", "Scope", "decorate", "decorates"]

METHODS: Final = (staticmethod, classmethod)
"""Descriptors that hold a function to call."""


class Scope(Protocol):
    """What `decorate` needs of a run, step or tool call."""

    def open(self) -> None:
        """Begin, without becoming current."""

    def resume(self) -> None:
        """Become current."""

    def pause(self) -> None:
        """Give back what was current before, at a yield."""

    def leave(self) -> None:
        """Give back what was current before, at the end."""

    def close(self, error: BaseException | None, result: Any = None) -> None:
        """End; *error* is what came out, *result* what was returned."""


def decorates(given: Any) -> bool:
    """Whether *given*, the one argument of a decorator, is what to decorate: a function, or a descriptor around it."""
    return callable(given) or hasattr(type(given), "__get__")


def decorate(function: Callable[..., Any], scope_for: Callable[[tuple[Any, ...], dict[str, Any]], Scope]) -> Any:
    """Wrap *function* so that each call runs in the scope that *scope_for* makes of its arguments."""
    if isinstance(function, type):
        msg = f"{function.__qualname__} is a class, which stays one; decorate its methods"
        raise TypeError(msg)
    if isinstance(function, METHODS):  # what is inside is called, on whatever it is bound to
        return type(function)(decorate(function.__func__, scope_for))
    if not callable(function):
        kind = type(function).__name__
        msg = f"a {kind} can't be called; decorate the function in it: put the decorator below @{kind}"
        raise TypeError(msg)
    if _is(inspect.isasyncgenfunction, function):
        wrapper = _at_the_call(_async_generator, function, scope_for, inspect.CO_ASYNC_GENERATOR)
    elif _is(inspect.isgeneratorfunction, function):
        wrapper = _at_the_call(_generator, function, scope_for, inspect.CO_GENERATOR)
    elif _is(inspect.iscoroutinefunction, function):

        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            with _Entered(scope_for(args, kwargs)) as entered:
                entered.result = await function(*args, **kwargs)
                return entered.result
    else:

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with _Entered(scope_for(args, kwargs)) as entered:
                entered.result = result = function(*args, **kwargs)
                if inspect.iscoroutine(result):  # a plain function around a coroutine function
                    entered.goes_on = True
                    return _awaited(result, entered.scope)
                return result

    return functools.wraps(function)(wrapper)


def _is(kind: Callable[[Any], bool], function: Any) -> bool:
    """Whether *function*, or what an object does when it is called, is of this *kind*."""
    return kind(function) or kind(type(function).__call__)


class _Entered:
    __slots__ = ("goes_on", "result", "scope")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.result: Any = None
        self.goes_on = False

    def __enter__(self) -> _Entered:  # noqa: PYI034 - nobody inherits from it
        self.scope.open()
        self.scope.resume()
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self.scope.leave()
        if not self.goes_on:
            self.scope.close(error, self.result)


def _awaited(coroutine: Coroutine[Any, Any, Any], scope: Scope) -> Coroutine[Any, Any, Any]:
    """*coroutine* in *scope*, which is open and ends when it does, or when nobody is left to await it."""

    async def wrapper() -> Any:
        left.detach()
        scope.resume()
        try:
            result = await coroutine
        except BaseException as error:
            scope.leave()
            scope.close(error)
            raise
        scope.leave()
        scope.close(None, result)
        return result

    made = wrapper()
    left = weakref.finalize(made, scope.close, GeneratorExit())
    return made


def _at_the_call(
    watched: Callable[..., Callable[..., Any]], function: Callable[..., Any], scope_for: Callable[..., Scope], kind: int
) -> Callable[..., Any]:
    """*function*, *watched*, that refuses wrong arguments where it does by itself: at the call, not at an item."""
    if not _seeming_runs:
        return watched(function, scope_for)

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        inner = function(*args, **kwargs)
        items = watched(lambda *_args, **_kwargs: inner, scope_for)(*args, **kwargs)
        items.__name__, items.__qualname__ = inner.__name__, inner.__qualname__
        return items

    return _seeming(wrapper, kind)


def _seeming(plain: Any, kind: int) -> Callable[..., Any]:
    """*plain*, which gives back a generator, taken for a generator function of this *kind* by whoever inspects it."""
    code = plain.__code__
    flagged = code.replace(co_flags=code.co_flags | kind)
    return FunctionType(flagged, plain.__globals__, plain.__name__, None, plain.__closure__)


def _does_seeming_run() -> bool:
    """Whether what only seems a generator function runs when it is called; Python 3.10 goes by how it seems."""
    try:
        return _seeming(lambda: None, inspect.CO_GENERATOR)() is None
    except Exception:  # noqa: BLE001 - whatever a compiler of Python makes of functions
        return False


_seeming_runs: Final = _does_seeming_run()


def _generator(function: Callable[..., Any], scope_for: Callable[..., Scope]) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        scope = scope_for(args, kwargs)
        inner = function(*args, **kwargs)
        scope.open()
        step, given = inner.send, None
        try:
            while True:
                scope.resume()
                try:
                    item = step(given)
                finally:
                    scope.pause()
                try:
                    given = yield item
                    step = inner.send
                except GeneratorExit:
                    raise
                except BaseException as error:  # noqa: BLE001 - thrown into the generator, and so into theirs
                    given, step = error, inner.throw
        except StopIteration as end:
            scope.close(None, end.value)
            return end.value
        except GeneratorExit as left:
            how: BaseException = left
            scope.resume()
            try:
                inner.close()
            except BaseException as error:
                how = error
                raise
            finally:
                scope.pause()
                scope.close(how)
            raise
        except BaseException as error:
            scope.close(error)
            raise

    return wrapper


def _async_generator(function: Callable[..., Any], scope_for: Callable[..., Scope]) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        scope = scope_for(args, kwargs)
        inner = function(*args, **kwargs)
        scope.open()
        step, given, left = inner.asend, None, False
        try:
            while True:
                scope.resume()
                try:
                    item = await step(given)
                finally:
                    scope.pause()
                try:
                    given = yield item
                    step = inner.asend
                except GeneratorExit:
                    raise
                except BaseException as error:  # thrown into the generator, and so into theirs
                    given, step = error, inner.athrow
                    left = is_cancelled(error)  # by the loop that ends, after somebody stopped reading
                    if left and getattr(scope, "closes_what_is_left", False):
                        scope.resume()
                        try:
                            await inner.aclose()
                        finally:
                            scope.pause()
                        raise
        except StopAsyncIteration:
            scope.close(None)
        except GeneratorExit as closed:
            how: BaseException = closed
            scope.resume()
            try:
                await inner.aclose()
            except BaseException as error:
                how = closed if is_cancelled(error) else error  # by the loop that ends, while it is closed
                raise
            finally:
                scope.pause()
                scope.close(how)
            raise
        except BaseException as error:
            scope.close(GeneratorExit() if left and is_cancelled(error) else error)
            raise

    return wrapper
