"""All detectors behind one scan: text in, labelled spans out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from . import accounts, mail, named, network, numbers, sql, tokens
from .engine import engine
from .escapes import decoded, is_escaped
from .fold import DELETED, fold
from .keys import Keys
from .others import Other

__all__ = ["Detector", "Span"]

Span: TypeAlias = tuple[int, int, str]
"""Begin, end, label; offsets count the characters of the text."""
Handler: TypeAlias = Callable[[bytes, int, int, "list[Span]"], "object"]

_SEAM: Final = re.compile(rb"[0-9A-Fa-f]{0,4}:|[A-Z]{2}[0-9]{2}[ -]")
_WORDS: Final = frozenset(bytes((c,)) for c in b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")
_LETTERS: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_DIGITS: Final = frozenset(b"0123456789")
_HEX: Final = frozenset(b"0123456789ABCDEFabcdef:.")


class Detector:
    """Finds what must not leave.  Without state, for any thread."""

    def __init__(self, keys: Keys | None = None, others: Sequence[Other] = (), *, re2: bool | None = None) -> None:
        self._keys = keys or Keys()
        self._others = tuple(others)
        self._named = named.Named(self._keys)
        self._names: set[bytes] = set()
        self._engine = engine(
            [
                tokens.ANCHOR, *network.ANCHORS, *accounts.ANCHORS, *numbers.ANCHORS, *mail.ANCHORS, sql.ANCHOR,
                named.ANCHOR,
            ],
            re2=re2,
        )  # fmt: skip
        handlers: list[Handler] = [self._named.find] * 256
        for char in _LETTERS:
            handlers[char] = self._letter
        for char in b"0123456789":
            handlers[char] = self._digit
        for char in b"+(":
            handlers[char] = self._sign
        handlers[ord("@")] = mail.find
        handlers[ord("[")] = handlers[ord("{")] = mail.find_spelled
        handlers[ord(":")] = network.find_colon
        handlers[ord("-")] = tokens.find
        handlers[ord(")")] = self._sql
        self._handlers = tuple(handlers)

    def find(self, text: str) -> list[Span]:
        """What *text* holds, in order, without overlap."""
        view = fold(text)
        if DELETED in view:
            kept = [i for i, byte in enumerate(view) if byte != DELETED]
            spans = self._both(view.translate(None, b"\x7f"))
            spans = [(kept[a], kept[b - 1] + 1, label) for a, b, label in spans]
        else:
            spans = self._both(view)
        for other in self._others:
            spans += other(text)
        return merged(spans) if len(spans) > 1 else spans

    def _both(self, view: bytes) -> list[Span]:
        spans: list[Span] = []
        self._look(view, spans)
        if is_escaped(view):
            for plain, offsets in decoded(view):
                again: list[Span] = []
                self._look(plain, again)
                spans += [(offsets[a], offsets[b], label) for a, b, label in again]
        return spans

    def _look(self, view: bytes, spans: list[Span]) -> None:
        handlers = self._handlers
        first = last = known = 0
        for start, end in self._engine.scan(view):
            if first <= start and end <= last:
                continue  # inside of what goes anyway
            handlers[view[start]](view, start, end, spans)
            if len(spans) > known:
                known = len(spans)
                first, last, _ = spans[-1]
            elif end - start > 4 and _may_hide(view, start, end):
                self._look_inside(view, start, end, spans)
                known = len(spans)

    def _look_inside(self, view: bytes, start: int, end: int, spans: list[Span]) -> None:
        """``12:33:01:4111...`` is no address, but what it ends with may be something."""
        at = start
        known = len(spans)
        while (seam := _SEAM.match(view[at:end])) and len(spans) == known:
            begin, stop = self._engine.search(view, at + seam.end())
            if not 0 <= begin < end:
                return
            self._handlers[view[begin]](view, begin, stop, spans)
            at = begin

    def _digit(self, view: bytes, start: int, end: int, spans: list[Span]) -> None:
        text = view[start:end]
        if text[2:3] == b"-" and _is_mac(text):
            network.find_mac(view, start, end, spans)
            return
        if numbers.find(view, start, end, spans):
            return
        if b":" in text:
            if text[:9].isdigit():  # ``123456789:AA...``
                tokens.find(view, start, end, spans)
            else:
                network.find_colons(view, start, end, spans)
        elif _is_mac(text):
            network.find_mac(view, start, end, spans)
        else:
            before = len(spans)
            accounts.find(view, start, end, spans)
            if len(spans) == before:
                tokens.find(view, start, end, spans)

    def _sign(self, view: bytes, start: int, end: int, spans: list[Span]) -> None:
        if not numbers.find(view, start, end, spans):
            mail.find_spelled(view, start, end, spans)

    def _sql(self, view: bytes, start: int, end: int, spans: list[Span]) -> None:
        sql.find(view, start, end, self._keys, spans)

    def _letter(self, view: bytes, start: int, end: int, spans: list[Span]) -> None:
        text = view[start:end]
        if text in self._names:
            self._named.find(view, start, end, spans)
        elif named.is_fragment(text):
            if len(self._names) < 4096:
                self._names.add(text)
            self._named.find(view, start, end, spans)
        elif text[:2].isalpha() and text[:2].isupper() and text[2:4].isdigit():
            before = len(spans)
            accounts.find(view, start, end, spans)
            if len(spans) == before and text[:2] in (b"SK", b"AC"):
                tokens.find(view, start, end, spans)
        elif b":" in text and _HEX.issuperset(text):
            network.find_colons(view, start, end, spans)
        elif _is_mac(text):
            network.find_mac(view, start, end, spans)
        else:
            before = len(spans)
            tokens.find(view, start, end, spans)
            if len(spans) == before:
                accounts.find(view, start, end, spans)
            if len(spans) == before:  # ``secret_key`` begins like a vendor's token
                self._named.find(view, start, end, spans)


def _may_hide(view: bytes, start: int, end: int) -> bool:
    """Whether something else may begin inside of a candidate that was nothing."""
    colon = view.rfind(b":", start, end)
    if colon < 0:
        return (
            view[start : start + 2].isupper() and view[start + 2 : start + 4].isdigit() and view[start + 5] in _DIGITS
        )
    if view[start + 2] == 0x3A and 0x30 <= view[start] <= 0x39 and view[start + 8 : start + 9] != b":":
        return False  # the time of day, as far as it goes
    return colon < end - 3 or view[end : end + 1] in _WORDS


def _is_mac(text: bytes) -> bool:
    return (len(text) == 17 and text.count(b"-") == 5) or (len(text) == 14 and text.count(b".") == 2)


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
