"""
What a text of the environment, or a value of a YAML file, becomes in a setting.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from .budget import Refuse, read_budgets, read_loops, read_rules
from .errors import ConfigurationError
from .policy import read_policy
from .spelling import hint

__all__ = ["IN_PARTS", "TYPES", "WANTED", "chosen", "names_a_tool", "refuse", "sensible"]

_TRUE: Final = ("1", "true", "yes", "on")
_FALSE: Final = ("0", "false", "no", "off")


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in _TRUE:
        return True
    if str(value).lower() in _FALSE:
        return False
    raise ValueError(value)


def _strings(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise ValueError(value)


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _path(value: Any) -> Path:
    if str(value).lower() in ("", *_TRUE, *_FALSE):  # nothing, or a switch meant for another setting
        raise ValueError(value)
    return Path(value).expanduser()


def _positive(kind: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        if isinstance(value, bool) or (number := kind(value)) < 0:
            raise ValueError(value)
        return number

    return convert


TYPES: Final[dict[str, Callable[[Any], Any]]] = {
    "str": _string,
    "str | None": lambda v: None if v is None else _string(v),
    "bool": _bool,
    "int": _positive(int),
    "float": _positive(float),
    "int | None": lambda v: None if v is None else _positive(int)(v),
    "float | None": lambda v: None if v is None else _positive(float)(v),
    "tuple[Budget, ...]": read_budgets,
    "tuple[Rule, ...]": read_rules,
    "Loops": read_loops,
    "Policy": read_policy,
    "tuple[str, ...]": _strings,
    "Path | None": lambda v: None if v is None else _path(v),
}
IN_PARTS: Final[dict[str, Callable[[Any, Refuse], Any]]] = {
    "tuple[Budget, ...]": read_budgets, "tuple[Rule, ...]": read_rules, "Loops": read_loops,
}  # fmt: skip
"""Those of which what is right can be kept, with what tells what is wrong."""
WANTED: Final = {
    "str": "a text",
    "str | None": "a text",
    "bool": "true or false",
    "int": "a whole number, not negative",
    "float": "a number, not negative",
    "int | None": "a whole number, not negative",
    "float | None": "a number, not negative",
    "tuple[str, ...]": "a list of texts",
    "Path | None": "a path (to keep no journal set journal_off)",
}


_DAY: Final = 86_400
_BYTES: Final = (lambda number: number > 0, "a whole number above 0")
_SENSIBLE: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    "max_value_bytes": _BYTES, "max_span_bytes": _BYTES, "max_batch_bytes": _BYTES,
    "flush_seconds": (lambda number: number <= _DAY, f"a number of seconds from 0 to {_DAY}, a day"),
    "implicit_run_idle_seconds": (lambda number: number >= 0, "a number, not negative"),
    "budget_warn_at": (lambda number: 0 < number <= 1, "a share above 0, up to 1"),
}  # fmt: skip
"""Of settings whose type allows more than means something: what is right, and how it is said."""


def sensible(name: str, value: Any) -> Any:
    """*value* of the setting *name*; `ConfigurationError` for a number of the right type that means nothing."""
    right, wanted = _SENSIBLE.get(name, (None, ""))
    if right is not None and not right(value):
        raise ConfigurationError(f"{name} is {value!r}; it must be {wanted}")
    return value


def chosen(value: Any, choices: tuple[str, ...], where: str) -> Any:
    """*value*, a text or a tuple of texts, in lower case; `ConfigurationError` when one is not among *choices*."""
    several = isinstance(value, tuple)
    found = tuple(each.lower() for each in value) if several else (value.lower(),)
    for each in found:
        if each not in choices:
            raise ConfigurationError(f"{where} {'has' if several else 'is'} {each!r}; {hint(each, sorted(choices))}")
    return found if several else found[0]


def names_a_tool(name: str) -> bool:
    """Whether *name* is ``module:something``."""
    return all(name.partition(":"))


def refuse(error: ConfigurationError, hears: Refuse | None) -> None:
    """Raise *error*, or tell who *hears* of what is wrong instead."""
    if hears is None:
        raise error from None  # it says all that those before it said
    hears(error)
