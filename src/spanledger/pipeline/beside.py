"""What stands beside a number, and its digits without what separates them."""

from __future__ import annotations

from typing import Final

__all__ = ["SEPARATORS", "WORD", "after", "before", "digits", "framed", "in_frame", "runs_on"]

SEPARATORS: Final = b" ./()\n-+xet\t\r_:|\"',"
_JOINT: Final = 0x5F
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


def in_frame(view: bytes, start: int) -> bool:
    """Whether the ``_`` before *start* begins ``_this_`` and no name."""
    return before(view, start) == _JOINT and not framed(view, start, start)
