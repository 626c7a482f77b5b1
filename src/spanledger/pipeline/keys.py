"""
What a key says about its value: a secret, a kind of personal data, or nothing.

One classifier for attribute keys, JSON keys, query parameters, headers and the names left of ``=`` in free text.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Final

from .fold import fold
from .vocabulary import (
    CODE_KINDS,
    FOREIGN_STARTS,
    HARMLESS,
    KEY_KINDS,
    PERSONAL,
    SECRET_ENDS,
    SECRET_LAST,
    SECRET_WORDS,
    WORDS,
)

__all__ = ["LOOSE", "STRICT", "Keys"]

STRICT: Final = frozenset({"EMAIL", "PHONE", "SSN", "ITIN", "PASSPORT", "LICENSE", "BIRTH_DATE", "IBAN", "NHS",
                           "BANK_ACCOUNT", "SECRET"})  # fmt: skip
"""Labels for which the key alone is enough: a structured value goes whatever it looks like."""
LOOSE: Final = frozenset({"CARD", "NATIONAL_ID", "IP", "MAC", "ADDRESS"})
"""Labels that need a value of the right shape as well."""

_KINDS: Final = {
    b"key": KEY_KINDS, b"keys": KEY_KINDS, b"code": CODE_KINDS, b"codes": CODE_KINDS, b"phrase": CODE_KINDS,
}  # fmt: skip
_MAX_KNOWN: Final = 8192


class Keys:
    """The classifier, with the user's own keys added; remembers what it was asked."""

    def __init__(self, extra: Iterable[str] = (), keep: Iterable[str] = ()) -> None:
        self._personal = {name.encode(): label for label, names in PERSONAL.items() for name in names.split()}
        given = tuple(extra)
        self._keep = {self._joined(key) for key in keep}
        self._extra: set[bytes] = set()
        self.spelled = tuple(
            {tuple(WORDS.findall(fold(key))): None for key in given if self._classify(fold(key)) is None}
        )
        """The words of each of the user's own keys that nobody else's are."""
        self._own = {b"".join(words).lower() for words in self.spelled}
        self._extra = {self._joined(key) for key in given} - {b""}
        self._known: dict[str | bytes, str | None] = {}

    @staticmethod
    def _joined(key: str) -> bytes:
        return b"".join(word.lower() for word in WORDS.findall(fold(key)))

    def is_own(self, name: bytes) -> bool:
        """Whether the folded *name* is a key of the user's."""
        return bool(self._own) and b"".join(WORDS.findall(name)).lower() in self._own

    def is_given(self, key: str) -> bool:
        """Whether *key* is one of the user's, known to others as well or not."""
        return bool(self._extra) and self._joined(key) in self._extra

    def label(self, key: str | bytes) -> str | None:
        """``SECRET``, a label of personal data, or `None`."""
        try:
            return self._known[key]
        except KeyError:
            pass
        found = self._classify(key if isinstance(key, bytes) else fold(key[-96:]))
        if len(self._known) < _MAX_KNOWN:
            self._known[key] = found
        return found

    def _classify(self, view: bytes) -> str | None:
        words = [word.lower() for word in WORDS.findall(view.replace(b"\x7f", b""))]
        if not words or view[:1] == b"[":  # one of our own marks
            return None
        joined = b"".join(words)
        if joined in self._keep:
            return None
        if joined in self._extra:
            return self._personal.get(joined, "SECRET")
        if label := self._secret(words, joined):
            return label
        # ``contact_phone_number``, ``user.email``: the tail decides
        for start in range(max(0, len(words) - 4), len(words)):
            if label := self._personal.get(b"".join(words[start:])):
                return label
        return None

    def _secret(self, words: list[bytes], joined: bytes) -> str | None:
        if not HARMLESS.isdisjoint(words):
            return "SECRET" if joined == b"idtoken" else None
        if not SECRET_WORDS.isdisjoint(words) or joined in SECRET_WORDS or joined.startswith(FOREIGN_STARTS):
            return "SECRET"
        last = words[-1]
        if last == b"session":
            return "SECRET" if len(words) == 1 else None
        if last in SECRET_LAST or joined.endswith(SECRET_ENDS):
            return "SECRET"
        return "SECRET" if any(word in _KINDS.get(following, ()) for word, following in pairwise(words)) else None
