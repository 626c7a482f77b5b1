"""
Runs of digits: cards, social security numbers, phones, addresses, national numbers.

The shape of a run (``999-99-9999``) says what it may be, and is remembered; most dates, ids and amounts are done with
that one look.  What remains is checked by check digits, ranges and neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeAlias

from . import checks

__all__ = ["ANCHOR", "find"]

Span: TypeAlias = tuple[int, int, str]
Check: TypeAlias = Callable[[bytes, int, int], str | None]

ANCHOR: Final = rb"\+?\(?\b[0-9][0-9 ./()\n-]{5,}[0-9]\b"

_SHAPE: Final = bytes.maketrans(b"012345678\n", b"999999999 ")
_SEPARATORS: Final = b" ./()\n-+"
_WORD: Final = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")
_CALLING_CODES: Final = frozenset(
    b"1 7 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84"
    b" 86 90 91 92 93 94 95 98 211 212 213 216 218 220 221 222 223 224 225 226 227 228 229 230 231 232 233 234 235 236"
    b" 237 238 239 240 241 242 243 244 245 246 248 249 250 251 252 253 254 255 256 257 258 260 261 262 263 264 265 266"
    b" 267 268 269 290 291 297 298 299 350 351 352 353 354 355 356 357 358 359 370 371 372 373 374 375 376 377 378 380"
    b" 381 382 383 385 386 387 389 420 421 423 500 501 502 503 504 505 506 507 508 509 590 591 592 593 594 595 596 597"
    b" 598 599 670 672 673 674 675 676 677 678 679 680 681 682 683 685 686 687 688 689 690 691 692 800 808 850 852 853"
    b" 855 856 870 878 880 881 882 883 886 888 960 961 962 963 964 965 966 967 968 970 971 972 973 974 975 976 977 979"
    b" 992 993 994 995 996 998".split()
)


def _before(view: bytes, start: int) -> int:
    return view[start - 1] if start else 0x20


def _after(view: bytes, end: int) -> int:
    return view[end] if end < len(view) else 0x20


def _digits(view: bytes, start: int, end: int) -> bytes:
    return view[start:end].translate(None, _SEPARATORS)


def _card(view: bytes, start: int, end: int) -> str | None:
    before = _before(view, start)
    if before in b"-_.#$" or _after(view, end) in b"_%":
        return None
    return "CARD" if checks.card(_digits(view, start, end)) else None


def _ssn(view: bytes, start: int, end: int) -> str | None:
    if _before(view, start) in b"-./#" or _after(view, end) in b"-/":
        return None
    digits = _digits(view, start, end)
    return "SSN" if checks.ssn(digits) else "ITIN" if checks.itin(digits) else None


def _ipv4(view: bytes, start: int, end: int) -> str | None:
    text = view[start:end].partition(b"/")[0]
    if not checks.ipv4(text) or (_before(view, start) in b".-_/@=v" and not _address_edge(view, start)):
        return None
    after, then = _after(view, end), _after(view, end + 1)
    if after in b"-+_" and then in _WORD:
        return None
    if after == 0x2E and (0x30 <= then <= 0x39):
        return None
    word = view[max(0, start - 12) : start].lower()
    return None if word.rstrip(b" :='\"").endswith((b"version", b"ver", b"release", b"build")) else "IP"


def _address_edge(view: bytes, start: int) -> bool:
    before = _before(view, start)
    return before in b"=@" or view[max(0, start - 2) : start] == b"//"


def _phone_plus(view: bytes, start: int, end: int) -> str | None:
    if _before(view, start) in _WORD:
        return None
    digits = _digits(view, start, end)
    if not 8 <= len(digits) <= 15:
        return None
    return "PHONE" if any(digits[:n] in _CALLING_CODES for n in (1, 2, 3)) else None


def _phone_american(view: bytes, start: int, end: int) -> str | None:
    if _before(view, start) in b"-./#$" or _after(view, end) in b"-/":
        return None
    digits = _digits(view, start, end)[-10:]
    return "PHONE" if digits[0] > 0x31 and digits[3] > 0x31 and digits[1:3] != b"11" else None


def _nhs(view: bytes, start: int, end: int) -> str | None:
    return "NHS" if checks.mod11_nhs(_digits(view, start, end)) else None


def _cpf(view: bytes, start: int, end: int) -> str | None:
    return "NATIONAL_ID" if checks.cpf(_digits(view, start, end)) else None


def _nir(view: bytes, start: int, end: int) -> str | None:
    digits = _digits(view, start, end)
    return "NATIONAL_ID" if digits[0] in b"12" and checks.nir(digits) else None


def _dated(view: bytes, start: int, end: int) -> str | None:
    """Numbers that begin with a birth date: Korean (6-7) with a century digit, Swedish (6-4) with Luhn."""
    digits = _digits(view, start, end)[-13:]
    if not checks.date(0, int(digits[2:4]), int(digits[4:6])) or _before(view, start) in b"-.#":
        return None
    korean = len(digits) == 13 and digits[6] in b"12345678"
    swedish = len(digits) == 10 and checks.luhn(digits)
    return "NATIONAL_ID" if korean or swedish else None


_E: Final = rb"(?![9]|[-.][9])"
_KINDS: Final[tuple[tuple[re.Pattern[bytes], Check], ...]] = (
    (re.compile(rb"(?<!9)9{12,19}(?!9)"), _card),
    (re.compile(rb"(?<![9])9{4}([ .-])9{4}(?:\1| )9{4}(?:\1| )9{4}(?:[ -]9{1,3})?" + _E), _card),
    (re.compile(rb"(?<![9])9{4}[ .-]9{6}[ .-]9{4,5}" + _E), _card),
    (re.compile(rb"(?<![9])9(?:[ -]{1,2}9){12,18}(?!9)"), _card),
    (re.compile(rb"(?<![9])9{8} 9{8}(?!9)"), _card),
    (re.compile(rb"(?<![9.])9{1,3}(?:\.9{1,3}){3}(?:/9{1,2})?(?![9])"), _ipv4),
    (re.compile(rb"(?<![9])999([-. ])99\1 ?9999" + _E), _ssn),
    (re.compile(rb"\+[(]?9[9 ./()-]{6,22}9"), _phone_plus),
    (re.compile(rb"(?<![9])(?:9 |9-|9\.)?\(999\) ?999[-. ]9999" + _E), _phone_american),
    (re.compile(rb"(?<![9.-])(?:9[-. ])?999([-.])999\1 ?9999" + _E), _phone_american),
    (re.compile(rb"(?<![9.-])999([- ])999\1 ?9999" + _E), _nhs),
    (re.compile(rb"(?<![9.])999\.999\.999-99(?!9)"), _cpf),
    (re.compile(rb"(?<![9])9 99 99 99 999 999 99(?!9)"), _nir),
    (re.compile(rb"(?<![9-])9{6}-9{7}" + _E), _dated),
    (re.compile(rb"(?<![9-])(?:99)?9{6}[-]9{4}" + _E), _dated),
)


@lru_cache(maxsize=4096)
def _potentials(shape: bytes) -> tuple[tuple[int, int, Check], ...]:
    """What a run of this shape may hold, and where."""
    return tuple((m.start(), m.end(), check) for pattern, check in _KINDS for m in pattern.finditer(shape))


def find(view: bytes, start: int, end: int, spans: list[Span]) -> None:
    """Add what the run of digits at *start* holds."""
    shape = view[start:end].translate(_SHAPE)
    # columns of numbers are not worth remembering
    potentials = _potentials(shape) if len(shape) <= 64 else _potentials.__wrapped__(shape)
    for first, last, check in potentials:
        if label := check(view, start + first, start + last):
            spans.append((start + first, start + last, label))
