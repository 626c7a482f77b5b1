"""``INSERT INTO users (passport, secret) VALUES ('...', '...')``: the column gives its value away."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from .engine import Part
from .keys import STRICT, Keys
from .personal import fits
from .values import is_placeholder

__all__ = ["PART", "find"]

Span: TypeAlias = tuple[int, int, str]

PART: Final = Part(rb"\) ?(?i:values)\s?\(", (b"values",))

_VALUE: Final = re.compile(
    rb"[\s]{0,8}(?:(?P<quote>\\{0,4}['\"])(?P<text>(?:[^'\"\x1f]|''){0,4096}?)(?P=quote)|(?P<bare>[^,()'\"\x1f]{1,256}))"
    rb"[\s]{0,8}(?P<end>[,)])"
)
_NEXT: Final = re.compile(rb"\s{0,8},\s{0,8}\(")
_AROUND: Final = b" \t\r\n`\"'[]\\"
_MAX_ROWS: Final = 64
_REACH: Final = 1024


def find(view: bytes, start: int, end: int, keys: Keys, spans: list[Span]) -> None:
    """Add the values under telling columns; *start*:*end* is ``) VALUES (``."""
    opening = view.rfind(b"(", max(0, start - _REACH), start)
    names = view[opening + 1 : start]
    if opening < 0 or b")" in names or b"\x1f" in names:
        return
    labels = [keys.label(name.strip(_AROUND)) for name in names.split(b",")]
    if not any(labels):
        return
    at = end
    for _ in range(_MAX_ROWS):
        for label in labels:
            match = _VALUE.match(view, at)
            if match is None:
                return
            at = match.end()
            group = "text" if match.group("text") is not None else "bare"
            text = match.group(group)
            if label and text.strip() and _goes(label, text):
                spans.append((*match.span(group), label))
            if match.group("end") == b")":
                break
        following = _NEXT.match(view, at)
        if following is None:
            return
        at = following.end()


def _goes(label: str, text: bytes) -> bool:
    if is_placeholder(text) or text.strip().upper() in (b"NULL", b"DEFAULT", b"?") or text.startswith(b":"):
        return False
    return label in STRICT or fits(label, text)
