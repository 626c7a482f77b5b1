"""All detectors behind one scan: text in, labelled spans out."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from . import accounts, mail, named, network, numbers, tokens
from .engine import scanner
from .fold import DELETED, fold
from .keys import Keys

__all__ = ["Detector", "Span"]

Span: TypeAlias = tuple[int, int, str]
"""Begin, end, label; offsets count the characters of the text."""

_ESCAPED: Final = re.compile(
    rb"%(?P<pct>[0-9A-Fa-f]{2})|\\+u(?P<u>[0-9A-Fa-f]{4})|\\+x(?P<x>[0-9A-Fa-f]{2})|&#(?P<dec>[0-9]{2,6});"
    rb"|&#[xX](?P<hex>[0-9A-Fa-f]{2,5});|=(?P<qp>40|2E|3D)(?=[0-9A-Za-z])|&(?P<name>commat|period|amp|lowbar|quot|nbsp);"
)
_RUN: Final = re.compile(numbers.ANCHOR)
_ENTITIES: Final = {b"commat": "@", b"period": ".", b"amp": "&", b"lowbar": "_", b"quot": '"', b"nbsp": " "}
_LETTERS: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_HEX: Final = frozenset(b"0123456789ABCDEFabcdef:")


class Detector:
    """Finds what must not leave.  Without state, for any thread."""

    def __init__(self, keys: Keys | None = None, *, re2: bool | None = None) -> None:
        self._named = named.Named(keys or Keys())
        self._scan = scanner(
            [
                tokens.ANCHOR, network.ANCHORS[0], network.ANCHORS[1], accounts_anchor(), numbers.ANCHOR,
                network.ANCHORS[2], mail.ANCHOR, named.ANCHOR,
            ],
            re2=re2,
        )  # fmt: skip

    def find(self, text: str) -> list[Span]:
        """What *text* holds, in order, without overlap."""
        view = fold(text)
        if DELETED in view:
            kept = [i for i, byte in enumerate(view) if byte != DELETED]
            spans = self._both(view.translate(None, b"\x7f"))
            spans = [(kept[a], kept[b - 1] + 1, label) for a, b, label in spans]
        else:
            spans = self._both(view)
        return merged(spans) if len(spans) > 1 else spans

    def _both(self, view: bytes) -> list[Span]:
        spans: list[Span] = []
        self._look(view, spans)
        if b"%" in view or b"\\" in view or b"&#" in view or b"=" in view or b"&c" in view:
            plain, offsets = view, None
            for _ in range(2):
                plain, offsets, changed = _decoded(plain, offsets)
                if not changed:
                    break
                again: list[Span] = []
                self._look(plain, again)
                assert offsets is not None  # noqa: S101 - a change has offsets
                spans += [(offsets[a], offsets[b], label) for a, b, label in again]
        return spans

    def _look(self, view: bytes, spans: list[Span]) -> None:
        for start, end in self._scan(view):
            first = view[start]
            if first in b"0123456789+(":
                self._digit(view, start, end, spans)
            elif first in _LETTERS:
                self._letter(view, start, end, spans)
            elif view[start : start + 3] == b"://":
                network.find_url(view, start, end, spans)
            elif first == 0x3A:  # a colon
                network.find_colons(view, start, end, spans)
            elif first == 0x2D:  # a dash
                tokens.find(view, start, end, spans)
            elif b"@" in view[start:end] or view[start : start + 1] in b"[({ ":
                mail.find(view, start, end, spans)
            else:
                self._named.find(view, start, end, spans)

    def _digit(self, view: bytes, start: int, end: int, spans: list[Span]) -> None:
        text = view[start:end]
        if text.isdigit() or text.translate(None, b"0123456789 ./()\n+-") == b"":
            numbers.find(view, start, end, spans)
            if _is_mac(text):
                network.find_mac(view, start, end, spans)
                if (run := _RUN.match(view, start)) and run.end() > end:  # ``4111.1111.1111`` of a longer number
                    numbers.find(view, start, run.end(), spans)
        elif b"@" in text:
            mail.find(view, start, end, spans)
        elif b":A" in text:
            tokens.find(view, start, end, spans)
        elif b":" in text:
            network.find_colons(view, start, end, spans)
        elif _is_mac(text):
            network.find_mac(view, start, end, spans)
        else:
            before = len(spans)
            accounts.find(view, start, end, spans)
            if len(spans) == before:
                tokens.find(view, start, end, spans)

    def _letter(self, view: bytes, start: int, end: int, spans: list[Span]) -> None:
        text = view[start:end]
        before = len(spans)
        if b"@" in text:
            mail.find(view, start, end, spans)
        elif b":" in text and _HEX.issuperset(text.replace(b".", b"")):
            network.find_colons(view, start, end, spans)
        elif _is_mac(text):
            network.find_mac(view, start, end, spans)
        else:
            tokens.find(view, start, end, spans)
            if len(spans) == before:
                accounts.find(view, start, end, spans)
            if len(spans) == before:
                self._named.find(view, start, end, spans)


def _is_mac(text: bytes) -> bool:
    return (len(text) == 17 and text.count(b"-") == 5) or (len(text) == 14 and text.count(b".") == 2)


def accounts_anchor() -> bytes:
    """All anchors of the accounts as one."""
    return b"|".join(accounts.ANCHORS)


def _decoded(view: bytes, offsets: list[int] | None) -> tuple[bytes, list[int] | None, bool]:
    """*view* with escapes read, and for each of its bytes where it stood in the text (one more for the end)."""
    matches = list(_ESCAPED.finditer(view))
    if not matches:
        return view, offsets, False
    known = offsets if offsets is not None else range(len(view) + 1)
    out = bytearray()
    places: list[int] = []
    at = 0
    for match in matches:
        out += view[at : match.start()]
        places += known[at : match.start()]
        out += fold(_char(match))[:1] or b"\xff"
        places.append(known[match.start()])
        at = match.end()
    out += view[at:]
    places += known[at:]
    return bytes(out).replace(b"\x1f", b" "), places, True


def _char(match: re.Match[bytes]) -> str:
    kind = match.lastgroup or ""
    value = match.group(kind)
    if kind == "name":
        return _ENTITIES[value]
    code = int(value, 10 if kind == "dec" else 16)
    if kind == "pct" and code > 0x7F:
        return "\u00ff"
    return chr(code) if code < 0xD800 or 0xE000 <= code < 0x110000 else "\u00ff"


def merged(spans: list[Span]) -> list[Span]:
    """*spans* in order; of those that overlap one remains, over all of them, with the label of the longest."""
    spans.sort(key=lambda span: (span[0], -span[1]))
    found: list[Span] = []
    for start, end, label in spans:
        if found and start < found[-1][1]:
            first, last, known = found[-1]
            if end > last:
                found[-1] = (first, end, known if last - first >= end - start else label)
        else:
            found.append((start, end, label))
    return found
