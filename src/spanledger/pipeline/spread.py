"""
A card's number in pieces: a list of the strings that are its groups, or its digits.

Numbers that are no strings are left alone unless their name means a card: of all lists of four such numbers one in ten
would pass for a card.
"""

from __future__ import annotations

from typing import Any, Final

from . import checks

__all__ = ["Spread", "spread", "spread_numbers"]

_GROUPS: Final = ([4, 4, 4, 4], [4, 6, 5], [4, 6, 4], [4, 4, 4, 4, 3], [4, 4, 4, 1])
_DIGITS: Final = range(13, 20)
_LAST: Final = 999_999


class Spread:
    """The items of a list that are the groups of one number: what takes its place stands in the first."""

    def __init__(self, items: list[Any]) -> None:
        self._items = items

    def __setitem__(self, _index: int, text: str) -> None:
        self._items[:] = [text, *[""] * (len(self._items) - 1)]


def spread_numbers(items: list[Any]) -> str | None:
    """The same for numbers, under a name that means a card: a group may have lost its leading zeros."""
    if not all(type(item) is int and 0 <= item <= _LAST for item in items):
        return None
    if len(items) in _DIGITS:
        return spread([str(item) for item in items])
    return next(
        (
            found
            for sizes in _GROUPS
            if len(sizes) == len(items)
            if (found := spread([str(item).zfill(size) for item, size in zip(items, sizes, strict=True)]))
        ),
        None,
    )


def spread(items: list[Any]) -> str | None:
    """The card whose groups, or digits, the strings *items* are."""
    if not all(type(item) is str and item.isdigit() and item.isascii() for item in items):
        return None
    sizes = [len(item) for item in items]
    if sizes in _GROUPS or (max(sizes) == 1 and len(sizes) in _DIGITS):
        number = " ".join(items) if sizes in _GROUPS else "".join(items)
        return number if checks.card(number.replace(" ", "").encode()) else None
    return None
