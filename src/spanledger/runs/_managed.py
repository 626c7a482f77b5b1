"""
What the user's code enters or decorates with: one object for ``with``, ``async with`` and ``@``, for every kind of
function.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Generic, ParamSpec, TypeVar, overload

from ._wrap import Scope, decorate

__all__ = ["Managed"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
G_co = TypeVar("G_co", covariant=True)


_entered: ContextVar[tuple[tuple[list[Scope], Scope], ...]] = ContextVar("spanledger-entered", default=())
"""What was entered here while somebody was in the same object already, with all that are in it: innermost last."""


def _enter(scopes: list[Scope], scope: Scope) -> None:
    """Remember that *scope*, one of an object's *scopes*, belongs to the task or thread that runs here."""
    going_on = [entry for entry in _entered.get() if entry[1] in entry[0]]
    _entered.set((*going_on, (scopes, scope)))


def _leave(scopes: list[Scope]) -> Scope:
    """That of *scopes* which was entered here last; where none is noted the first: who comes first notes nothing."""
    here = _entered.get()
    for entry in reversed(here):
        if entry[0] is scopes and entry[1] in scopes:
            _entered.set(tuple(other for other in here if other is not entry))
            return entry[1]
    return scopes[0]


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
        scope, scopes = self._scope(), self._scopes
        scope.open()
        scopes.append(scope)
        if len(scopes) > 1:
            _enter(scopes, scope)
        scope.resume()
        return self._given(scope)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        scopes = self._scopes
        scope = scopes[0] if len(scopes) == 1 else _leave(scopes)
        scopes.remove(scope)
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
