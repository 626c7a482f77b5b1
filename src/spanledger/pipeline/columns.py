"""
A table's head gives its columns away: comma, semicolon, tab or bar between them, with a line for each row.

CSV with quotes, Markdown, what ``psql`` and ``mysql`` print; the rules between its lines (``---+---``) are no rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, TypeAlias

from .personal import fits
from .values import is_placeholder, is_strong

__all__ = ["AROUND", "SIGNS", "find", "goes"]

Span: TypeAlias = tuple[int, int, str]

_ENDS: Final = (b",", b";", b"\t", b"|", b"\n", b"\r", b'"', b" ", b"`", b"*")
"""What stands behind a name in a head."""
_SEPARATORS: Final = (b"|", b"\t", b";", b",")
SIGNS: Final = frozenset(b"|;,\t\n")
AROUND: Final = b'|;,\t\r\n "`*'
"""What may stand behind a name in a head, one of `SIGNS` at last."""
_NAME: Final = re.compile(
    rb"[\s\"`*]*(?:#|[A-Za-z_\x80-\xfe][A-Za-z0-9_.\x80-\xfe-]{0,32}"
    rb"(?: [A-Za-z0-9_.()/?\x80-\xfe-]{1,32}){0,2})?[\s\"`*]*"
)
_CELLS: Final = {
    one: re.compile(rb"(\s*\"(?:[^\"]|\"\"){0,4096}\"\s*|[^%s]*)(?:%s|$)" % (one, one)) for one in (b"\t", b";", b",")
}
"""The cells of a row, some of them in quotes."""
_STRIPPED: Final = b" \t\r\n\"'`"
_RULED: Final = b"-=+|: \t\r"
_SURE: Final = (b"passw", b"pwd", b"secret")
_ROW_OF_ONE: Final = re.compile(rb" [^\s]{4,256}[ \r]*")
_REACH: Final = 512
_MAX_ROWS: Final = 256
_MAX_LINES: Final = 8
"""How many lines a cell in quotes may go over."""
_LEAST: Final = 4


def find(view: bytes, first: int, last: int, label: str, spans: list[Span]) -> None:
    """Add what stands below the name *first*:*last*, which means *label*."""
    end = view.find(b"\n", last, last + _REACH) if view[last : last + 1] in _ENDS else -1
    if end < 0:
        return
    reach = max(0, first - _REACH)
    begin = max(view.rfind(b"\n", reach, first), view.rfind(b"\x1f", reach, first)) + 1
    head = view[begin:end]
    separator = next((one for one in _SEPARATORS if one in head), None)
    if b"\x1f" in head or not all(map(_NAME.fullmatch, head.split(separator) if separator else (head,))):
        return
    if separator is None:
        _below_one(view, head, end, label, spans)
        return
    column, columns = view.count(separator, begin, first), head.count(separator)
    above = _above(view, begin, reach)
    if above.count(separator) == columns and not above.rstrip().endswith(b":"):
        return  # a row among others, and no head
    sure = view[first:last].lower().startswith(_SURE)
    drawn = False
    for start, row in _rows(view, end, separator):
        if _is_rule(row):
            drawn = drawn or b"+" in row  # what a data base prints: no table of names and what they mean
            continue
        cell = _cell(row, separator, column, columns)
        if cell is None:
            return
        _add(view, start + cell[0], start + cell[1], label, spans, sure=sure and drawn)


def goes(label: str, text: bytes, *, sure: bool = False) -> bool:
    """Whether *text*, in a cell of a column that *label* is said of, goes; *sure* takes plain words for a password."""
    if is_placeholder(text):
        return False
    if label == "SECRET":
        return is_strong(text) or (sure and len(text) >= _LEAST)
    return label == "EMAIL" or fits(label, text)


def _add(view: bytes, begin: int, end: int, label: str, spans: list[Span], *, sure: bool) -> None:
    """Add what the cell *begin*:*end* holds, without what is around it."""
    cell = view[begin:end]
    text = cell.strip(_STRIPPED)
    if text and text.strip(b"-:") and goes(label, text, sure=sure):
        at = begin + len(cell) - len(cell.lstrip(_STRIPPED))
        spans.append((at, at + len(text), label))


def _below_one(view: bytes, head: bytes, end: int, label: str, spans: list[Span]) -> None:
    """Add what stands in the one column of a table that ``psql`` printed."""
    rule = view[end + 1 : end + 1 + _REACH].partition(b"\n")[0]
    if head[:1] != b" " or not rule or rule.rstrip(b"\r").strip(b"-") or len(rule) < len(head.rstrip()):
        return
    for start, row in _rows(view, end + 1 + len(rule), b"|"):
        if not _ROW_OF_ONE.fullmatch(row):
            return
        _add(view, start, start + len(row), label, spans, sure=True)


def _above(view: bytes, begin: int, reach: int) -> bytes:
    """The line above the one that begins at *begin*, without rules."""
    while begin > reach:
        start = view.rfind(b"\n", reach, begin - 1) + 1
        line = view[max(start, reach) : begin - 1].rpartition(b"\x1f")[2]
        if not _is_rule(line):
            return line
        begin = start
    return b""


def _rows(view: bytes, end: int, separator: bytes) -> Iterator[tuple[int, bytes]]:
    """Each row below the line that ends at *end*, and where it begins."""
    for _ in range(_MAX_ROWS):
        if end < 0:
            return
        begin, end = end + 1, view.find(b"\n", end + 1)
        row = view[begin : end if end >= 0 else len(view)]
        lines = 1
        while b'"' in row and lines < _MAX_LINES and end >= 0 and _is_open(row, separator):
            end = view.find(b"\n", end + 1)
            row = view[begin : end if end >= 0 else len(view)]
            lines += 1
        other = b"\x1f" in row
        yield begin, row.partition(b"\x1f")[0] if other else row
        if other:
            return


def _is_open(row: bytes, separator: bytes) -> bool:
    """Whether the last cell of *row* begins with a quote that the line does not close."""
    before, quote, _ = row.rpartition(b'"')
    return bool(quote) and separator != b"|" and not before.count(b'"') & 1 and before.rstrip()[-1:] in (b"", separator)


def _cell(row: bytes, separator: bytes, column: int, columns: int) -> tuple[int, int] | None:
    """Where the cell *column* of *row* begins and ends; `None` when there are not so many."""
    if b'"' in row and separator != b"|":
        found = [match.span(1) for match in _CELLS[separator].finditer(row)]
        # behind the last cell there is an empty one
        size = len(found) - (len(found) > 1 and not row.endswith(separator))
        return found[column] if size == columns + 1 else None
    if row.count(separator) != columns:
        return None
    cells = row.split(separator, column + 1)
    end = len(row) - (len(cells[-1]) + 1 if len(cells) > column + 1 else 0)
    return end - len(cells[column]), end


def _is_rule(line: bytes) -> bool:
    return line[:1] in _RULED and (b"--" in line or b"==" in line) and not line.translate(None, _RULED)
