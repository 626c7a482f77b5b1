"""
One byte per character: what a text says, whatever letters it is written in.

Full-width and mathematical digits, Arabic digits, accents, look-alike letters, dashes, quotes and spaces become their
ASCII selves; other letters become bytes above 127.  Offsets stay those of the text, so what is found in the view is
replaced in the text.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from typing import Final

__all__ = ["DELETED", "fold"]

DELETED: Final = 0x7F
"""Stands for characters that nobody sees: zero-width ones, direction marks, combining accents, colours of terminals."""
_ESCAPE: Final = 0x1B
_COLOUR: Final = re.compile(rb"\x1b\[[0-9;?]{0,24}[A-Za-z]")
_WORDLESS: Final = 0xFF
_ALPHABETIC: Final = 0x590
"""Scripts before this code point (Latin, Greek, Cyrillic, Armenian) write e-mail addresses; later ones end them."""

# Letters that look like a Latin one.
_LOOKALIKES: Final = dict(zip(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u051b\u0410\u0412\u0415\u041a\u041c\u041d"
    "\u041e\u0420\u0421\u0422\u0425\u0406\u0408\u0405\u03bf\u03b1\u03c1\u03bd\u0391\u0392\u0395\u0396\u0397\u0399"
    "\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u0131\u0142\u0141\u00f8\u00d8\u0111\u0110\u00df\u00e6\u00c6",
    "aeopcyxijsdwABEKMHOPCTXIJSoapvABEZHIKMNOPTYXilLoOdDsaA",
    strict=True,
))  # fmt: skip
_QUOTES: Final = dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\u301d\u301e", '"') | dict.fromkeys(
    "\u2018\u2019\u201a\u201b\u2039\u203a\u2032", "'"
)
_DASHES: Final = dict.fromkeys("\u2043\u2212\u207b\u208b\u30fc\uff70\u00af", "-")
_STOPS: Final = dict.fromkeys("\u3002\uff61\ufe52\u2024", ".")
_OTHERS: Final = {"\u2028": "\n", "\u2029": "\n", "\u0085": "\n", "\u2215": "/", "\u2044": "/"}
_UNSEEN: Final = frozenset("\u115f\u1160\u3164\uffa0\u17b4\u17b5")
"""Letters by category that nobody sees: fillers of scripts that build syllables."""
_SINGLES: Final = _LOOKALIKES | _QUOTES | _DASHES | _STOPS | _OTHERS


class _Table(dict[str, int]):
    """Characters and their bytes, worked out when first met."""

    def __missing__(self, char: str) -> int:
        code = _code(char)
        if len(self) < 4096:
            self[char] = code
        return code


def _code(char: str) -> int:  # noqa: PLR0911 - one line per kind of character
    if known := _SINGLES.get(char):
        return ord(known)
    category = unicodedata.category(char)
    if category in ("Cf", "Me") or char in _UNSEEN or _is_mark(char):
        return DELETED
    if category == "Nd":
        return ord("0") + unicodedata.decimal(char)
    if category == "Pd":
        return ord("-")
    if category == "Zs":
        return ord(" ")
    plain = unicodedata.normalize("NFKC", char)
    if len(plain) != 1 or not plain.isascii():  # an accent, a ligature; not ``...`` in one character
        plain = unicodedata.normalize("NFKD", char)[:1] if category[0] in "LN" else ""
    if plain.isascii() and plain.isprintable() and plain:
        return ord(plain)
    if category[0] in "LNM":
        return 0x80 + ord(char) % 62 if ord(char) < _ALPHABETIC else 0xC0 + ord(char) % 62
    return _WORDLESS


_table: Final = _Table()


def _is_mark(char: str) -> bool:
    """Whether *char* is a selector or an accent of its own; vowel signs of other scripts are letters."""
    return "\ufe00" <= char <= "\ufe0f" or "\u0300" <= char <= "\u036f" or "\u1ab0" <= char <= "\u1aff"


def _handler(error: UnicodeError) -> tuple[bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return bytes(map(_table.__getitem__, error.object[error.start : error.end])), error.end


codecs.register_error("spanledger.fold", _handler)


def fold(text: str) -> bytes:
    """One byte for each character of *text*."""
    view = text.encode("ascii", "spanledger.fold")
    return view if _ESCAPE not in view else _COLOUR.sub(lambda match: b"\x7f" * len(match.group()), view)
