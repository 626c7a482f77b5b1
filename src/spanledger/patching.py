"""
Put wrappers on other people's callables, and take them off again.  The only module that changes what is theirs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import CellType, FunctionType, ModuleType
from typing import Any, Final

import wrapt

from .shield import logger

__all__ = ["Patches"]


class Patches:
    """A set of patches that can be undone; undoing puts back the very same objects."""

    def __init__(self) -> None:
        self._originals: list[tuple[Any, Any, Any, bool]] = []
        self.active = True
        self.missing: dict[str, str] = {}
        """What should have been wrapped and is not there: name -> why.  `doctor` shows it."""
        self.done: list[str] = []
        self._found: tuple[str, int, dict[int, list[tuple[Any, str]]]] = ("", 0, {})

    def add(self, module: str, name: str, wrapper: Any, *, optional: bool = False) -> None:
        """Wrap *name* in *module*: now, or as soon as somebody imports it.  What is *optional* may be missing."""

        def patch(imported: ModuleType) -> None:
            if not self.active:
                return
            try:
                self._wrap(imported, name, wrapper)
                self.done.append(f"{module}:{name}")
            except Exception as error:  # noqa: BLE001 - whatever a changed client throws at us
                if optional and isinstance(error, AttributeError):
                    return
                self.missing[f"{module}:{name}"] = f"{type(error).__name__}: {error}"
                logger.warning("spanledger can't watch %s:%s (%s); calls through it are not seen", module, name, error)

        wrapt.register_post_import_hook(patch, module)

    def on_import(self, module: str, act: Callable[[ModuleType], None]) -> None:
        """Call *act* with *module*: now, or as soon as somebody imports it."""
        wrapt.register_post_import_hook(lambda imported: act(imported) if self.active else None, module)

    def _wrap(self, imported: Any, name: str, wrapper: Any) -> None:
        parent, attribute, original = wrapt.resolve_path(imported, name)
        own = attribute in vars(parent)
        stored = vars(parent)[attribute] if own else original
        self._originals.append((parent, attribute, stored, own))
        wrapped = wrapt.wrap_function_wrapper(imported, name, wrapper)
        if isinstance(parent, ModuleType):
            self.replace_copies(stored, wrapped)
        elif isinstance(parent, type):
            for kind in _subclasses(parent):
                self._below(kind, attribute, stored, vars(parent)[attribute])

    def replace_copies(self, function: Any, wrapped: Any) -> None:
        """Put *wrapped* where somebody imported *function* by its name before we came."""
        for module, name in self._places_of(function):
            if getattr(module, "__dict__", {}).get(name) is function:
                self.replace(module, name, wrapped)

    def _places_of(self, function: Any) -> list[tuple[Any, str]]:
        """
        Where *function* may stand under a name.

        All functions of its package are found at once: a package has dozens that we wrap one after the other, and
        each walk through every module takes tens of milliseconds.
        """
        package = _package_of(function)
        modules = len(sys.modules)
        if self._found[:2] != (package, modules):
            places: dict[int, list[tuple[Any, str]]] = {}
            for module in list(sys.modules.values()):
                for name, value in list(getattr(module, "__dict__", {}).items()):
                    if type(value) in _KINDS and _package_of(value) == package:
                        places.setdefault(id(value), []).append((module, name))
            self._found = (package, modules, places)
        return self._found[2].get(id(function), [])

    def _below(self, kind: type, attribute: str, stored: Any, ours: Any) -> None:
        """Stand inside what others put on a subclass around *stored* before we came: it would hide what is *ours*."""
        theirs = vars(kind).get(attribute)
        if theirs is stored:
            self.replace(kind, attribute, ours)
            return
        while theirs is not None:
            plain = type(theirs) is FunctionType
            for cell in (theirs.__closure__ or ()) if plain else ():
                if _held(cell) is stored:
                    self._originals.append((cell, "cell_contents", stored, True))
                    cell.cell_contents = _method(ours)
                    return
            inner = getattr(theirs, "__wrapped__", None)
            if inner is stored and not plain:
                self._originals.append((theirs, "__wrapped__", stored, True))
                theirs.__wrapped__ = ours
                return
            theirs = inner

    def replace(self, parent: Any, attribute: Any, new: Any) -> None:
        """Put *new* in the place of an attribute, or of an item of a dictionary or list."""
        if isinstance(parent, (dict, list)):
            original = parent[attribute]
            parent[attribute] = new
            self._originals.append((parent, attribute, original, True))
        else:
            was = parent.__wrapped__ if attribute == "__wrapped__" else vars(parent)[attribute]
            self._originals.append((parent, attribute, was, True))
            setattr(parent, attribute, new)

    def undo(self) -> None:
        """Put everything back."""
        self.active = False
        self._found = ("", 0, {})
        while self._originals:
            parent, attribute, original, own = self._originals.pop()
            if isinstance(parent, (dict, list)):
                parent[attribute] = original
            elif own:
                setattr(parent, attribute, original)
            else:
                delattr(parent, attribute)


_KINDS: Final = (FunctionType, wrapt.FunctionWrapper)


def _package_of(function: Any) -> str:
    return str(getattr(function, "__module__", "")).partition(".")[0]


def _method(ours: Any) -> Callable[..., Any]:
    """*ours* for callers that pass the instance as the first argument."""

    def method(instance: Any, *args: Any, **kwargs: Any) -> Any:
        return ours.__get__(instance, type(instance))(*args, **kwargs)

    return method


def _held(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # empty so far
        return None


def _subclasses(kind: type) -> list[type]:
    found: list[type] = []
    subs: list[type] = type.__subclasses__(kind)
    for sub in subs:
        found += [sub, *_subclasses(sub)]
    return found
