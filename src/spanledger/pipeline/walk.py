"""
Every string in a value, however nested: lists, maps, bytes, numbers, JSON in strings in JSON.

A walk goes twice in the same order: first it gathers the texts, then, when something was found, it puts the new texts
in their places.  What did not change comes back as the very same object.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from .documents import dump_like, load
from .keys import Keys
from .media import described

__all__ = ["Leaf", "Walk"]

Leaf: TypeAlias = Callable[[str, "str | None"], str]
"""A text and what its key says of it, to the text that takes its place."""

MAX_DEPTH: Final = 12
_SCHEMA_VALUES: Final = frozenset({"default", "example", "examples", "const", "enum"})
_LONG_NUMBER: Final = 10_000_000
_PAIR: Final = 2
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_$][A-Za-z_]*(?:[.:/ -]?[A-Za-z_]+){0,12}[0-9]{0,3}", re.ASCII)
"""Keys that can't be anything but a name."""
_plain_keys: Final[set[str]] = set()
_NAMING: Final = frozenset({"name", "key", "header", "Name", "Key"})


class Walk:
    """One value, or many, in a fixed order; *leaf* sees each text."""

    __slots__ = ("_keys", "_trees", "leaf")

    def __init__(self, keys: Keys, leaf: Leaf) -> None:
        self._keys = keys
        self._trees: dict[str, tuple[Any, bool] | None] = {}
        self.leaf = leaf

    def _key(self, key: str) -> str:
        if key in _plain_keys:
            return key
        if len(key) <= 64 and _PLAIN_KEY.fullmatch(key):
            if len(_plain_keys) < 8192:
                _plain_keys.add(key)
            return key
        return self.leaf(key, None)

    def value(self, value: Any, forced: str | None = None, depth: int = 0) -> Any:  # noqa: PLR0911 - one per kind
        """*value* with each of its texts passed through the leaf."""
        kind = type(value)
        if kind is str:
            return self._text(value, forced, depth)
        if value is None or kind is bool:
            return value
        if kind is int or kind is float:
            return self._number(value, forced)
        if depth > MAX_DEPTH:
            return self.leaf(_flat(value), forced)
        if kind is dict or isinstance(value, Mapping):
            return self._mapping(value, forced, depth)
        if kind is list or kind is tuple:
            return self._list(value, forced, depth)
        if isinstance(value, (bytes, bytearray, memoryview)):
            return self._bytes(bytes(value), forced)
        return self.leaf(str(value), forced)

    def attributes(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """The attributes of a span: keys are texts too."""
        return {self._key(k): self.value(v, self._keys.label(k)) for k, v in attributes.items()}

    def _text(self, text: str, forced: str | None, depth: int) -> str:
        if forced is None and len(text) < 13 and text.isascii() and (len(text) < 5 or text.isalpha()):
            return text  # too little to say anything
        if len(text) < 8 or forced is not None or text[0] not in '{[" \n\t' or depth > MAX_DEPTH:
            return self.leaf(text, forced)
        if text in self._trees:
            loaded = self._trees[text]
        else:
            loaded = self._trees[text] = load(text)
        if loaded is None:
            return self.leaf(text, None)
        tree, faithful = loaded
        new = self.value(tree, None, depth + 1)
        return text if new is tree and faithful else dump_like(new, text)

    def _number(self, value: float, forced: str | None) -> Any:
        if forced is None and (-_LONG_NUMBER < value < _LONG_NUMBER):
            return value
        if isinstance(value, float):
            if not value.is_integer():
                return value
            text = str(int(value))
        else:
            text = str(value)
        if abs(value) >= 2**63 and not isinstance(value, float):
            return self.leaf(text, forced)  # OTLP has no room for it
        return value if (new := self.leaf(text, forced)) is text else new

    def _bytes(self, data: bytes, forced: str | None) -> Any:
        if (media := described(data)) is not None:
            return media
        try:
            text, codec = data.decode(), "utf-8"
        except UnicodeDecodeError:
            text, codec = data.decode("latin-1"), "latin-1"
        new = self._text(text, forced, 0)
        return data if new is text else new.encode(codec, "replace")

    def _list(self, value: Any, forced: str | None, depth: int) -> Any:
        found = []
        changed = False
        hint: str | None = None
        pair = len(value) == _PAIR
        for item in value:
            new = self.value(item, forced or hint, depth + 1)
            changed |= new is not item
            found.append(new)
            # ``["--api-key", "..."]`` and ``("Authorization", "Bearer ...")``
            hint = None
            if type(item) is str and len(item) < 64 and (pair or item[:1] == "-") and item.strip("-")[:1].isalpha():
                hint = None if "=" in item or " " in item else self._keys.label(item)
        if not changed:
            return value
        return tuple(found) if type(value) is tuple else found

    def _mapping(self, value: Mapping[Any, Any], forced: str | None, depth: int) -> Any:
        found: dict[Any, Any] = {}
        changed = False
        label = self._keys.label
        named = self._named(value)
        for key, item in value.items():
            text = key if type(key) is str else str(key)
            new_key = self._key(text)
            if text == "properties" and isinstance(item, Mapping):
                new = self._properties(item, depth + 1)
            else:
                hint = forced or label(text)
                if hint is None and named is not None and text.lower() in ("value", "values", "content"):
                    hint = named
                new = self.value(item, hint, depth + 1)
            if new is not item or new_key is not text:
                changed = True
            if new_key is text:
                found[key] = new
            else:
                found[_free(new_key, found)] = new
        return found if changed else value

    def _named(self, value: Mapping[Any, Any]) -> str | None:
        """``{"name": "password", "value": "..."}``: the label of the name."""
        if _NAMING.isdisjoint(value):
            return None
        for key in _NAMING:
            name = value.get(key)
            if type(name) is str and len(name) < 64:
                return self._keys.label(name)
        return None

    def _properties(self, properties: Mapping[Any, Any], depth: int) -> Any:
        """The properties of a JSON schema: a property called ``password`` keeps its shape and loses its default."""
        if not all(isinstance(schema, (Mapping, bool)) for schema in properties.values()):
            return self.value(dict(properties), None, depth)
        found: dict[Any, Any] = {}
        changed = False
        for name, schema in properties.items():
            label = self._keys.label(str(name))
            new = schema
            if isinstance(schema, Mapping):
                fields = {
                    key: self.value(item, label if key in _SCHEMA_VALUES else None, depth + 1)
                    for key, item in schema.items()
                }
                if any(fields[key] is not item for key, item in schema.items()):
                    new = fields
            new_name = self._key(str(name))
            changed |= new is not schema or new_name is not name
            found[new_name] = new
        return found if changed else properties


def _free(key: str, found: Mapping[Any, Any]) -> str:
    """*key*, or with a number behind it when two keys became the same."""
    number = 2
    new = key
    while new in found:
        new = f"{key}_{number}"
        number += 1
    return new


def _flat(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError, TypeError):
        return str(type(value).__name__)
