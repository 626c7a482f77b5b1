"""
Groups of digits: cards, social security numbers, phones, IPv4, national numbers.

The scan stops only at groupings that can be one of these, so that dates, ids and amounts cost nothing.  What it found
is looked up by its shape (``999-99-9999``), then checked by check digits, ranges and neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeAlias

from . import beside, checks, nationals, phones
from .engine import Part

__all__ = ["PARTS", "card_in", "find", "find_abroad", "find_over_lines", "find_plain"]

Span: TypeAlias = tuple[int, int, str]
Check: TypeAlias = Callable[[bytes, int, int], "str | None"]

_EXTENSION: Final = rb"(?: ?(?:x|ext\.?) ?[0-9]{1,6})?"
_BETWEEN: Final = rb"(?:[ \t\r\n]+|[ \t\r\n]*[-._/+:|][ \t\r\n]*|[\"'] ?[,+] ?[\"'])"
_CARD: Final = (
    rb"(?:4[0-9]{12}(?:[0-9]{3}(?:[0-9]{3})?)?|5[0-8][0-9]{14,17}|3[04-9][0-9]{12,17}|6[02-57][0-9]{14,17}"
    rb"|2[2-7][0-9]{14}|81[0-9]{14}|1[0-9]{14})"
)
_HEAD: Final = rb"(?:2[2-7][0-9]|3[04-9][0-9]|4[0-9][0-9]|5[0-8][0-9]|6[02-57][0-9]|81[0-9])[0-9]"
"""The first group of a card: no others are issued."""
_DOTTED: Final = (
    rb"(?:\b|_)(?:[0-9]{1,2}|[02-9][0-9]{2}|1[013-9][0-9]|12[0-689])(?:\.[0-9]{1,3}){3}(?:/[0-9]{1,2})?"
    rb"(?:[^-+_.0-9A-Za-z]|\.(?:[^0-9]|$)|[-+_](?:[^0-9A-Za-z_]|$)|$)"
)
ANCHORS: Final = (
    rb"\b[0-9]+(?:\.[0-9]+){4,}",
    _DOTTED,
    rb"(?:\b|_)" + _HEAD + rb"[ .\n-][0-9]{4}[ .\n-][0-9]{4}[ .\n-][0-9]{1,4}(?:[ .-][0-9]{1,3})?(?:\b|_)",
    rb"(?:\b|_)" + _HEAD + rb"(?:" + _BETWEEN + rb"[0-9]{4}){2}" + _BETWEEN + rb"[0-9]{1,4}(?:[+/|][0-9]{3})?(?:\b|_)",
    rb"(?:\b|_)3[0-9]{3}(?: ?[.+-] ?|[ \n])[0-9]{6}(?: ?[.+-] ?|[ \n])[0-9]{4,5}(?:\b|_)",
    rb"\b[2-6](?:[ -]{1,2}[0-9]){12,18}\b",
    rb"\b[2-6][0-9]{7}[ \n-][0-9]{8}\b|\b62[0-9]{4}[ .+-][0-9]{13}\b",
    rb"[A-Za-z][2-6][0-9]{14,15}(?:\b|[A-Za-z])|\b[2-6][0-9]{14,15}[A-Za-z]",
    rb"(?:\b|_)" + _CARD + rb"(?:\b|_)",
    rb"(?:\b|_)[0-9]{3} ?[-. ] ?[0-9]{2} ?[-. ][ \n]?[0-9]{4}(?:\b|_)",
    rb"\+[0-9]{1,3}[ ./(-]{1,2}[0-9][0-9 ./()-]{0,14}\r?\n ?[0-9][0-9 -]{1,12}[0-9]\b",
    rb"_?\+\(?[0-9][0-9 ./()-]{6,22}[0-9](?:\b|_)",
    rb"\b00[1-9][0-9]{0,2}[ ./(-]{1,2}[0-9][0-9 ./()-]{5,18}[0-9]\b",
    rb"(?:\b1[ .-])?\([0-9]{3}\)[ \n]?[0-9]{3}[-. ]\n?[0-9]{4}" + _EXTENSION + rb"(?:\b|_)",
    rb"(?:\b|_)(?:[0-9]{1,3}[-. ])?[0-9]{3}(?:[. ]|-\n?)[0-9]{3}(?:[. ]|-\n?) ?[0-9]{4}" + _EXTENSION + rb"(?:\b|_)",
    rb"\b0[0-9]{1,2}-[0-9]{3,4}-[0-9]{4}\b|\b0[0-9]-[0-9]{7}\b",
    rb"\b[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}\b",
    rb"\b[12] [0-9]{2} [0-9]{2} [0-9]{2} [0-9]{3} [0-9]{3} [0-9]{2}\b",
    rb"\b[0-9]{6}-[0-9]{7}\b|\b(?:[0-9]{2})?[0-9]{6}-[0-9]{4}\b",
)

_DIGIT: Final = tuple(b"%d" % digit for digit in range(10))
PARTS: Final = tuple(Part(pattern, _DIGIT) for pattern in ANCHORS)

_SHAPE: Final = bytes.maketrans(b"012345678\r\n\t", b"999999999   ")
_ODD: Final = re.compile(rb"[^0-9]+")
_GROUP_BEFORE: Final = re.compile(rb"[0-9]{4}[^0-9A-Za-z]{1,6}$")
_GROUP_AFTER: Final = re.compile(rb"[^0-9A-Za-z]{1,6}[0-9]{4}(?![0-9])")
_BLANK: Final = b" \t\r\n"
_JOINS: Final = (b"_", b"-", b"+", b"/", *(b"%d" % digit for digit in range(10)))
_PLUS = 0x2B
_GLUE: Final = 6
"""How many letters may stand beside a card's digits in one word."""
_VERSION: Final = re.compile(
    rb"\b(?:version|ver|release|build|rev|section|chapter|clause|article|figure|table|appendix)s?[ :='\"]{0,4}$",
    re.IGNORECASE,
)
_GOODS: Final = re.compile(rb"\b(?:ean|gtin|upc|isbn|barcode)(?:[ -]?1[34])?[ :=#'\"]{0,4}$", re.IGNORECASE)
"""What stands before the number of a thing that is sold."""
_GROUPED: Final = re.compile(ANCHORS[2])
_SEAM: Final = re.compile(rb"[ \r\n()./-]+(?=[0-9(+])")
_GROUP: Final = re.compile(rb"[0-9]{4}[ .\n-]")
_FOUR_BY_FOUR: Final = 19
_GOODS_SIZE: Final = 13
_NEIGHBOURHOOD: Final = 32
_GROUPING: Final = frozenset(b" -()")
_OPENING: Final = re.compile(rb"\+?\(")
_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LETTERS: Final = frozenset(_ALPHABET)
_DIGITS: Final = frozenset(b"0123456789")
_STARTS: Final = frozenset(b"0123456789+(")


def _card(view: bytes, start: int, end: int) -> str | None:
    return _standing(view, start, end) if checks.card(beside.digits(view, start, end)) else None


def _standing(view: bytes, start: int, end: int) -> str | None:
    """Whether what stands beside a card's digits leaves them one."""
    before, after = beside.before(view, start), beside.after(view, end)
    if before == 0x2E and beside.before(view, start - 1) in _LETTERS:
        before = 0x20  # ``card.4111...``, and no fraction
    if after == 0x25 or beside.runs_on(view, end):
        return None
    if (before in b"-.#$" or beside.framed(view, start, end)) and not beside.named(view, start, "CARD"):
        return None
    if (before in _LETTERS or after in _LETTERS) and not _in_a_word(view, start, end):
        return None
    return "CARD"


def _in_a_word(view: bytes, start: int, end: int) -> bool:
    """Whether only a few letters, as of ``card4111...``, are glued to the digits."""
    head = view[max(0, start - _GLUE - 1) : start]
    tail = view[end : end + _GLUE + 1]
    before, after = head.rstrip(_ALPHABET), tail.lstrip(_ALPHABET)
    glued = len(head) - len(before) + len(tail) - len(after)
    return glued <= _GLUE and before[-1:] not in _JOINS and after[:1] not in _JOINS and end - start in (15, 16)


def _odd_card(view: bytes, start: int, end: int) -> str | None:
    """Four groups that anything stands between, the same each time, and no more of them beside."""
    separators = {each.strip(_BLANK) for each in _ODD.findall(view[start:end])}
    if len(separators) > 1 or _GROUP_AFTER.match(view, end) or _GROUP_BEFORE.search(view, max(0, start - 12), start):
        return None
    return _card(view, start, end)


def _ssn(view: bytes, start: int, end: int) -> str | None:
    if beside.runs_on(view, end):
        return None
    alone = beside.before(view, start) not in b"-./#" and not beside.framed(view, start, end)
    if not alone and not beside.in_a_path(view, start, end) and not beside.named(view, start, "SSN"):
        return None
    if len({each.strip(_BLANK) for each in _ODD.findall(view[start:end])}) > 1:
        return None
    digits = beside.digits(view, start, end)
    return "SSN" if checks.ssn(digits) else "ITIN" if checks.itin(digits) else None


def _dotted(view: bytes, start: int, end: int) -> str | None:
    """``01.23.45.67.89``; other chains of five and more are object ids."""
    return "PHONE" if view[start] == 0x30 and view[start + 1] != 0x30 and not beside.runs_on(view, end) else None


def _ipv4(view: bytes, start: int, end: int) -> str | None:
    text = view[start:end].partition(b"/")[0]
    before = beside.before(view, start)
    if before in b".-_/v" and view[max(0, start - 2) : start] != b"//" and not beside.in_frame(view, start):
        return None
    after, then = beside.after(view, end), beside.after(view, end + 1)
    if not checks.ipv4(text) or (after in b"-+_" and then in beside.WORD) or (after == 0x2E and then in _DIGITS):
        return None
    if text == b"0.0.0.0":
        return None  # this machine, nobody's address, like 127.0.0.1
    return None if _VERSION.search(view[max(0, start - 16) : start]) else "IP"


_KINDS: Final[tuple[tuple[re.Pattern[bytes], Check], ...]] = tuple(
    (re.compile(pattern), check)
    for pattern, check in (
        (rb"9{12,19}", _card),
        (rb"9{4}([ .-])9{4}(?:\1| )9{4}(?:\1| )9{1,4}(?:[ .-]9{1,3})?", _card),
        (rb"9{4}(?: ?[.+-] ?| )9{6}(?: ?[.+-] ?| )9{4,5}", _card),
        (rb"9(?:[ -]{1,2}9){12,18}", _card),
        (rb"9{8}[ -]9{8}|9{6}[ .+-]9{13}", _card),
        (rb"9{1,3}(?:\.9{1,3}){3}(?:/9{1,2})?", _ipv4),
        (rb"99(?:\.99){4}", _dotted),
        (rb"999 ?[-. ] ?99 ?[-. ] ?9999", _ssn),
        (rb"\+\(?9[9 ./()-]{6,32}9", phones.plus),
        (rb"999{1,3}[ ./(-]{1,2}9[9 ./()-]{5,18}9", phones.abroad),
        (rb"(?:9[ .-])?\(999\) ?999[-. ] ?9999(?: ?(?:x|ext\.?) ?9{1,6})?", phones.american),
        (rb"(?:9{1,3}[-. ])?999([-.]) ?999\1 ?9999(?: ?(?:x|ext\.?) ?9{1,6})?", phones.american),
        (rb"99{1,2}-9{3,4}-9999|99-9{7}", phones.trunk),
        (rb"999([- ])999\1 ?9999", nationals.nhs),
        (rb"999\.999\.999-99", nationals.cpf),
        (rb"9 99 99 99 999 999 99", nationals.nir),
        (rb"9{6}-9{7}|(?:99)?9{6}-9{4}", nationals.dated),
        (rb"9{4}[^9A-Za-z]+9{4}[^9A-Za-z]+9{4}[^9A-Za-z]+9{1,4}(?:[+/|]9{3})?", _odd_card),
    )
)


@lru_cache(maxsize=4096)
def _checks_for(shape: bytes) -> tuple[Check, ...]:
    """What a number of this shape may be."""
    found = tuple(check for pattern, check in _KINDS if pattern.fullmatch(shape))
    return tuple(check for check in found if check is not _odd_card) if _card in found else found


def find_over_lines(view: bytes, start: int, line: int, end: int, spans: list[Span]) -> int | None:
    """Add the number behind ``+`` that a line's end at *line* may break; where the scan goes on, if not behind it."""
    size = len(beside.digits(view, start, end))
    alone = checks.assigned_phone(beside.digits(view, start, line)) or not 10 <= size <= 15
    if not alone and phones.plus(view, start, end):
        spans.append((start, end, "PHONE"))
        return None
    find(view, start, line, spans)
    return line


def find_abroad(view: bytes, start: int, end: int, spans: list[Span]) -> int:
    """Add the number behind ``+`` or ``00``; where the scan goes on, for it may have run into another."""
    if (card := card_in(view, start, end)) is not None:
        if card[0] > start:
            find(view, start, card[0], spans)
        spans.append(card)
        return card[1]
    known = len(spans)
    find(view, start, end, spans)
    if len(spans) > known:
        return spans[-1][1]
    seam = _SEAM.search(view, start + 1, end)
    return end if seam is None else seam.start()


def card_in(view: bytes, start: int, end: int) -> Span | None:
    """The card that begins in a number and that the number ran into."""
    at, beyond = start, min(len(view), end + _FOUR_BY_FOUR)
    while (card := _GROUPED.search(view, at, beyond)) is not None and card.start() < end:
        at = card.start()
        for stop in (card.end(), at + _FOUR_BY_FOUR):
            if label := _card(view, at, stop):
                return at, stop, label
        at += 1
    return None


def find_plain(view: bytes, start: int, digits: bytes, spans: list[Span]) -> None:
    """Add what the bare *digits* at *start* are."""
    end = start + len(digits)
    if not checks.card(digits) or (label := _standing(view, start, end)) is None:
        return
    if len(digits) != _GOODS_SIZE or not _GOODS.search(view[max(0, start - 16) : start]):
        spans.append((start, end, label))


def find(view: bytes, start: int, end: int, spans: list[Span]) -> bool:
    """Add what the number at *start* is; whether it has the shape of one at all."""
    if view[start] not in _STARTS:
        start += 1  # a letter or an underscore before it
    while end > start and view[end - 1] not in _DIGITS:
        end -= 1  # what had to follow it
    shape = view[start:end].translate(_SHAPE)
    checks_for = _checks_for(shape)
    for check in checks_for:
        if label := check(view, start, end):
            spans.append((start, end, label))
            return True
    if len(shape) > 11 and not _GROUPING.isdisjoint(shape):
        if len(shape) == _FOUR_BY_FOUR and shape[0] == 0x39:
            if beside.after(view, end + 1) in _DIGITS and beside.after(view, end) in b" -.\n":
                _part_of(view, start, end, spans, _beyond)
        elif not shape.translate(None, b"9 ./()-+"):
            _part_of(view, start, end, spans, _neighbours)
            return True
    return bool(checks_for)


def _part_of(
    view: bytes, start: int, end: int, spans: list[Span], look: Callable[[bytes, int, int], Span | None]
) -> None:
    """Add what *look* finds at *start*:*end*, whose neighbourhood is all that counts."""
    origin = max(0, start - _NEIGHBOURHOOD)
    found = look(view[origin : end + _NEIGHBOURHOOD], start - origin, end - origin)
    if found is not None:
        spans.append((origin + found[0], origin + found[1], found[2]))


@lru_cache(maxsize=64)
def _beyond(view: bytes, start: int, end: int) -> Span | None:
    """A card that begins with a later group: ``2024-4111 1111 1111 1111``."""
    at = start
    while (group := _GROUP.match(view, at)) and group.end() < end:
        at = group.end()
        if (following := _GROUPED.match(view, at)) and (label := _card(view, at, following.end())):
            return at, following.end(), label
    return None


@lru_cache(maxsize=64)
def _neighbours(view: bytes, start: int, end: int) -> Span | None:
    """A number that is none may be one with others beside it: leave out groups on both sides, and look beyond."""
    seams = [match.span() for match in _SEAM.finditer(view, start, end)]
    opening = _OPENING.match(view, start)
    firsts = [start, *([opening.end()] if opening else ()), *(after for _, after in seams[:3])]
    lasts = [end, *(before for before, _ in reversed(seams[-3:] if view[start] != _PLUS else seams))]
    for first in firsts:
        for last in lasts:
            if last - first > 6 and (first, last) != (start, end):
                for check in _checks_for(view[first:last].translate(_SHAPE)):
                    if label := check(view, first, last):
                        return first, last, label
    return _beyond(view, start, end)
