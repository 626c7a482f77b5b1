"""
Percent signs, JSON, HTML and quoted-printable escapes: what a text says when they are read, twice if need be.

Strings that code puts together (``"sk-" + "..."``) are read as the one that they will be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from .fold import fold

__all__ = ["decoded", "is_escaped"]

_ESCAPED: Final = re.compile(
    rb"(?P<utf>%[c-dC-D][0-9A-Fa-f]%[89a-bA-B][0-9A-Fa-f]|%[eE][0-9A-Fa-f](?:%[89a-bA-B][0-9A-Fa-f]){2}"
    rb"|%[fF][0-7](?:%[89a-bA-B][0-9A-Fa-f]){3})|%(?P<pct>[0-9A-Fa-f]{2})"
    rb"|(?P<colour>\\+(?:[uU]0{0,4}001[bB]|x1[bB]|033|e)\[[0-9;?]{0,24}[A-Za-z])"
    rb"|[\"'`](?P<join>[ \t]{0,4}\+[ \t\r\n]{0,24}[\"'`])(?=[0-9A-Za-z+/_.=-])"
    rb"|\\\\{0,3}[\"'`](?P<joint>[ \t]{0,4}\+[ \t\r\n]{0,24}\\{1,4}[\"'`])(?=[0-9A-Za-z+/_.=-])"
    rb"|\\+(?P<gap>[nrt])|\\+u(?P<u>[0-9A-Fa-f]{4})|\\+u\{0{0,4}(?P<point>[0-9A-Fa-f]{2,5})\}"
    rb"|\\+U000(?P<U>[0-9A-Fa-f]{5})|\\+x(?P<x>[0-9A-Fa-f]{2})|\\(?P<oct>[01][0-7]{2})"
    rb"|&#0{0,4}(?P<dec>[0-9]{2,6});|&#[xX]0{0,4}(?P<hex>[0-9A-Fa-f]{2,5});"
    rb"|=(?P<qp>40|2E|3D)(?=[0-9A-Za-z])|&(?P<name>commat|period|lowbar|amp|quot|apos|lt|gt|colon|equals);"
)
_QUOTED_PRINTABLE: Final = re.compile(rb"(?:=[2-7][0-9A-F]){3,}")
_QUOTED_PRINTABLE_AT: Final = re.compile(rb"=[2-7][0-9A-F]=[2-7][0-9A-F]=[2-7][0-9A-F]")
_PRINTABLE: Final = re.compile(rb"=40(?:[A-Za-z]|[0-9]{2,4}\.[a-z])|=[2-7][0-9A-F]=[2-7][0-9A-F]=[2-7][0-9A-F]")
_JOIN: Final = re.compile(rb"\+[ \t\r\n]{0,24}\\{0,4}[\"'`]")
_PERCENTS: Final = re.compile(rb"%[0-9A-Fa-f]{2}")
_ESCAPES: Final = re.compile(rb"\\[uUxnrt01e]")
_ENTITY: Final = re.compile(rb"&(?:#|(?:commat|period|lowbar|amp|quot|apos|lt|gt|colon|equals);)")
_ENTITIES: Final = {
    b"commat": "@", b"period": ".", b"lowbar": "_", b"amp": "&", b"quot": '"', b"apos": "'", b"lt": "<", b"gt": ">",
    b"colon": ":", b"equals": "=",
}  # fmt: skip
_BACKSLASH, _PERCENT, _AMPERSAND, _SEMICOLON, _EQUALS, _PLUS, _DOUBLE, _SINGLE, _BACK = b"\\%&;=+\"'`"
_BASES: Final = {"oct": 8, "dec": 10}
_PASSES: Final = 3
_MAX_KNOWN: Final = 4096
_known: dict[bytes, bytes] = {}


def is_escaped(view: bytes) -> bool:
    """Whether reading escapes may tell more."""
    # a number is sought in a tenth of the time of bytes
    return (
        (_BACKSLASH in view and _ESCAPES.search(view) is not None)
        or (_PERCENT in view and _PERCENTS.search(view) is not None)
        or (_AMPERSAND in view and _SEMICOLON in view and _ENTITY.search(view) is not None)
        or (_EQUALS in view and _PRINTABLE.search(view) is not None)
        or (_PLUS in view and (_DOUBLE in view or _SINGLE in view or _BACK in view) and _JOIN.search(view) is not None)
    )


def decoded(view: bytes) -> Iterator[tuple[bytes, Callable[[], Sequence[int]]]]:
    """*view* with escapes read once, then again; with each, what gives where its bytes stood (one more for the end)."""
    plain = view
    before: Callable[[], Sequence[int]] = lambda: range(len(view) + 1)  # noqa: E731 - the places of the view itself
    for _ in range(_PASSES):
        pattern, read = (_QUOTED_PRINTABLE, _printable) if _QUOTED_PRINTABLE_AT.search(plain) else (_ESCAPED, _plain)
        new = pattern.sub(read, plain)
        if new == plain:
            return
        before = partial(_places, pattern, read, plain, before)
        plain = new
        yield plain, before


def _places(
    pattern: re.Pattern[bytes],
    read: Callable[[re.Match[bytes]], bytes],
    view: bytes,
    before: Callable[[], Sequence[int]],
) -> Sequence[int]:
    """Where the bytes of *view*, read once more, stood; *before* gives where those of *view* did."""
    known = before()
    places: list[int] = []
    at = 0
    for match in pattern.finditer(view):
        begin, end = match.span()
        places += known[at:begin]
        said = len(read(match))
        places += known[begin:end:3] if said > 1 else known[begin : begin + said]
        at = end
    places += known[at:]
    return places


def _plain(match: re.Match[bytes]) -> bytes:
    """What one escape says: a byte, or nothing where nobody sees it."""
    text = match.group()
    byte = _known.get(text)
    if byte is None:
        byte = fold(_char(match))[:1]
        byte = b"" if byte == b"\x7f" else b" " if byte == b"\x1f" else byte
        if len(_known) < _MAX_KNOWN:
            _known[text] = byte
    return byte


def _printable(match: re.Match[bytes]) -> bytes:
    """What a run of quoted-printable says, a byte for each three."""
    run = match.group()
    return bytes([int(run[at + 1 : at + 3], 16) for at in range(0, len(run), 3)])


def _char(match: re.Match[bytes]) -> str:
    kind = match.lastgroup or ""
    value = match.group(kind)
    if kind == "gap":
        return " "
    if kind in ("colour", "join", "joint"):  # of a terminal, or between two strings that are one: nobody sees it
        return "\u200b"
    if kind == "name":
        return _ENTITIES[value]
    if kind == "utf":
        return bytes.fromhex(value.replace(b"%", b"").decode()).decode("utf-8", "replace")
    code = int(value, _BASES.get(kind, 16))
    if kind == "pct" and code > 0x7F:  # part of a UTF-8 sequence
        return "\u00ff"
    return chr(code) if code < 0xD800 or 0xE000 <= code < 0x110000 else "\u00ff"
