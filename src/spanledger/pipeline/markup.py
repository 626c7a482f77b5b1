"""Tables in HTML: a cell that names a secret gives away what stands below it, or beside it."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from .columns import goes

__all__ = ["find", "is_cell"]

Span: TypeAlias = tuple[int, int, str]

_INLINE: Final = rb"(?:</?(?i:b|strong|em|i|u|span|p|div|code|label|a|font|br)\b[^<>]{0,120}>)"
_BEFORE: Final = re.compile(rb"<(?P<tag>(?i:t[hd]|dt))(?: [^<>]{0,160})?>(?:[\sA-Za-z_.'#*-]|" + _INLINE + rb"){0,64}")
_BEHIND: Final = re.compile(rb"(?:[\sA-Za-z0-9_.:*()'?-]|" + _INLINE + rb"){0,64}</(?i:t[hd]|dt)>")
_BESIDE: Final = re.compile(rb"\s{0,64}<(?P<tag>(?i:td|dd))(?: [^<>]{0,160})?>")
_CELL: Final = re.compile(rb"<(?i:t[hd])(?: [^<>]{0,160})?>")
_ROW: Final = re.compile(rb"<(?i:tr)\b")
_END: Final = re.compile(rb"</?(?i:table)\b|\x1f")
_CONTENT: Final = re.compile(rb"(?:\s|" + _INLINE + rb"){0,32}(?P<text>[^<\x1f]{1,512})")
_TAGS: Final = (b"th", b"td", b"dt", b"TH", b"TD", b"DT")
_REACH: Final = 1024
_NEAR: Final = 256
_CELL_END: Final = 64
"""How far behind its name a cell may end."""
_MAX_ROWS: Final = 128
_MAX_COLUMNS: Final = 32


def is_cell(view: bytes, last: int) -> bool:
    """Whether the name that ends at *last* may stand in a cell."""
    return view.find(b"</", last, last + _CELL_END) >= 0


def find(view: bytes, first: int, last: int, label: str, spans: list[Span]) -> None:
    """Add what stands below, or beside, the cell of the name *first*:*last*, which means *label*."""
    behind = _BEHIND.match(view, last)
    opening = max(view.rfind(b"<" + tag, max(0, first - _NEAR), first) for tag in _TAGS)
    cell = _BEFORE.fullmatch(view, opening, first) if behind and opening >= 0 else None
    if behind is None or cell is None:
        return
    tag = cell["tag"].lower()
    row = _last(_ROW, view, max(0, opening - _REACH), opening)
    column = len(_CELL.findall(view, row, opening)) if row >= 0 else 0
    beside = _BESIDE.match(view, behind.end())
    if beside and ((tag, beside["tag"].lower()) != (b"td", b"td") or column == 0):
        known = len(spans)
        _add(view, beside.end(), label, spans)
        if len(spans) > known:
            return
    if row >= 0 and column < _MAX_COLUMNS and (tag == b"th" or _is_first(view, row)):
        _below(view, behind.end(), column, label, spans)


def _below(view: bytes, at: int, column: int, label: str, spans: list[Span]) -> None:
    """Add what the cells *column* of the rows behind *at* hold."""
    for _ in range(_MAX_ROWS):
        row = _ROW.search(view, at, at + _REACH)
        if row is None or _END.search(view, at, row.start()):
            return
        at = row.end()
        following = _ROW.search(view, at, at + _REACH)
        end = following.start() if following else min(len(view), at + _REACH)
        for index, cell in enumerate(_CELL.finditer(view, at, end)):
            if index == column:
                if view[cell.start() : cell.start() + 3].lower() == b"<th":
                    return  # another head
                _add(view, cell.end(), label, spans)
                break


def _add(view: bytes, at: int, label: str, spans: list[Span]) -> None:
    content = _CONTENT.match(view, at)
    if content is None:
        return
    text = content["text"].strip()
    link = label == "SECRET" and b"<a" in view[at : content.start("text")].lower()  # an index, and no secret
    if text and not link and goes(label, text):
        begin = content.end() - len(content["text"].lstrip())
        spans.append((begin, begin + len(text), label))


def _is_first(view: bytes, row: int) -> bool:
    """Whether the row that begins at *row* is the first one of its table."""
    table = max(view.rfind(b"<table", max(0, row - _NEAR), row), view.rfind(b"<TABLE", max(0, row - _NEAR), row))
    return table >= 0 and _ROW.search(view, table, row) is None


def _last(pattern: re.Pattern[bytes], view: bytes, begin: int, end: int) -> int:
    """Where the last of *pattern* between *begin* and *end* begins; negative when there is none."""
    found = -1
    for match in pattern.finditer(view, begin, end):
        found = match.start()
    return found
