"""
What the user's code enters or decorates with: one object for ``with``, ``async with`` and ``@``, for every kind of
function.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import Any, Generic, ParamSpec, TypeVar, overload

from ._wrap import Scope, decorate

__all__ = ["Managed"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
G_co = TypeVar("G_co", covariant=True)


class Managed(Generic[G_co]):
    """Context manager, asynchronous context manager and decorator over the scopes that `_scope` makes."""

    def __init__(self) -> None:
        self._scopes: list[Scope] = []

    @abstractmethod
    def _scope(self) -> Any:
        """A scope that was not opened yet."""

    @abstractmethod
    def _given(self, scope: Any) -> G_co:
        """What the code inside of *scope* gets."""

    def __enter__(self) -> G_co:
        scope = self._scope()
        scope.open()
        self._scopes.append(scope)
        scope.resume()
        return self._given(scope)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        scope = self._scopes.pop()
        scope.leave()
        scope.close(error)

    async def __aenter__(self) -> G_co:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)

    @overload
    def __call__(self, function: staticmethod[P, R], /) -> staticmethod[P, R]: ...
    @overload
    def __call__(self, function: classmethod[T, P, R], /) -> classmethod[T, P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Callable[P, R]: ...
    def __call__(self, function: Any, /) -> Any:
        """Run each call of *function* in a scope of its own."""
        return decorate(function, lambda _args, _kwargs: self._scope())
