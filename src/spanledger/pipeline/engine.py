"""
Where it is worth to look: one linear pass over the folded text that finds candidates for the detectors.

RE2 does it where it is installed.  Where it is not, the standard library's `re` finds the same: part by part, each only
where the bytes stand that it cannot do without.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple, TypeAlias

from . import native

__all__ = ["Engine", "Part", "engine", "uses_re2"]

Search: TypeAlias = Callable[[bytes, int, int], "Sequence[tuple[int, int]]"]
"""Between two offsets, the begin and the end of the next candidate; negative when there is none."""


@dataclass(frozen=True, slots=True)
class Part:
    """A pattern, and bytes of which one stands in all that it finds (lower case; empty when nothing is certain)."""

    pattern: bytes
    needs: tuple[bytes, ...] = ()
    near: bool = False
    """Whether all that it finds begins with what it needs, or a few bytes before."""
    far: frozenset[bytes] = frozenset()
    """Those of the needs that may stand farther behind the beginning."""


class Engine(NamedTuple):
    """Begins a search in a folded text."""

    begin: Callable[[bytes], Search]
    fixed: Search | None = None
    """The search of any text, where it needs no beginning."""

    def scan(self, view: bytes) -> list[tuple[int, int]]:
        """All candidates in order, without overlap."""
        search, found, at = self.begin(view), [], 0
        while at < len(view):
            start, end = search(view, at, len(view))[0]
            if start < 0:
                break
            found.append((start, end))
            at = max(end, start + 1)
        return found


_MAX_MEMORY: Final = 128 << 20
_AROUND: Final = 3
_BEFORE: Final = 24
_BEHIND: Final = 96
_NEVER: Final = 1 << 62


def uses_re2() -> bool:
    """Whether RE2 is installed."""
    try:
        import re2  # noqa: F401, PLC0415 - heavy, and may be missing
    except ImportError:
        return False
    return True


def engine(parts: Sequence[Part], *, re2: bool | None = None) -> Engine:
    """Looks for any of *parts*; the earlier one wins where two begin at the same place."""
    if re2 is None:
        re2 = uses_re2()
    return _with_re2(b"|".join(b"(?:" + part.pattern + b")" for part in parts)) if re2 else _by_parts(parts)


def _with_re2(union: bytes) -> Engine:
    me = native.enter()
    try:
        import re2  # noqa: PLC0415 - heavy, and may be missing

        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1
        options.log_errors = False
        options.max_mem = _MAX_MEMORY
        pattern = re2.compile(union, options)
    finally:
        native.leave(me)
    raw = getattr(pattern, "_regexp", None)
    anchor = getattr(re2, "_Anchor", None)
    if raw is None or anchor is None:  # pragma: no cover - an RE2 binding of another make
        return _fixed(partial(_searching, pattern.search))
    # the binding's own way without an object per match, which costs more than the search
    return _fixed(partial(raw.Match, anchor.UNANCHORED))


def _fixed(search: Search) -> Engine:
    return Engine(lambda _view: search, search)


def _searching(search: Callable[..., Any], view: bytes, at: int, end: int) -> Sequence[tuple[int, int]]:
    match = search(view, at, end)
    return (match.span() if match else (-1, -1),)


def _by_parts(parts: Sequence[Part]) -> Engine:
    compiled = [(re.compile(part.pattern), part) for part in parts]

    def begin(view: bytes) -> Search:
        lower = view.lower()
        searches = []
        for pattern, part in compiled:
            present = [need for need in part.needs if need in lower]
            if part.near and present:
                searches.append(_near(pattern.match, view, _places(lower, present, part.far)))
            elif present or not part.needs:
                searches.append(partial(_searching, pattern.search))
        return _first_of(searches)

    return Engine(begin)


def _places(lower: bytes, needs: list[bytes], far: frozenset[bytes]) -> list[tuple[int, int]]:
    """Between which places a match with one of *needs* begins."""
    words = b"|".join(re.escape(need) for need in sorted(needs, key=len, reverse=True))
    pattern = re.compile(b"(?=(" + words + b"))")  # one may begin in another: ``d-otp-assword``
    found = [(match.start(), _BEFORE if match[1] in far else _AROUND) for match in pattern.finditer(lower)]
    return sorted((place - reach, place) for place, reach in found)


def _near(match: Callable[..., Any], view: bytes, places: list[tuple[int, int]]) -> Search:
    index = 0

    def next_one(_view: bytes, at: int, _end: int) -> Sequence[tuple[int, int]]:
        nonlocal index
        while index < len(places) and places[index][1] < at:
            index += 1
        best = (_NEVER, -1)
        for number in range(index, len(places)):
            first, last = places[number]
            if first >= best[0]:
                break
            for place in range(max(at, first, 0), last + 1):
                if found := match(view, place, min(last + _BEHIND, len(view))):
                    best = min(best, found.span())
                    break
        return (best if best[1] >= 0 else (-1, -1),)

    return next_one


def _first_of(searches: list[Search]) -> Search:
    """The first candidate of all, as one pattern of alternatives would find it."""
    known: list[tuple[int, int]] = [(-1, -1)] * len(searches)

    def next_one(view: bytes, at: int, end: int) -> Sequence[tuple[int, int]]:
        best = (_NEVER, -1)
        for index, search in enumerate(searches):
            span = known[index]
            if span[0] < at:
                span = search(view, at, end)[0]
                known[index] = span = span if span[0] >= 0 else (_NEVER, -1)
            if span[0] < best[0]:
                best = span
        return (best if best[1] >= 0 else (-1, -1),)

    return next_one
