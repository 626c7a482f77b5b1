"""
Tools that the user's code names: a decorator and a context manager.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ParamSpec, TypeVar, overload

from ..validation import validator
from ._managed import Managed
from ._toolcall import Cost, ToolScope
from ._wrap import METHODS, decorate, decorates

__all__ = ["binder", "tool"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class _Tool(Managed[ToolScope]):
    def __init__(
        self,
        name: str | None,
        /,
        *,
        arguments: Mapping[str, Any] | None = None,
        version: str | None = None,
        description: str | None = None,
        cost: Cost = None,
        validate: Any = None,
        call_id: str | None = None,
    ) -> None:
        super().__init__()
        self._name = name
        self._arguments = arguments
        self._call_id = call_id
        check = validator(validate) if validate is not None else None
        self._options = {"version": version, "description": description, "cost": cost, "validate": check}

    def _scope(self) -> ToolScope:
        name = self._name or "tool"
        return ToolScope(name, self._arguments, call_id=self._call_id, **self._options)  # type: ignore[arg-type]

    def _given(self, scope: ToolScope) -> ToolScope:
        return scope

    def __call__(self, function: Any, /) -> Any:
        inner = function.__func__ if isinstance(function, METHODS) else function
        named = inner
        while isinstance(named, partial):
            named = named.func
        name = self._name or getattr(named, "__name__", type(named).__name__)
        bind = binder(inner)

        def scope(args: tuple[Any, ...], kwargs: dict[str, Any]) -> ToolScope:
            return ToolScope(name, bind(args, kwargs), **self._options)  # type: ignore[arg-type]

        return decorate(function, scope)


@overload
def tool(function: staticmethod[P, R], /) -> staticmethod[P, R]: ...
@overload
def tool(function: classmethod[T, P, R], /) -> classmethod[T, P, R]: ...
@overload
def tool(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def tool(
    name: str | None = None,
    /,
    *,
    arguments: Mapping[str, Any] | None = None,
    version: str | None = None,
    description: str | None = None,
    cost: Cost = None,
    validate: Any = None,
    call_id: str | None = None,
) -> Managed[ToolScope]: ...
def tool(name: Any = None, /, **options: Any) -> Any:
    """
    A call of a tool.

    ``@tool`` or ``@tool(version="2")`` over any kind of function, or ``with tool("search", arguments={...}) as call:``.
    *cost* is US dollars per call, or a callable on the result.  *validate* is a callable on the result, a pydantic
    model or a JSON Schema: a result that does not pass is `validation_failed`, although the call came back.  In the
    context-manager form set ``call.result``.
    """
    return _Tool(None, **options)(name) if decorates(name) else _Tool(name, **options)


def binder(function: Callable[..., Any]) -> Callable[[tuple[Any, ...], dict[str, Any]], Any]:
    """How the arguments of a call of *function* are named: as its parameters, without ``self``, without defaults."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return lambda args, kwargs: {"args": list(args), **kwargs} if args else kwargs
    names = list(signature.parameters)
    skip = 1 if names[:1] in (["self"], ["cls"]) else 0
    spread = next((n for n, p in signature.parameters.items() if p.kind is p.VAR_KEYWORD), None)

    def bind(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            bound = dict(signature.bind(*args, **kwargs).arguments)
        except TypeError:
            return {"args": list(args), **kwargs}
        for name in names[:skip]:
            bound.pop(name, None)
        if spread is not None:
            bound.update(bound.pop(spread, {}))
        return bound

    return bind
