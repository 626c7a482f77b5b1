"""
Nothing that leaves is larger than allowed, and JSON stays JSON.

Backends drop a message list as a whole when it does not parse, so texts are cut inside the parts and whole messages
are left out from the middle, never the brackets.  What was cut says so: the attribute's key stands in
``agent.truncated``, its full size and hash beside it.
"""

from __future__ import annotations

import json
from typing import Any, Final

from spanledger import semconv
from spanledger.hashing import hasher

from .documents import dump_like, load
from .record import Record

__all__ = ["shortened", "truncate"]

_KEEP_WHOLE: Final = frozenset({"role", "type", "id", "name", "finish_reason", "mime_type", "modality"})
_MIN_TEXT: Final = 48


def _mark(cut: int) -> str:
    return f"... [{cut} bytes cut]"


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def cut_text(text: str, limit: int) -> str:
    """At most *limit* bytes of *text*, whole characters, with a mark that says how much is gone."""
    data = text.encode("utf-8", "surrogatepass")
    if len(data) <= limit:
        return text
    mark = _mark(len(data) - limit)
    room = max(0, limit - len(mark))
    return data[:room].decode("utf-8", "ignore") + (mark if limit > len(mark) else "")


def shortened(value: Any, limit: int) -> Any:
    """*value* in at most about *limit* bytes; the same object when it fits."""
    if isinstance(value, str):
        return _string(value, limit)
    if isinstance(value, (bytes, bytearray)):
        return value if len(value) <= limit else bytes(value[:limit])
    if isinstance(value, (list, tuple, dict)):
        size = _size(_dumped(value))
        return value if size <= limit else _tree(value, limit)
    return value


def _string(text: str, limit: int) -> str:
    if len(text) * 4 <= limit or _size(text) <= limit:
        return text
    loaded = load(text)
    if loaded is None or not isinstance(loaded[0], (list, dict)):
        return cut_text(text, limit)
    for room in (limit, limit * 3 // 4, limit // 2, limit // 4):
        tree = _tree(loaded[0], room)
        new = dump_like(tree, text)
        if _size(new) <= limit:
            return new
    return "[]" if isinstance(loaded[0], list) else "{}"


def _dumped(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError, TypeError):
        return ""


def _tree(tree: Any, room: int) -> Any:
    """*tree* cut to about *room* bytes: long texts first, then the items in the middle of long lists."""
    for text_limit in (room // 2, room // 8, room // 32, 256, _MIN_TEXT):
        new = _cut_texts(tree, max(_MIN_TEXT, text_limit))
        if _size(_dumped(new)) <= room:
            return new
    return _cut_items(new, room)


def _cut_texts(tree: Any, limit: int, key: str | None = None) -> Any:
    if isinstance(tree, str):
        return tree if len(tree) <= limit or (key in _KEEP_WHOLE and len(tree) < 1024) else cut_text(tree, limit)
    if isinstance(tree, dict):
        return {k: _cut_texts(v, limit, k) for k, v in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [_cut_texts(v, limit) for v in tree]
    return tree


def _cut_items(tree: Any, room: int) -> Any:
    """Keep the first items and, rather, the last ones: the newest messages."""
    if isinstance(tree, dict):
        kept: dict[Any, Any] = {}
        left = room - 2
        for key, value in sorted(tree.items(), key=lambda item: _size(_dumped(item[1]))):
            size = _size(_dumped(value)) + len(str(key)) + 6
            if size > left:
                if isinstance(value, (list, dict)) and left > 256:
                    kept[key] = _cut_items(value, left - len(str(key)) - 6)
                    left = 0
                continue
            kept[key] = value
            left -= size
        return {key: kept[key] for key in tree if key in kept}
    if not isinstance(tree, (list, tuple)):
        return tree
    items = list(tree)
    sizes = [_size(_dumped(item)) + 2 for item in items]
    if len(items) == 1:
        return [_cut_items(items[0], room - 2)] if sizes[0] > room else items
    left = room - 2
    first = 0
    if items and sizes[0] <= left // 4:
        left -= sizes[0]
        first = 1
    last = len(items)
    while last > first and sizes[last - 1] <= left:
        last -= 1
        left -= sizes[last]
    if last == len(items):
        return items[:first] + ([_cut_items(items[-1], left)] if left > 64 else [])
    return items[:first] + items[last:]


def _large(attributes: dict[str, Any], limit: int) -> list[tuple[str, Any]]:
    """What may be larger than *limit*, told at a glance."""
    found = []
    for key, value in attributes.items():
        kind = type(value)
        if kind is str:
            if len(value) * 4 > limit:
                found.append((key, value))
        elif kind is not int and kind is not float and kind is not bool and value:
            short = (kind is tuple or kind is list) and len(value) * 16 < limit and all(type(v) is str for v in value)
            if not short or sum(map(len, value)) * 4 > limit:
                found.append((key, value))
    return found


def truncate(record: Record, limit: int) -> None:
    """Cut each attribute of *record*, its events and links to *limit* bytes, and say so."""
    cut: list[str] = []
    for key, value in _large(record.attributes, limit):
        if key != semconv.TRUNCATED and (new := shortened(value, limit)) is not value:
            record.attributes[key] = new
            cut.append(key)
            whole = value if isinstance(value, str) else _dumped(value)
            record.attributes.setdefault(f"agent.truncated.{key}.size", _size(whole))
            record.attributes.setdefault(f"agent.truncated.{key}.hash", hasher().hash(value, "truncated").text)
    for attributes in [holder.attributes for holder in record.events] + [holder.attributes for holder in record.links]:
        for key, value in _large(attributes, limit):
            if (new := shortened(value, limit)) is not value:
                attributes[key] = new
                if key not in cut:
                    cut.append(key)
    if record.description:
        record.description = cut_text(record.description, limit)
    record.name = cut_text(record.name, min(limit, 1024))
    if cut:
        known = record.attributes.get(semconv.TRUNCATED) or ()
        record.attributes[semconv.TRUNCATED] = [*known, *(key for key in cut if key not in known)]
