"""What stands beside a number, and its digits without what separates them."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["SEPARATORS", "WORD", "after", "before", "digits", "framed", "in_a_path", "in_frame", "named", "runs_on"]

SEPARATORS: Final = b" ./()\n-+xet\t\r_:|\"',"
_JOINT: Final = 0x5F
_SLASH: Final = 0x2F
_DIGITS: Final = frozenset(b"0123456789")
WORD: Final = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")


def before(view: bytes, start: int) -> int:
    """The byte before *start*; a space before the beginning."""
    return view[start - 1] if start else 0x20


def after(view: bytes, end: int) -> int:
    """The byte at *end*; a space behind the end."""
    return view[end] if end < len(view) else 0x20


def runs_on(view: bytes, end: int) -> bool:
    """Whether more digits follow behind a dot or dash."""
    return after(view, end) in b"-./" and after(view, end + 1) in _DIGITS


def digits(view: bytes, start: int, end: int) -> bytes:
    """What *start*:*end* says without what separates groups."""
    return view[start:end].translate(None, SEPARATORS)


def framed(view: bytes, start: int, end: int) -> bool:
    """Whether ``_`` stands on a side of it that is not a frame, as in ``_this_``, but part of a name."""
    return (before(view, start) == _JOINT and before(view, start - 1) in WORD) or (
        after(view, end) == _JOINT and after(view, end + 1) in WORD
    )


_NAMES: Final = {
    label: re.compile(rb"(?<![A-Za-z])(?i:" + names + rb")(?:[_-]?(?i:no|nr|num|number|id))?[_-]$")
    for label, names in {
        "CARD": rb"(?:credit|debit|payment)?[_-]?card|cc|visa|mastercard|amex",
        "SSN": rb"ssn|itin|social[_-]?security|tax",
    }.items()
}
_NAME: Final = 32
_BEHIND_A_SEGMENT: Final = frozenset(b"/?&# \t\r\n\"'`),;>\\")


def named(view: bytes, start: int, label: str) -> bool:
    """Whether the name that the number at *start* is glued to, as in ``card_4111...``, says that it is *label*."""
    return _NAMES[label].search(view[max(0, start - _NAME) : start]) is not None


def in_a_path(view: bytes, start: int, end: int) -> bool:
    """Whether it is a whole segment of a path, ``/this/``, and no part of a date or a fraction."""
    alone = before(view, start) == _SLASH and before(view, start - 1) not in _DIGITS
    return alone and after(view, end) in _BEHIND_A_SEGMENT


def in_frame(view: bytes, start: int) -> bool:
    """Whether the ``_`` before *start* begins ``_this_`` and no name."""
    return before(view, start) == _JOINT and not framed(view, start, start)
