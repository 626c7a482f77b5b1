"""JSON texts: read when they are that, and written again as they were."""

from __future__ import annotations

import json
from typing import Any, Final

try:
    import orjson
except ImportError:  # pragma: no cover - where no wheel exists
    orjson = None  # type: ignore[assignment]

__all__ = ["dump_like", "load"]

_SPACED: Final = json.JSONEncoder(ensure_ascii=False).encode
_COMPACT: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_INDENTED: Final = json.JSONEncoder(ensure_ascii=False, indent=2).encode


def load(text: str) -> tuple[Any, bool] | None:
    """
    The tree that *text* spells, and whether writing it again loses nothing; `None` when it is no JSON.

    Duplicate keys are lost in the tree: such a text must be written anew, or the lost value would leave unseen.
    """
    head = text[:64].lstrip()[:1]
    if head not in ("{", "[", '"') or not head:
        return None
    try:
        if orjson is None:
            tree = json.loads(text)
            again = json.dumps(tree, ensure_ascii=False)
        else:
            tree = orjson.loads(text)
            again = orjson.dumps(tree).decode()
    except (ValueError, RecursionError, TypeError):
        return None
    faithful = "\\u0022" not in text and again.count('"') == text.count('"')
    return tree, faithful


def dump_like(tree: Any, text: str) -> str:
    """*tree* as JSON, spaced as *text* is."""
    spaced = '": ' in text or '", ' in text or ", " in text[:64]
    if "\n" in text[:3]:
        return _INDENTED(tree)
    if spaced:
        return _SPACED(tree)
    if orjson is None:
        return _COMPACT(tree)  # pragma: no cover
    return orjson.dumps(tree).decode()
