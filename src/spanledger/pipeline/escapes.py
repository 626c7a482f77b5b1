"""Percent signs, JSON, HTML and quoted-printable escapes: what a text says when they are read, twice if need be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from .fold import fold

__all__ = ["decoded", "is_escaped"]

_ESCAPED: Final = re.compile(
    rb"(?P<utf>%[c-dC-D][0-9A-Fa-f]%[89a-bA-B][0-9A-Fa-f]|%[eE][0-9A-Fa-f](?:%[89a-bA-B][0-9A-Fa-f]){2}"
    rb"|%[fF][0-7](?:%[89a-bA-B][0-9A-Fa-f]){3})|%(?P<pct>[0-9A-Fa-f]{2})"
    rb"|\\+(?P<gap>[nrt])|\\+u\{?0{0,4}(?P<u>[0-9A-Fa-f]{2,4})\}?"
    rb"|\\+U000(?P<U>[0-9A-Fa-f]{5})|\\+x(?P<x>[0-9A-Fa-f]{2})|\\(?P<oct>[01][0-7]{2})"
    rb"|&#0{0,4}(?P<dec>[0-9]{2,6});|&#[xX]0{0,4}(?P<hex>[0-9A-Fa-f]{2,5});"
    rb"|=(?P<qp>40|2E|3D)(?=[0-9A-Za-z])|&(?P<name>commat|period|lowbar|amp|quot|apos|lt|gt|colon|equals);"
)
_QUOTED_PRINTABLE: Final = re.compile(rb"(?:=[2-7][0-9A-F]){3,}")
_QUOTED_PRINTABLE_AT: Final = re.compile(rb"=[2-7][0-9A-F]=[2-7][0-9A-F]=[2-7][0-9A-F]")
_PERCENTS: Final = re.compile(rb"%[0-9A-Fa-f]{2}")
_ESCAPES: Final = re.compile(rb"\\[uUxnrt01]")
_ENTITY: Final = re.compile(rb"&(?:#|(?:commat|period|lowbar|amp|quot|apos|lt|gt|colon|equals);)")
_ENTITIES: Final = {
    b"commat": "@", b"period": ".", b"lowbar": "_", b"amp": "&", b"quot": '"', b"apos": "'", b"lt": "<", b"gt": ">",
    b"colon": ":", b"equals": "=",
}  # fmt: skip
_BACKSLASH, _PERCENT, _AMPERSAND, _EQUALS = b"\\%&="
_BASES: Final = {"oct": 8, "dec": 10}
_PASSES: Final = 3


def is_escaped(view: bytes) -> bool:
    """Whether reading escapes may tell more."""
    # a number is sought in a tenth of the time of bytes
    return (
        (_BACKSLASH in view and _ESCAPES.search(view) is not None)
        or (_PERCENT in view and _PERCENTS.search(view) is not None)
        or (_AMPERSAND in view and _ENTITY.search(view) is not None)
        or (_EQUALS in view and (b"=40" in view or _QUOTED_PRINTABLE_AT.search(view) is not None))
    )


def decoded(view: bytes) -> Iterator[tuple[bytes, list[int]]]:
    """*view* with escapes read once, then again; with each, where its bytes stood (and one more for the end)."""
    plain = view
    known: Sequence[int] = range(len(view) + 1)
    for _ in range(_PASSES):
        out = bytearray()
        places: list[int] = []
        at = 0
        for begin, end, char in _read(plain):
            out += plain[at:begin]
            places += known[at:begin]
            byte = fold(char)[:1]
            if byte != b"\x7f":
                out += byte
                places.append(known[begin])
            at = end
        if not at:
            return
        out += plain[at:]
        places += known[at:]
        plain, known = bytes(out).replace(b"\x1f", b" "), places
        yield plain, places


def _read(view: bytes) -> Iterator[tuple[int, int, str]]:
    """Each escape: where it begins and ends, what it says."""
    if _QUOTED_PRINTABLE_AT.search(view):
        for run in _QUOTED_PRINTABLE.finditer(view):
            for at in range(run.start(), run.end(), 3):
                yield at, at + 3, chr(int(view[at + 1 : at + 3], 16))
        return
    for match in _ESCAPED.finditer(view):
        yield match.start(), match.end(), _char(match)


def _char(match: re.Match[bytes]) -> str:
    kind = match.lastgroup or ""
    value = match.group(kind)
    if kind == "gap":
        return " "
    if kind == "name":
        return _ENTITIES[value]
    if kind == "utf":
        return bytes.fromhex(value.replace(b"%", b"").decode()).decode("utf-8", "replace")
    code = int(value, _BASES.get(kind, 16))
    if kind == "pct" and code > 0x7F:  # part of a UTF-8 sequence
        return "\u00ff"
    return chr(code) if code < 0xD800 or 0xE000 <= code < 0x110000 else "\u00ff"
