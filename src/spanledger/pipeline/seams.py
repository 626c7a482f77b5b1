"""Whether a candidate that was nothing ends with something: ``12:33:01:4111...`` is no address."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["SEAM", "may_hide"]

SEAM: Final = re.compile(rb"[0-9A-Fa-f]{0,4}:|[A-Z]{2}[0-9]{2}[ -]")
"""What something else may begin behind."""
_WORDS: Final = frozenset(bytes((c,)) for c in b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")
_UPPER: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_DIGITS: Final = frozenset(b"0123456789")
_COLON: Final = 0x3A


def may_hide(view: bytes, start: int, end: int) -> bool:
    """Whether something else may begin inside of a candidate that was nothing."""
    colon = view.rfind(_COLON, start, end)
    if colon < 0:
        return (
            view[start] in _UPPER
            and view[start + 1] in _UPPER
            and view[start + 2] in _DIGITS
            and view[start + 3] in _DIGITS
            and view[start + 5] in _DIGITS
        )
    if view[start + 2] == _COLON and view[start] in _DIGITS and view[start + 8 : start + 9] != b":":
        return False  # the time of day, as far as it goes
    return colon < end - 3 or view[end : end + 1] in _WORDS
