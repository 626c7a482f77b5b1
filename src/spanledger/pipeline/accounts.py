"""Accounts and national numbers with letters in them: IBAN, wallets, PAN, NINO, NIF and their kin."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from . import beside, checks
from .engine import Part

__all__ = ["PARTS", "find"]

Span: TypeAlias = tuple[int, int, str]

_COUNTRIES: Final = b"|".join(sorted(checks.IBAN_COUNTRIES))
ANCHORS: Final = (
    rb"\b0x[0-9A-Fa-f]{40}\b",
    rb"\b(?:bc|tb)1[02-9ac-hj-np-z]{20,}\b|\b(?:BC|TB)1[02-9AC-HJ-NP-Z]{20,}\b",
    rb"(?:\b|_)(?:" + _COUNTRIES + rb")[0-9]{2}[ .\n+-]?[0-9A-Z]{4}[ .\n+-]?[0-9A-Z]{4}[ .\n+-]?[0-9A-Z]{3}",
    rb"(?:\b|_)(?:" + _COUNTRIES.lower() + rb")[0-9]{2}[ -]?[0-9a-z]{4}[ -]?[0-9a-z]{4}[ -]?[0-9a-z]{3}",
    rb"\b[A-Z]{2} [0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]\b",
    rb"\b[A-Z]{5}[0-9]{4}[A-Z]\b",
    rb"\b[A-Z]{6}[0-9]{2}[A-EHLMPR-T][0-9]{2}[A-Z][0-9]{3}[A-Z]\b",
    rb"\b(?:[XYZ]-?)?[0-9]{7,8}-?[A-Z]\b",
    rb"\b[0-9]{6}[-+A-FU-Y][0-9]{3}[0-9A-Z]\b",
    rb"\b[13][1-9A-HJ-NP-Za-km-z]{25,34}\b|\b(?:5[HJK]|[KL][1-5][1-9A-HJ-NP-Za-km-z])[1-9A-HJ-NP-Za-km-z]{49}\b",
)

PARTS: Final = tuple(Part(pattern, tuple(b"%d" % digit for digit in range(10))) for pattern in ANCHORS)

_IBAN: Final = re.compile(rb"[A-Za-z]{2}[0-9]{2}(?:[ .\n+-]?[0-9A-Za-z]){11,30}")
_BETWEEN: Final = b" .\n+-"
_FRAME: Final = 0x5F
_NINO: Final = re.compile(rb"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?(?:[0-9]{2} ?){3}[A-D]\b")
_PAN: Final = re.compile(rb"[A-Z]{3}[ABCFGHLJPTK][A-Z][0-9]{4}[A-Z]\b")
_CODICE: Final = re.compile(rb"[A-Z]{6}[0-9]{2}[A-EHLMPR-T][0-9]{2}[A-Z][0-9]{3}[A-Z]\b")
_NIF: Final = re.compile(rb"([XYZ]?)-?([0-9]{7,8})-?([A-Z])\b")
_FINNISH: Final = re.compile(rb"([0-9]{6})[-+A-FU-Y]([0-9]{3})([0-9A-Z])\b")
_NIF_LETTERS: Final = b"TRWAGMYFPDXBNJZSQVHLCKE"
_FINNISH_LETTERS: Final = b"0123456789ABCDEFHJKLMNPRSTUVWXY"


def find(view: bytes, start: int, end: int, spans: list[Span]) -> bool:
    """Add what the candidate at *start* is, if it is one of these; whether it is."""
    known = len(spans)
    before = beside.before(view, start)
    if before not in b"-_." or (before == _FRAME and not beside.framed(view, start, start)):
        _find(view, start, end, spans)
    return len(spans) > known


def _find(view: bytes, start: int, end: int, spans: list[Span]) -> None:
    text = view[start:end]
    first = text[0]
    if text.startswith(b"0x") or (len(text) in (51, 52) and checks.base58(text, len(text) - 14)):
        spans.append((start, end, "CRYPTO"))
    elif text[:3].lower() in (b"bc1", b"tb1"):
        if checks.bech32(text):
            spans.append((start, end, "CRYPTO"))
    elif 0x41 <= first <= 0x5A or 0x61 <= first <= 0x7A:
        _lettered(view, start, spans)
    elif ((match := _FINNISH.match(view, start)) and _finnish(match)) or (
        (match := _NIF.match(view, start)) and _nif(match)
    ):
        spans.append((start, match.end(), "NATIONAL_ID"))
    elif first in b"13" and checks.bitcoin(text):
        spans.append((start, end, "CRYPTO"))


def _lettered(view: bytes, start: int, spans: list[Span]) -> None:
    match = _IBAN.match(view, start) if checks.iban_size(view[start : start + 2]) else None
    if match and (size := _iban(match.group())):
        spans.append((start, start + size, "IBAN"))
        return
    if view[start] >= 0x61:
        return
    for pattern in (_NINO, _PAN, _CODICE):
        if match := pattern.match(view, start):
            spans.append((start, match.end(), "NATIONAL_ID"))
            return
    if (match := _NIF.match(view, start)) and _nif(match):
        spans.append((start, match.end(), "NATIONAL_ID"))


def _iban(text: bytes) -> int:
    """How many bytes of *text* are an IBAN; 0 when none."""
    wanted = checks.iban_size(text[:2])
    if not wanted:
        return 0
    plain = text.translate(None, _BETWEEN)
    if len(plain) < wanted or not checks.iban(plain[:wanted].upper()):
        return 0
    size = wanted
    while len(text[:size].translate(None, _BETWEEN)) < wanted:
        size += 1
    return 0 if text[size : size + 1].isalnum() else size


def _nif(match: re.Match[bytes]) -> bool:
    prefix, digits, letter = match.groups()
    if len(digits) != (7 if prefix else 8):
        return False
    number = int((b"%d" % b"XYZ".index(prefix) if prefix else b"") + digits)
    return _NIF_LETTERS[number % 23] == letter[0]


def _finnish(match: re.Match[bytes]) -> bool:
    day, serial, check = match.groups()
    return checks.date(0, int(day[2:4]), int(day[:2])) and _FINNISH_LETTERS[int(day + serial) % 31] == check[0]
