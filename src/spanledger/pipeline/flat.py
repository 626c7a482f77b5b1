"""
JSON that is looked at as it stands: no tree is built, and no character outside of what goes is changed.

Says no where it would have to read what is spelled otherwise, or what belongs together across strings: that is walked.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final, TypeAlias

from .escapes import is_escaped
from .fold import DELETED, fold
from .media import MIN_BLOB, without_media
from .personal import goes_whole

if TYPE_CHECKING:
    from .keys import Keys

__all__ = ["Flat", "merged"]

Span: TypeAlias = tuple[int, int, str]

_NAMES: Final = re.compile(rb"\"([^\"\x1f]{1,96})\"\s{0,4}:")
_FIELDS: Final = re.compile(
    rb"\"([^\"\x1f]{1,96})\"\s{0,4}:\s{0,4}(?:\"([^\"]*)\"|(?:true|false|null)\b|(.))", re.DOTALL
)
_NAMED: Final = re.compile(
    rb"\"(?:name|key|header|label|field|Name|Key|Label|Field|ParameterKey)\"\s{0,4}:\s{0,4}(?:\"([^\"]{0,64})\"|[^\"])"
)
_FIRST: Final = re.compile(rb"\[\s*\"([^\" =]{1,63})\"\s*,")
_FLAG: Final = re.compile(rb"\"(-[^\" =]{1,62})\"\s*,")
"""What tells of the next one in a list: ``"--api-key", "..."``, ``["Authorization", "..."]``."""
_BETWEEN: Final = (b"", b",", b":", b"]", b"}")
_SPACES: Final = b" \t\r\n"
_COLON: Final = re.compile(rb"\s*:")
_NAMING: Final = frozenset(b"name key header label field Name Key Label Field ParameterKey".split())
_HOLDING: Final = frozenset(b"value values content Value Values Content ParameterValue".split())
_BEGINS: Final = ("{", "[")
_ENDS: Final = ("}", "]")
_STRINGS: Final = re.compile(r'"[^"\\]*(?:\\"[^"\\]*)*"')
_QUOTE: Final = re.compile(r'\\"')
_TAIL: Final = 8
_MAX_PLAIN: Final = 4096
_WORDLESS: Final = 0xFF
_BRACKET: Final = 0x5B
_DASH: Final = 0x2D


class Flat:
    """Looks at JSON texts; *look* adds what a folded text holds."""

    def __init__(self, keys: Keys, look: Callable[[bytes, list[Span]], None]) -> None:
        self._label = keys.label
        self._look = look
        self._plain: dict[frozenset[bytes], bool] = {}
        """Sets of names that tell nothing, and whether there may be pairs of a name and a value among them."""

    def find(self, text: str) -> list[Span] | None:
        """What must go of *text*, which looks like JSON, in order, without overlap; `None` when it must be walked."""
        if (text[-1] not in _ENDS and text[-_TAIL:].rstrip()[-1:] not in _ENDS) or (
            (";" in text or len(text) >= MIN_BLOB) and without_media(text) is not text
        ):
            return None
        if "\\" in text:
            return self._nested(text) if text.count("\\") == text.count('\\"') else None
        view = fold(text)
        if DELETED in view or (_WORDLESS in view and not _is_sound(text)) or is_escaped(view):
            return None
        forced = self._by_name(text, view)
        if forced is None:
            return None
        # nothing of one string must tell what the next one is
        parts = view.replace(b'",', b'"\x1f')
        for start, end, _ in forced:
            parts = b"%s%s%s" % (parts[:start], b"\x1f" * (end - start), parts[end:])
        found: list[Span] = []
        self._look(parts, found)
        if not found:
            return merged(forced) if forced else forced
        return merged(forced + found) if all(_inside(view, start, end) for start, end, _ in found) else None

    def _nested(self, text: str) -> list[Span] | None:
        """The same for JSON in the strings of *text*; whose names tell is walked."""
        plain = text.replace('\\"', '"')
        view = fold(plain)
        if DELETED in view or (_WORDLESS in view and not _is_sound(text)) or is_escaped(view):
            return None
        if self._by_name("", view) != []:
            return None
        found: list[Span] = []
        self._look(view, found)
        if not found:
            return found
        for string in _STRINGS.findall(text):
            if "\\" in string and (string[1] not in _BEGINS or string[-2] not in _ENDS):
                return None  # prose with quotes in it
        found.clear()
        self._look(view.replace(b'",', b'"\x1f'), found)
        escapes = [match.start() - index for index, match in enumerate(_QUOTE.finditer(text))]
        placed = [(a + bisect_right(escapes, a), b + bisect_left(escapes, b), label) for a, b, label in found]
        return merged(placed) if all(_deep_inside(text, start, end) for start, end, _ in placed) else None

    def _by_name(self, text: str, view: bytes) -> list[Span] | None:
        """The strings that go because of their names; `None` when more than one string goes, or *text* is not given."""
        if _BRACKET in view:
            listed = _FIRST.findall(view)
            if _DASH in view:
                listed += _FLAG.findall(view)
            if listed and self._tells(listed):
                return None
        pieces = view.translate(None, _SPACES).split(b'":')
        del pieces[-1]
        names = frozenset([piece.rpartition(b'"')[2] for piece in pieces])
        pairs = self._plain.get(names)  # most are known from the last time
        forced: list[Span] | None = []
        if pairs is None:
            # an empty name, or one that begins so, stands between two strings
            if any(name[:1] in _BETWEEN for name in names):
                return None
            pairs = not (_NAMING.isdisjoint(names) or _HOLDING.isdisjoint(names))
            if b"logprob" in names:
                return None  # its ``token`` is none
            if self._tells(names) or self._tells(_NAMES.findall(view)):
                forced = None if not text or b"properties" in names or b"kty" in names else self._forced(text, view)
            elif len(self._plain) < _MAX_PLAIN:
                self._plain[names] = pairs
        return None if pairs and self._tells(_NAMED.findall(view)) else forced

    def _tells(self, names: Iterable[bytes]) -> bool:
        """Whether one of *names* says something of what stands beside it."""
        return any(name.isdigit() or name == b"kty" or self._label(name.strip(b"-")) for name in names)

    def _forced(self, text: str, view: bytes) -> list[Span] | None:
        """The strings that go because their name says so; `None` when a name that tells has a list, a map, a number."""
        found: list[Span] = []
        for name, start, end, other in _fields(view):
            label = self._label(name)
            if label is None:
                continue
            if other:
                return None
            if start < end and goes_whole(text[start:end], label):
                found.append((start, end, label))
        return found


def _is_sound(text: str) -> bool:
    """Whether *text* has no lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _fields(view: bytes) -> Iterator[tuple[bytes, int, int, bool]]:
    """Each name, where its string begins and ends, and whether what stands there is something else."""
    for match in _FIELDS.finditer(view):
        start, end = match.span(2)
        yield match[1], start, end, match[3] is not None


def _inside(view: bytes, start: int, end: int) -> bool:
    """Whether *start*:*end* lies within one string, which is no name."""
    if view.find(b'"', start, end) >= 0 or not view.count(b'"', 0, start) & 1:
        return False
    return not _COLON.match(view, view.find(b'"', end) + 1)


def _deep_inside(text: str, start: int, end: int) -> bool:
    """Whether *start*:*end* lies within one string, or one of the JSON in a string, which is no name."""
    following = text.find('"', end)
    is_name = text[following + 1 : following + 9].lstrip()[:1] == ":"
    if is_name or text.find('"', start, end) >= 0 or "\\" in text[start:end]:
        return False
    inner = text.count('\\"', 0, start)
    deep = text[following - 1] == "\\"
    if (text.count('"', 0, start) - inner) & 1 == 0 or deep is not bool(inner & 1):
        return False
    return deep or text[text.rfind('"', 0, start) - 1 : start][:1] != "\\"


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
