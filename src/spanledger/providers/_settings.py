"""
Request settings, from their name on the wire to the convention's attributes.

A table says what each key of a body becomes.  Values of the wrong kind are left out: an attribute cannot hold them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from .. import semconv
from ._wire import fields

__all__ = ["SAMPLING", "Setting", "choices", "level", "output_type", "plain", "put", "read_settings", "stops"]

Setting: TypeAlias = Callable[[dict[str, Any], Any], None]
"""Puts what a value means into the attributes."""


def read_settings(body: Mapping[str, Any], table: Mapping[str, str | Setting]) -> dict[str, Any]:
    """The attributes that *table* makes of *body*; a name in the table takes the value as it is."""
    found: dict[str, Any] = {}
    for key, value in body.items():
        if value is None or (setting := table.get(key)) is None:
            continue
        if not isinstance(setting, str):
            setting(found, value)
        elif isinstance(value, (int, float, str)):
            found[setting] = value
    return found


SAMPLING: Final[Mapping[str, str | Setting]] = {
    "temperature": semconv.REQUEST_TEMPERATURE, "top_p": semconv.REQUEST_TOP_P, "top_k": semconv.REQUEST_TOP_K,
}  # fmt: skip
"""How nearly everybody calls these three."""


def put(found: dict[str, Any], name: str, value: Any) -> None:
    """Set *name* if *value* can be an attribute."""
    if isinstance(value, (str, int, float)):
        found[name] = value


def plain(name: str, *path: str, unless: Any = None) -> Setting:
    """A value some levels down; left out when it is *unless*."""

    def setting(found: dict[str, Any], value: Any) -> None:
        for key in path:
            value = fields(value).get(key)
        if value != unless:
            put(found, name, value)

    return setting


def stops(found: dict[str, Any], value: Any) -> None:
    """One stop sequence or a list of them."""
    if isinstance(value, str):
        found[semconv.REQUEST_STOP_SEQUENCES] = [value]
    elif isinstance(value, (list, tuple)):
        found[semconv.REQUEST_STOP_SEQUENCES] = [stop for stop in value if isinstance(stop, str)]


def choices(found: dict[str, Any], value: Any) -> None:
    """How many answers are asked for; one is not worth saying."""
    if isinstance(value, int) and value != 1:
        found[semconv.REQUEST_CHOICE_COUNT] = value


def output_type(found: dict[str, Any], value: Any) -> None:
    """The kind of answer that a ``response_format`` asks for."""
    kind = fields(value).get("type")
    if kind in ("json_schema", "json_object"):
        found[semconv.OUTPUT_TYPE] = "json"
    elif kind == "text":
        found[semconv.OUTPUT_TYPE] = "text"


level = plain(semconv.REQUEST_REASONING_LEVEL, "effort")
"""The reasoning level in ``{"effort": ...}``, exactly as sent."""
