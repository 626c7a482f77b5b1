"""All detectors behind one scan: text in, labelled spans out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import get_ident
from typing import Final, TypeAlias

from . import accounts, mail, named, native, network, numbers, sql, tokens
from .engine import Part, engine
from .escapes import decoded, is_escaped
from .flat import Flat, merged
from .fold import DELETED, fold
from .keys import Keys
from .native import WATCHED
from .others import Other
from .seams import SEAM, may_hide

__all__ = ["Detector", "Span"]

Span: TypeAlias = tuple[int, int, str]
"""Begin, end, label; offsets count the characters of the text."""
Handler: TypeAlias = Callable[[bytes, int, int, "list[Span]"], "int | None"]
"""Adds what a candidate is; where the scan must go on, if not behind it."""

_LETTERS: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_DIGITS: Final = frozenset(b"0123456789")
_WORD: Final = _LETTERS | _DIGITS | frozenset(b"_")
_MAILS: Final = frozenset((b"@", b" ", b"\r", b"\n"))
_DOTTED: Final = b"0123456789. "
_NUMERALS: Final = b"0123456789"
_MANY: Final = 9
"""How many digits inside of what was nothing may be something."""
_HASH: Final = 32
_KEYED: Final = (b"SK", b"AC", b"GR", b"ya", b"y0")
"""How keys begin that look like accounts."""
_COLON, _PLUS, _NEWLINE = b":+\n"
_CROWD: Final = 1024
"""How many candidates are looked at before it is asked whether they stand too close together."""
_DENSE: Final = 24
"""How many characters for each are too few: no text is so full of names and numbers."""
_PACKED: Final = 20
_HEX: Final = frozenset(b"0123456789ABCDEFabcdef:.")


class Detector:
    """Finds what must not leave.  Without state, for any thread."""

    def __init__(self, keys: Keys | None = None, others: Sequence[Other] = (), *, re2: bool | None = None) -> None:
        self._keys = keys or Keys()
        self._others = tuple(others)
        self._named = named.Named(self._keys)
        self._names: dict[bytes, bool] = {}
        self._flat = Flat(self._keys, self._look)
        self._engine = engine(
            [
                *tokens.PARTS, *network.PARTS, *accounts.PARTS, *numbers.PARTS, network.DOTTED, *mail.PARTS, sql.PART,
                *named.PARTS, *named.parts_of(self._keys), Part(tokens.PACKED),
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
        for char in b'_.%+-"':
            handlers[char] = self._joint
        for char in range(0x80, 0x100):
            handlers[char] = self._foreign
        for char in b"[{<":
            handlers[char] = mail.find_spelled
        handlers[ord("+")] = self._sign
        handlers[ord("0")] = self._zero
        handlers[ord(":")] = network.find_colon
        handlers[ord(")")] = self._sql
        self._handlers = tuple(handlers)
        self._begin, self._fixed = self._engine
        self.in_json: Callable[[str], list[Span] | None] = self._flat.find if not others else lambda _text: None
        """What a text that looks like JSON holds; `None` when it must be walked."""

    def find(self, text: str) -> list[Span]:
        """What *text* holds, in order, without overlap."""
        view = fold(text)
        if DELETED in view:
            spans = self._both(view.translate(None, b"\x7f"))
            if spans:
                kept = [i for i, byte in enumerate(view) if byte != DELETED]
                spans = [(kept[a], kept[b - 1] + 1, label) for a, b, label in spans]
        elif is_escaped(view):
            spans = self._both(view)
        else:
            spans = []
            self._look(view, spans)
        for other in self._others:
            spans += other(text)
        return merged(spans) if len(spans) > 1 else spans

    def _both(self, view: bytes) -> list[Span]:
        spans: list[Span] = []
        self._look(view, spans)
        for plain, offsets in decoded(view):
            again: list[Span] = []
            self._look(plain, again)
            if again:
                places = offsets()
                spans += [(places[a], places[b], label) for a, b, label in again]
        return spans

    def _look(self, view: bytes, spans: list[Span]) -> None:
        if not WATCHED or (me := get_ident()) not in WATCHED or native.is_inside(me):
            self._search(view, spans)
            return
        native.enter()
        try:
            self._search(view, spans)
        finally:
            native.leave(me)

    def _search(self, view: bytes, spans: list[Span]) -> None:
        size = len(view)
        search = self._fixed or self._begin(view)
        handlers = self._handlers
        first = last = at = since = 0
        left = _CROWD
        known = len(spans)
        while at < size:
            start, end = search(view, at, size)[0]
            if start < 0:
                return
            left -= 1
            if not left:
                if start - since < _CROWD * _DENSE:  # to look at each would take too long
                    at = view.find(b"\x1f", start)
                    at = size if at < 0 else at
                    spans.append((start, at, "FLOOD"))
                    known = len(spans)
                left, since = _CROWD, at
                continue
            # what is no part of a word may begin the next candidate
            at = end if view[end - 1] in _WORD and view[end : end + 1] != b"@" else max(end - 1, start + 1)
            if first <= start and end <= last:
                continue  # inside of what goes anyway
            if elsewhere := handlers[view[start]](view, start, end, spans):
                at = elsewhere
            if len(spans) > known:
                known = len(spans)
                first, last, _ = spans[-1]
            elif 4 < end - start < 64 and may_hide(view, start, end):
                self._look_inside(view, start, end, spans)
                known = len(spans)

    def _look_inside(self, view: bytes, start: int, end: int, spans: list[Span]) -> None:
        """``12:33:01:4111...`` is no address, but what it ends with may be something."""
        at = start
        known = len(spans)
        while (seam := SEAM.match(view[at:end])) and len(spans) == known:
            begin, stop = (self._fixed or self._begin(view))(view, at + seam.end(), len(view))[0]
            if not 0 <= begin < end:
                return
            self._handlers[view[begin]](view, begin, stop, spans)
            at = begin

    def _digit(self, view: bytes, start: int, end: int, spans: list[Span]) -> None:
        if view[start + 1 : start + 2] in _MAILS and self._mail(view, start, end, spans):
            return
        text = view[start:end]
        if text.isdigit():
            numbers.find_plain(view, start, text, spans)
            return
        if (text[2:3] == b"-" or text[4:5] == b".") and network.is_mac(text):
            network.find_mac(view, start, end, spans)
            return
        if not text.translate(None, _DOTTED):
            numbers.find(view, start, end, spans)
            return
        known = len(spans)
        if numbers.find(view, start, end, spans) and (len(spans) > known or b"::" not in text):
            return
        if _COLON in text:
            if text[:8].isdigit() or text[1:2] == b"/":  # ``123456789:AA...``
                tokens.find(view, start, end, spans)
            else:
                network.find_colons(view, start, end, spans)
        elif text[1:3].lower() == b"fa":  # ``2FA code``
            self._named.find(view, start, end, spans)
        elif not accounts.find(view, start, end, spans):
            tokens.find(view, start, end, spans)

    def _zero(self, view: bytes, start: int, end: int, spans: list[Span]) -> int | None:
        if view.startswith(b"00", start) and b" " in view[start:end]:
            return numbers.find_abroad(view, start, end, spans)
        self._digit(view, start, end, spans)
        return None

    def _mail(self, view: bytes, start: int, end: int, spans: list[Span]) -> bool:
        if view[start + 1 : start + 5].lower() == b" at ":
            mail.find_spelled(view, start, end, spans)
            return True
        return mail.find(view, start, end, spans)

    def _joint(self, view: bytes, start: int, end: int, spans: list[Span]) -> None:
        """What begins with a character that joins: an address, a number in a frame, a PEM block."""
        following = view[start + 1 : start + 2]
        if following in _MAILS:
            mail.find(view, start, end, spans)
        elif view.startswith(b".atlasv1.", start):
            tokens.find(view, start, end, spans)
        elif view[start] == 0x5F and network.find_framed(view, start + 1, end, spans):
            return
        elif following.isdigit() or following in (b"+", b"("):
            numbers.find(view, start, end, spans)
        elif view[start] == 0x2D and following == b"-":
            tokens.find(view, start, end, spans)
        elif view[start] == 0x5F and (
            tokens.find(view, start + 1, end, spans) or accounts.find(view, start + 1, end, spans)
        ):
            return
        else:
            self._named.find(view, start, end, spans)

    def _foreign(self, view: bytes, start: int, end: int, spans: list[Span]) -> None:
        """What begins with a letter of another script."""
        if not (view[start + 1 : start + 2] in _MAILS and mail.find(view, start, end, spans)):
            self._named.find(view, start, end, spans)

    def _sign(self, view: bytes, start: int, end: int, spans: list[Span]) -> int | None:
        if view[start + 1 : start + 2] == b"@":
            mail.find(view, start, end, spans)
        elif view[start] == _PLUS and (line := view.find(_NEWLINE, start, end)) > 0:
            return numbers.find_over_lines(view, start, line, end, spans)
        elif view[start] == _PLUS:
            return numbers.find_abroad(view, start, end, spans)
        elif not numbers.find(view, start, end, spans):
            mail.find_spelled(view, start, end, spans)
        return None

    def _sql(self, view: bytes, start: int, end: int, spans: list[Span]) -> None:
        sql.find(view, start, end, self._keys, spans)

    def _packed(self, view: bytes, start: int, spans: list[Span]) -> int:
        """Add Base64 of a text that holds something; where the scan goes on."""
        found = tokens.packed(view, start)
        if found is not None:
            inside: list[Span] = []
            self._look(found[1], inside)
            if inside:
                spans.append((start, found[0], "BASE64"))
                return found[0]
        return start + 1

    def _letter(self, view: bytes, start: int, end: int, spans: list[Span]) -> int | None:
        """Add what begins with a letter; where the scan goes on, if not behind it."""
        if view[start + 1 : start + 2] in _MAILS:
            self._mail(view, start, end, spans)
            return None
        text = view[start:end]
        fragment = self._names.get(text)
        if fragment is None:
            fragment = named.is_fragment(text)
            if len(self._names) < 4096 and end - start < 32:
                self._names[text] = fragment
        if fragment:
            return self._named.find(view, start, end, spans)
        before = len(spans)
        if end - start == _PACKED and text.isalnum():
            tokens.find(view, start, end, spans)
            return None if len(spans) > before else self._packed(view, start, spans)
        if _COLON not in text and text[:2].isalpha() and text[2:4].isdigit():
            accounts.find(view, start, end, spans)
            if len(spans) == before and (text[:2] in _KEYED or len(text) > _HASH):
                tokens.find(view, start, end, spans)
            hides = len(text) - len(text.translate(None, _NUMERALS)) >= _MANY
            return start + 2 if hides and len(spans) == before else None
        self._lettered(view, start, end, spans)
        return None

    def _lettered(self, view: bytes, start: int, end: int, spans: list[Span]) -> None:
        """Add what begins with a letter and is neither a name nor Base64 nor an account."""
        text = view[start:end]
        before = len(spans)
        if text[1:15].isdigit() and end - start > 15:
            numbers.find(view, start, end, spans)
        elif text.startswith(b"Private-"):
            tokens.find(view, start, end, spans)
            return
        elif _COLON in text and _HEX.issuperset(text.partition(b"/")[0]):
            network.find_colons(view, start, end, spans)
            return
        elif network.is_mac(text):
            network.find_mac(view, start, end, spans)
        if len(spans) == before:
            tokens.find(view, start, end, spans)
        if len(spans) == before:
            accounts.find(view, start, end, spans)
        if len(spans) == before:  # ``secret_key`` begins like a vendor's token
            self._named.find(view, start, end, spans)
