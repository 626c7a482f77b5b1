"""``INSERT INTO users (passport, secret) VALUES ('...', crypt('...', ...))``: the column gives its value away."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from .engine import Part
from .keys import STRICT, Keys
from .personal import fits
from .values import is_placeholder

__all__ = ["PART", "find"]

Span: TypeAlias = tuple[int, int, str]

PART: Final = Part(rb"\)[ \t\r\n]{0,24}(?i:values?)[ \t\r\n]{0,24}\(", (b"value",))

_PIECE: Final = re.compile(
    rb"'(?P<single>(?:[^'\\\x1f]|''|\\[^\x1f]){0,4096})'|\"(?P<double>(?:[^\"\\\x1f]|\"\"|\\[^\x1f]){0,4096})\""
    rb"|(?P<quote>\\{1,4}['\"])(?P<escaped>[^'\"\x1f]{0,4096}?)(?P=quote)"
    rb"|(?P<bare>[^,()'\"\x1f\\]{1,256})|(?P<sign>[,()])"
)
"""Of a value: a text in quotes, what stands outside of quotes, a comma or a bracket."""
_TEXTS: Final = ("single", "double", "escaped")
_NEXT: Final = re.compile(rb"\s{0,24},\s{0,24}\(")
_HOW: Final = re.compile(
    rb"(?i:bf|x?des|md5|sha[-_]?[0-9]{1,3}(?:[-_/][0-9]{3})?|aes[a-z0-9/:-]{0,24}|hex|base64|utf-?8|escape"
    rb"|plain|day|month|year)"
)
"""What a function is told besides the value: how it is to be done."""
_NOTHING: Final = (b"NULL", b"DEFAULT", b"?", b"CURRENT_TIMESTAMP", b"CURRENT_DATE")
_MARKS: Final = (b":", b"$", b"@", b"%")
"""How a parameter begins."""
_AROUND: Final = b" \t\r\n`\"'[]\\"
_MAX_ROWS: Final = 256
_MAX_PIECES: Final = 64
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
            at, last = _value(view, at, label, spans)
            if at < 0:
                return
            if last:
                break
        following = _NEXT.match(view, at)
        if following is None:
            return
        at = following.end()


def _value(view: bytes, at: int, label: str | None, spans: list[Span]) -> tuple[int, bool]:
    """Add the value at *at*, of which its column says *label*; where the next begins, and whether this was the last."""
    depth, begins = 0, at
    for _ in range(_MAX_PIECES):
        bare = at == begins  # what stands behind a text is its type
        piece = _PIECE.match(view, at)
        if piece is None:
            break
        at = piece.end()
        kind = piece.lastgroup or ""
        sign = piece["sign"]
        if sign == b"(":
            depth += 1
        elif sign == b")":
            depth -= 1
        if sign and (depth < 0 or (depth == 0 and sign == b",")):
            return at, depth < 0
        if label and not sign and (kind in _TEXTS or (bare and view[at : at + 1] in (b",", b")"))):
            begin, end = piece.span(kind)
            text = view[begin:end]
            if kind == "bare":
                text = text.strip()
                begin = view.index(text, begin)
            if text.strip() and not (kind == "bare" and text[:1] in _MARKS) and _goes(label, text, depth):
                spans.append((begin, begin + len(text), label))
    return -1, True


def _goes(label: str, text: bytes, depth: int) -> bool:
    if is_placeholder(text) or text.strip().upper() in _NOTHING:
        return False
    return not (depth and _HOW.fullmatch(text)) and (label in STRICT or fits(label, text))
