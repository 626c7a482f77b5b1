"""
Tool callables without a line of code: ``SPANLEDGER_TOOLS="myapp.tools:*,myapp.mail:send"``.

They are wrapped when their module is imported.  A function that its module also keeps in a list or dictionary of its
own (the usual table of tools) is wrapped there too, and so is one that another module took by its name before.  What is
called but is no function (a partial, a cache, an object of a class of theirs) keeps everything else that it is.

Nobody imports the program itself: its functions (``__main__:look``, or by its file's or module's name) are wrapped
right before its first model call, when they are there.
"""

from __future__ import annotations

import copy
import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import PurePath
from types import FunctionType, ModuleType
from typing import Any, Final

import wrapt

from ..errors import ConfigurationError
from ..notes import note
from ..patching import Patches
from ..runs import tool
from ..shield import logger

__all__ = ["TOOLS", "watch_tools"]

TOOLS: Final = "tools"
"""The kind of note of what was named and is no tool."""


_NOBODYS_TOOLS: Final = sys.stdlib_module_names | {"opentelemetry", "spanledger", "wrapt"}
"""Packages that we, and whoever is watched, call all the time."""


def watch_tools(names: tuple[str, ...], patches: Patches) -> Callable[[], None] | None:
    """
    Wrap each of *names*: ``module:function``, ``module:Class.method`` or ``module:*`` for all its own functions.

    What is returned wraps those of the program itself, to be called once when it has begun.
    """
    note(TOOLS, ())
    wanted = []
    for name in names:
        module, colon, path = name.partition(":")
        if not (module and colon and path):
            msg = f"SPANLEDGER_TOOLS: {name!r} names no tool; write module:function or module:*"
            raise ConfigurationError(msg)
        if path == "*" and module.partition(".")[0] in _NOBODYS_TOOLS:
            _say_missing(name, "what everything uses; name single functions", patches)
            continue
        wanted.append((module, path))
        if module != "__main__":
            patches.on_import(module, lambda imported, path=path: _watch(imported, path, patches))  # type: ignore[misc]
    return functools.partial(_watch_program, wanted, patches) if wanted else None


def _watch_program(wanted: list[tuple[str, str]], patches: Patches) -> None:
    main = sys.modules.get("__main__")
    if main is None or not patches.active:
        return
    spec, file = getattr(main, "__spec__", None), getattr(main, "__file__", None)
    own = spec.name if spec is not None else PurePath(file).stem if file else None
    for module, path in wanted:
        if module == "__main__" or (module == own and module not in sys.modules):
            _watch(main, path, patches)


def _watch(module: ModuleType, path: str, patches: Patches) -> None:
    found = list(_all_of(module)) if path == "*" else _one_of(module, path)
    if not found:
        _say_missing(f"{module.__name__}:{path}", "no such function", patches)
    for parent, name, function in found:
        if isinstance(function, type):
            _say_missing(f"{module.__name__}:{path}", f"a class; name its methods as in {path}.METHOD", patches)
            continue
        static = inspect.getattr_static(parent, name)
        watched = tool(function) if isinstance(function, FunctionType) else _proxy(function, name)
        kept = type(static)(watched) if isinstance(static, (staticmethod, classmethod)) else watched
        patches.replace(parent, name, kept)
        for table, key in _tables(module, function):
            patches.replace(table, key, watched)
        patches.replace_copies(function, watched)
        patches.done.append(f"{module.__name__}:{name}")


def _say_missing(name: str, why: str, patches: Patches) -> None:
    patches.missing[name] = why
    logger.warning("SPANLEDGER_TOOLS: %s is %s; nothing is watched there", name, why)
    note(TOOLS, [f"{name} is {why}" for name, why in patches.missing.items()])


def _proxy(function: Any, name: str) -> Any:
    """*function*, an object that can be called, as it is; only its calls are tool calls."""
    called = function if isinstance(function, functools.partial) else type(function).__call__

    async def asynchronous(*args: Any, **kwargs: Any) -> Any:
        return await function(*args, **kwargs)

    def plain(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    body: Any = asynchronous if inspect.iscoroutinefunction(called) else plain
    functools.update_wrapper(body, function, updated=())
    body.__name__ = getattr(function, "__name__", name)
    watched = tool(body)

    def wrapper(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
        return watched(*args, **kwargs) if instance is None else watched(instance, *args, **kwargs)

    return _Callable(function, wrapper)


class _Callable(wrapt.FunctionWrapper):  # type: ignore[type-arg] # no generic before wrapt 2
    """Copies and pickles are of what is inside: whoever takes one away does so without us."""

    def __reduce__(self) -> Any:
        return self.__wrapped__.__reduce__()

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.__wrapped__.__reduce_ex__(protocol)

    def __copy__(self) -> Any:
        return copy.copy(self.__wrapped__)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return copy.deepcopy(self.__wrapped__, memo)


def _all_of(module: ModuleType) -> Iterator[tuple[Any, str, Any]]:
    public = getattr(module, "__all__", None)
    for name, value in list(vars(module).items()):
        wanted = name in public if public is not None else not name.startswith("_")
        if wanted and isinstance(value, FunctionType) and value.__module__ == module.__name__:
            yield module, name, value


def _one_of(module: ModuleType, path: str) -> list[tuple[Any, str, Any]]:
    parent: Any = module
    *owners, name = path.split(".")
    for owner in owners:
        parent = getattr(parent, owner, None)
    static = inspect.getattr_static(parent, name, None) if parent is not None else None
    function = static.__func__ if isinstance(static, (staticmethod, classmethod)) else static
    return [(parent, name, function)] if callable(function) and name in vars(parent) else []


_DEEP: Final = 3
"""How deep in lists and dictionaries of a module its tools may stand: ``[{"name": ..., "function": ...}]``."""
_MANY: Final = 1_000
"""Of how many items in a list or dictionary at most; what is longer is data."""


def _tables(module: ModuleType, function: Any) -> Iterator[tuple[Any, Any]]:
    for value in list(vars(module).values()):
        if value is not vars(module):
            yield from _places(value, function, _DEEP)


def _places(table: Any, function: Any, depth: int) -> Iterator[tuple[Any, Any]]:
    if not isinstance(table, (dict, list)) or len(table) > _MANY:
        return
    for key, item in list(table.items() if isinstance(table, dict) else enumerate(table)):
        if item is function:
            yield table, key
        elif depth > 1:
            yield from _places(item, function, depth - 1)
