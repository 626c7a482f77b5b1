"""A table's head gives its columns away: comma, semicolon, tab or bar between them, with a line for each row."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from .keys import STRICT
from .personal import fits
from .values import is_placeholder, is_strong

__all__ = ["find"]

Span: TypeAlias = tuple[int, int, str]

_ENDS: Final = (b",", b";", b"\t", b"|", b"\n", b"\r", b'"', b" ")
"""What stands behind a name in a head."""
_SEPARATORS: Final = (b"|", b"\t", b";", b",")
_NAME: Final = re.compile(rb"[\s\"]*(?:[A-Za-z_][A-Za-z0-9_.-]{0,32}(?: [A-Za-z0-9_.()-]{1,32}){0,2})?[\s\"]*")
_CELL: Final = b" \t\r\"'`"
_REACH: Final = 512
_MAX_ROWS: Final = 256


def find(view: bytes, first: int, last: int, label: str, spans: list[Span]) -> None:
    """Add what stands below the name *first*:*last*, which means *label*."""
    end = view.find(b"\n", last, last + _REACH) if view[last : last + 1] in _ENDS else -1
    if end < 0:
        return
    reach = max(0, first - _REACH)
    begin = max(view.rfind(b"\n", reach, first), view.rfind(b"\x1f", reach, first)) + 1
    head = view[begin:end]
    separator = next((one for one in _SEPARATORS if one in head), None)
    if separator is None or b"\x1f" in head or not all(_NAME.fullmatch(cell) for cell in head.split(separator)):
        return
    column, columns = view.count(separator, begin, first), head.count(separator)
    above = view.rfind(b"\n", reach, max(reach, begin - 1)) + 1
    if begin and view.count(separator, max(above, reach), begin) == columns:
        return  # a row among others, and no head
    for _ in range(_MAX_ROWS):
        begin, end = end + 1, view.find(b"\n", end + 1)
        row = view[begin : end if end >= 0 else len(view)].partition(b"\x1f")[0]
        if row.count(separator) != columns:
            return
        cells = row.split(separator)
        text = cells[column].strip(_CELL)
        if text and _goes(label, text):
            at = view.index(text, begin + sum(len(cell) + 1 for cell in cells[:column]))
            spans.append((at, at + len(text), label))
        if end < 0:
            return


def _goes(label: str, text: bytes) -> bool:
    if is_placeholder(text) or not text.strip(b"-:"):
        return False
    if label == "SECRET":
        return is_strong(text)
    return label in STRICT and (label == "EMAIL" or fits(label, text))
