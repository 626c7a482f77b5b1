"""Percent signs, JSON, HTML and quoted-printable escapes: what a text says when they are read, twice if need be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from .fold import fold

__all__ = ["decoded", "is_escaped"]

_ESCAPED: Final = re.compile(
    rb"%(?P<pct>[0-9A-Fa-f]{2})|\\+(?P<gap>[nrt])|\\+u(?P<u>[0-9A-Fa-f]{4})|\\+x(?P<x>[0-9A-Fa-f]{2})|&#(?P<dec>[0-9]{2,6});"
    rb"|&#[xX](?P<hex>[0-9A-Fa-f]{2,5});|=(?P<qp>40|2E)(?=[0-9A-Za-z])|&(?P<name>commat|period|lowbar);"
)
_PERCENT: Final = re.compile(rb"%[0-9A-Fa-f]{2}")
_BACKSLASH: Final = re.compile(rb"\\[uxnrt]")
_ENTITIES: Final = {b"commat": "@", b"period": ".", b"lowbar": "_"}


def is_escaped(view: bytes) -> bool:
    """Whether reading escapes may tell more."""
    return (
        (b"\\" in view and _BACKSLASH.search(view) is not None)
        or (b"%" in view and _PERCENT.search(view) is not None)
        or (b"&" in view and (b"&#" in view or b"&commat" in view or b"&period" in view))
        or b"=40" in view
    )


def decoded(view: bytes) -> Iterator[tuple[bytes, list[int]]]:
    """*view* with escapes read once, then twice; with each, where its bytes stood (and one more for the end)."""
    plain = view
    known: Sequence[int] = range(len(view) + 1)
    for _ in range(2):
        out = bytearray()
        places: list[int] = []
        at = 0
        for match in _ESCAPED.finditer(plain):
            out += plain[at : match.start()]
            places += known[at : match.start()]
            out += fold(_char(match))[:1]
            places.append(known[match.start()])
            at = match.end()
        if not at:
            return
        out += plain[at:]
        places += known[at:]
        plain, known = bytes(out).replace(b"\x1f", b" "), places
        yield plain, places


def _char(match: re.Match[bytes]) -> str:
    kind = match.lastgroup or ""
    value = match.group(kind)
    if kind == "gap":
        return " "
    if kind == "name":
        return _ENTITIES[value]
    code = int(value, 10 if kind == "dec" else 16)
    if kind == "pct" and code > 0x7F:  # part of a UTF-8 sequence
        return "\u00ff"
    return chr(code) if code < 0xD800 or 0xE000 <= code < 0x110000 else "\u00ff"
