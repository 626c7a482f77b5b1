"""
Tools that the user's code names: a decorator and a context manager.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ParamSpec, TypeVar, overload

from ..validation import validator
from ._run import Managed
from ._toolcall import Cost, ToolScope
from ._wrap import METHODS, decorate, decorates

__all__ = ["binder", "tool"]

P = ParamSpec("P")
R = TypeVar("R")


class tool(Managed):  # noqa: N801 - reads as a word: `@spanledger.tool`
    """
    A tool call: ``@tool``, ``@tool(version="2")`` or ``with tool("search", arguments={...}) as call:``.

    *cost* is US dollars per call, or a callable on the result.  *validate* is a callable on the result, a pydantic
    model or a JSON Schema: a result that does not pass is `validation_failed`, although the call came back.  In the
    context-manager form set ``call.result``.
    """

    @overload
    def __new__(cls, function: Callable[P, R], /) -> Callable[P, R]: ...  # type: ignore[misc]
    @overload
    def __new__(cls, name: str | None = None, /, **options: Any) -> tool: ...
    def __new__(cls, function: Any = None, /, **options: Any) -> Any:
        """Decorate at once when a function is given."""
        made = super().__new__(cls)
        if decorates(function):
            made.__init__(None, **options)  # type: ignore[misc]
            return made(function)
        return made

    def __init__(
        self,
        name: Any = None,
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

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Make each call of *function* a tool call."""
        inner = function.__func__ if isinstance(function, METHODS) else function
        named = inner
        while isinstance(named, partial):
            named = named.func
        name = self._name or getattr(named, "__name__", type(named).__name__)
        bind = binder(inner)

        def scope(args: tuple[Any, ...], kwargs: dict[str, Any]) -> ToolScope:
            return ToolScope(name, bind(args, kwargs), **self._options)  # type: ignore[arg-type]

        return decorate(function, scope)  # type: ignore[no-any-return]


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
