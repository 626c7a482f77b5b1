"""
Every string in a value, however nested: lists, maps, bytes, numbers, JSON in strings in JSON.

One walk gathers the texts and remembers their places; `Walk.put` puts new texts there.  What did not change stays the
very same object, and nothing of the caller's is ever changed: his lists and maps are copied.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from .below import ODD, PARTLY, below, field, itself, odd
from .documents import dump_like, load
from .keys import STRICT, Keys
from .media import described
from .spread import Spread, spread, spread_numbers

__all__ = ["Add", "Walk"]

Add: TypeAlias = Callable[[str, "str | None"], None]
"""Takes a text and what its key says of it."""

MAX_DEPTH: Final = 24
_SCHEMA_VALUES: Final = frozenset({"default", "example", "examples", "const", "enum"})
_LONG_NUMBER: Final = 10_000_000
_OTLP_INT: Final = 2**63
_PAIR: Final = 2
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_$][A-Za-z_]*(?:[.:/ -]?[A-Za-z_]+){0,12}[0-9]{0,3}", re.ASCII)
"""Keys that can't be anything but a name."""
_LONG_WORD: Final = re.compile(r"[A-Za-z]{20}")
"""Keys of vendors may be letters only."""
_plain_keys: Final[set[str]] = set()
_NAMING: Final = frozenset({"name", "key", "header", "label", "field", "Name", "Key", "Label", "Field", "ParameterKey"})
_HOLDING: Final = frozenset({"value", "values", "content", "parametervalue"})


def _never(_text: str) -> str | None:
    return None


class _Node:
    """A container on the way to a text, and how it is put back into its own when something in it changed."""

    __slots__ = ("close", "dirty", "holder", "key", "owned", "parent", "renames")

    def __init__(self, holder: Any, key: Any, parent: _Node | None, close: Callable[[], Any], *, owned: bool) -> None:
        self.holder = holder
        self.key = key
        self.parent = parent
        self.close = close
        self.owned = owned
        """Whether what is inside was made by us, and may be changed where it stands."""
        self.dirty = False
        self.renames: list[tuple[dict[Any, Any], Any, str]] = []


class Walk:
    """The texts of one value, in a fixed order, and their places."""

    __slots__ = ("_add", "_flat", "_keys", "_looked", "_nodes", "_root", "_slots")

    def __init__(self, keys: Keys, add: Add, flat: Callable[[str], str | None] = _never) -> None:
        self._keys = keys
        self._add = add
        self._looked = False
        self._flat = flat
        """What becomes of a text that looks like JSON; `None` when that can't be told without a walk."""
        self._slots: list[tuple[Any, Any, _Node, bool]] = []
        self._nodes: list[_Node] = []
        self._root: list[Any] = []

    def value(self, value: Any, label: str | None = None, *, looked: bool = False) -> None:
        """Gather the texts of *value*, whose key has *label*; *looked* says that it must be walked."""
        self._looked = looked
        self._root = root = [value]
        self._visit(root, 0, value, label, self._node([None], 0, None, lambda: None), 0)

    def attributes(self, attributes: Mapping[str, Any]) -> None:
        """Gather the texts of the attributes of a span: keys are texts too, each value knows its own."""
        own = dict(attributes)
        self._root = [attributes]
        node = self._node(self._root, 0, None, lambda: own)
        label = self._keys.label
        for key, value in attributes.items():
            self._name(own, key, key, node)
            self._visit(own, key, value, label(key), node, 0)

    def put(self, old: Sequence[str] = (), new: Sequence[str] = ()) -> Any:
        """The value with the *new* texts in the places of the *old* ones."""
        if new:
            for (holder, key, node, is_key), before, after in zip(self._slots, old, new, strict=True):
                if after is not before:
                    node.dirty = True
                    if is_key:
                        node.renames.append((holder, key, after))
                    else:
                        holder[key] = after
        for node in reversed(self._nodes):  # inner ones were made after their outer ones
            if node.dirty:
                for holder, key, name in node.renames:
                    _rename(holder, key, name)
                node.holder[node.key] = node.close()
                if node.parent is not None:
                    node.parent.dirty = True
        return self._root[0]

    def _node(
        self, holder: Any, key: Any, parent: _Node | None, close: Callable[[], Any], *, owned: bool = False
    ) -> _Node:
        node = _Node(holder, key, parent, close, owned=owned)
        self._nodes.append(node)
        return node

    def _name(self, holder: dict[Any, Any], key: Any, text: str, node: _Node) -> None:
        """A key; most can't be anything but a name."""
        if text in _plain_keys:
            return
        if len(text) <= 64 and _PLAIN_KEY.fullmatch(text) and not _LONG_WORD.search(text):
            if len(_plain_keys) < 8192:
                _plain_keys.add(text)
            return
        self._slots.append((holder, key, node, True))
        self._add(text, None)

    def _leaf(self, place: tuple[Any, Any, _Node], text: str, label: str | None) -> None:
        if label in PARTLY:
            label = itself(label, text)
        self._slots.append((*place, False))
        self._add(text, label)

    def _visit(self, holder: Any, key: Any, value: Any, label: str | None, node: _Node, depth: int) -> None:
        kind = type(value)
        if kind is str:
            self._text((holder, key, node), value, label, depth)
        elif value is None or kind is bool:
            pass
        elif kind is int or kind is float:
            self._number((holder, key, node), value, label)
        elif depth > MAX_DEPTH:
            self._replaced((holder, key, node), _flat(value), label)  # too deep to follow: a text from here on
        elif kind is dict or isinstance(value, Mapping):
            own = value if node.owned else dict(value)
            inner = node if node.owned else self._node(holder, key, node, lambda: own)
            self._mapping(own, label, inner, depth)
        elif kind is list or kind is tuple:
            items = value if node.owned else list(value)
            inner = node if node.owned else self._node(holder, key, node, lambda: kind(items))
            self._list(items, label, inner, depth)
        elif isinstance(value, (bytes, bytearray, memoryview)):
            self._bytes((holder, key, node), bytes(value), label)
        else:
            self._replaced((holder, key, node), str(value), label)

    def _replaced(self, place: tuple[Any, Any, _Node], text: str, label: str | None) -> None:
        """A value that can only leave as *text*, changed or not."""
        holder, key, node = place
        holder[key] = text
        node.dirty = True
        self._leaf(place, text, label)

    def _text(self, place: tuple[Any, Any, _Node], text: str, label: str | None, depth: int) -> None:
        if label in PARTLY:
            label = itself(label, text)
        if label is None:
            size = len(text)
            if size < 13 and (size < 5 or text.isalpha()) and text.isascii():
                return  # too little to say anything
            if size <= 7 or text[0] not in '{[" \n\t' or depth > MAX_DEPTH:
                pass
            elif not (self._looked and depth == 0) and (new := self._flat(text)) is not None:
                if new is not text:
                    place[0][place[1]] = new
                    place[2].dirty = True
                return
            elif (loaded := load(text)) is not None:
                tree, faithful = loaded
                root = [tree]
                inner = self._node(*place, lambda: dump_like(root[0], text), owned=True)
                inner.dirty = not faithful
                self._visit(root, 0, tree, None, inner, depth + 1)
                return
        self._slots.append((*place, False))
        self._add(text, label)

    def _number(self, place: tuple[Any, Any, _Node], value: float, label: str | None) -> None:
        if label is None and (-_LONG_NUMBER < value < _LONG_NUMBER):
            return
        if isinstance(value, float):
            if value.is_integer():
                self._leaf(place, str(int(value)), label)
        elif abs(value) >= _OTLP_INT:
            self._replaced(place, str(value), label)  # OTLP has no room for it as a number
        else:
            self._leaf(place, str(value), label)

    def _bytes(self, place: tuple[Any, Any, _Node], data: bytes, label: str | None) -> None:
        holder, key, node = place
        if (media := described(data)) is not None:
            holder[key] = media
            node.dirty = True
            return
        try:
            text, codec = data.decode(), "utf-8"
        except UnicodeDecodeError:
            text, codec = data.decode("latin-1"), "latin-1"
        root = [text]
        inner = self._node(holder, key, node, lambda: root[0].encode(codec, "replace"))
        self._text((root, 0, inner), text, label, 0)

    def _list(self, items: list[Any], label: str | None, node: _Node, depth: int) -> None:
        if type(items[0] if items else None) is str and items[0].isdigit() and (number := spread(items)):
            self._leaf((Spread(items), 0, node), number, "CARD")
            return
        if label == "CARD" and items and (number := spread_numbers(items)):
            self._leaf((Spread(items), 0, node), number, "CARD")
            return
        hint: str | None = None
        pair = len(items) == _PAIR
        for index, item in enumerate(items):
            self._visit(items, index, item, label or hint, node, depth + 1)
            # ``["--api-key", "..."]`` and ``("Authorization", "Bearer ...")``
            hint = None
            if type(item) is str and len(item) < 64 and (pair or item[:1] == "-") and item.strip("-")[:1].isalpha():
                hint = None if "=" in item or " " in item else self._keys.label(item)

    def _mapping(self, own: dict[Any, Any], label: str | None, node: _Node, depth: int) -> None:
        label_of = self._keys.label
        named = None if _NAMING.isdisjoint(own) else self._named(own)
        whole, partly = label in STRICT, label in PARTLY
        for key, item in own.items():
            text = key if type(key) is str else str(key)
            if text not in _plain_keys:
                self._name(own, key, text, node)
            if text == "properties" and isinstance(item, Mapping):
                self._properties((own, key, node), item, depth + 1)
                continue
            hint = label if whole else label_of(text) or label  # a card's ``cvc`` is no card
            if partly and label:
                hint = field(label, text, label_of(text))
            if text in ODD:
                hint = odd(text, own, hint)
            if hint is None and named is not None and text.lower() in _HOLDING:
                hint = named
            if type(item) is str:
                self._text((own, key, node), item, hint, depth + 1)
            else:
                self._visit(own, key, item, hint if whole else below(self._keys, text, hint), node, depth + 1)

    def _named(self, value: Mapping[Any, Any]) -> str | None:
        """``{"name": "password", "value": "..."}``: the label of the name."""
        for key in _NAMING:
            name = value.get(key)
            if type(name) is str and len(name) < 64:
                return self._keys.label(name)
        return None

    def _properties(self, place: tuple[Any, Any, _Node], properties: Mapping[Any, Any], depth: int) -> None:
        """The properties of a JSON schema: a property called ``password`` keeps its shape and loses its default."""
        own = dict(properties)
        inner = self._node(*place, lambda: own)
        if depth > MAX_DEPTH or not all(isinstance(schema, (Mapping, bool)) for schema in own.values()):
            self._mapping(own, None, inner, depth)
            return
        for name, schema in properties.items():
            self._name(own, name, str(name), inner)
            if isinstance(schema, Mapping):
                label = self._keys.label(str(name))
                fields = dict(schema)
                outer = self._node(own, name, inner, lambda fields=fields: fields)  # type: ignore[misc]
                for field, item in schema.items():
                    self._visit(fields, field, item, label if field in _SCHEMA_VALUES else None, outer, depth + 1)


def _rename(holder: dict[Any, Any], key: Any, name: str) -> None:
    """Give *key* another *name* in its place, with a number behind it where two became the same."""
    items = list(holder.items())
    holder.clear()
    for old, value in items:
        if old != key:
            holder[old] = value
            continue
        new, number = name, 2
        while new in holder or any(new == other for other, _ in items if other != key):
            new = f"{name}_{number}"
            number += 1
        holder[new] = value


def _flat(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError, TypeError):
        return str(type(value).__name__)
