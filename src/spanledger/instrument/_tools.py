"""
Tool callables without a line of code: ``SPANLEDGER_TOOLS="myapp.tools:*,myapp.mail:send"``.

They are wrapped when their module is imported.  A function that its module also keeps in a list or dictionary of its
own (the usual table of tools) is wrapped there too.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any, Final

from ..errors import ConfigurationError
from ..patching import Patches
from ..runs import tool
from ..shield import logger

__all__ = ["watch_tools"]


_NOBODYS_TOOLS: Final = sys.stdlib_module_names | {"opentelemetry", "spanledger", "wrapt"}
"""Packages that we, and whoever is watched, call all the time."""


def watch_tools(names: tuple[str, ...], patches: Patches) -> None:
    """Wrap each of *names*: ``module:function``, ``module:Class.method`` or ``module:*`` for all its own functions."""
    for name in names:
        module, colon, path = name.partition(":")
        if not (module and colon and path):
            msg = f"SPANLEDGER_TOOLS: {name!r} names no tool; write module:function or module:*"
            raise ConfigurationError(msg)
        if path == "*" and module.partition(".")[0] in _NOBODYS_TOOLS:
            patches.missing[name] = "no module of tools"
            logger.warning("SPANLEDGER_TOOLS: %s would make tools of what everything uses; name single functions", name)
            continue
        patches.on_import(module, lambda imported, path=path: _watch(imported, path, patches))  # type: ignore[misc]


def _watch(module: ModuleType, path: str, patches: Patches) -> None:
    found = list(_all_of(module)) if path == "*" else _one_of(module, path)
    if not found:
        patches.missing[f"{module.__name__}:{path}"] = "no such function"
        logger.warning("spanledger finds no tool %s:%s; nothing is watched there", module.__name__, path)
    for parent, name, function in found:
        static = inspect.getattr_static(parent, name)
        watched = tool(function)
        kept = type(static)(watched) if isinstance(static, (staticmethod, classmethod)) else watched
        patches.replace(parent, name, kept)
        for table, key in _tables(module, function):
            patches.replace(table, key, watched)
        patches.done.append(f"{module.__name__}:{name}")


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


def _tables(module: ModuleType, function: Any) -> Iterator[tuple[Any, Any]]:
    for value in list(vars(module).values()):
        if isinstance(value, dict) and value is not vars(module):
            yield from ((value, key) for key, item in list(value.items()) if item is function)
        elif isinstance(value, list):
            yield from ((value, index) for index, item in enumerate(value) if item is function)
