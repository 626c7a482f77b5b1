"""
How many tokens a request may be, before anybody counted them: for reservations only, never for accounts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ._wire import fields

__all__ = ["estimate"]

_CHARACTERS: Final = 3
"""Characters to a token, few on purpose: a reservation must not be too small."""
_IMAGE: Final = 1600
"""Tokens for a picture or other media that the request carries as data."""
_MEDIA: Final = 20_000
"""Texts above this length without a space are data."""


def estimate(body: Any) -> int:
    """At least about the number of input tokens of *body*: all its texts, keys and numbers."""
    characters, media, todo = 0, 0, [body]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            if len(item) > _MEDIA and " " not in item[:_MEDIA]:
                media += 1
            else:
                characters += len(item)
        elif isinstance(item, Mapping):
            characters += 4 * len(item)
            todo.extend(item.values())
        elif isinstance(item, (list, tuple)):
            todo.extend(item)
        elif found := fields(item):  # a client's own object
            todo.append(found)
        elif callable(size := getattr(item, "ByteSize", None)):  # a protocol buffer
            characters += size()
        else:
            characters += 4
    return characters // _CHARACTERS + media * _IMAGE + 8
