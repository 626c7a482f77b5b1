"""
Where it is worth to look: one linear pass over the folded text that finds candidates for the detectors.

RE2 does it where it is installed, the standard library's `re` where it is not; both see the same pattern and give the
same candidates.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

__all__ = ["Engine", "engine", "uses_re2"]


class Engine(NamedTuple):
    """A search on folded text, from an offset; and all of its candidates, in order, without overlap."""

    search: Callable[[bytes, int], tuple[int, int]]
    """Begin and end of the next candidate; negative when there is none."""
    scan: Callable[[bytes], list[tuple[int, int]]]


_MAX_MEMORY: Final = 128 << 20


def uses_re2() -> bool:
    """Whether RE2 is installed."""
    try:
        import re2  # noqa: F401, PLC0415 - heavy, and may be missing
    except ImportError:
        return False
    return True


def engine(patterns: Sequence[bytes], *, re2: bool | None = None) -> Engine:
    """Looks for any of *patterns*; the earlier one wins where two begin at the same place."""
    union = b"|".join(b"(?:" + pattern + b")" for pattern in patterns)
    if re2 is None:
        re2 = uses_re2()
    return _with_re2(union) if re2 else _of(re.compile(union))


def _of(pattern: Any) -> Engine:
    def search(view: bytes, at: int) -> tuple[int, int]:
        match = pattern.search(view, at)
        return match.span() if match else (-1, -1)

    return Engine(search, lambda view: [match.span() for match in pattern.finditer(view)])


def _with_re2(union: bytes) -> Engine:
    import re2  # noqa: PLC0415 - heavy, and may be missing

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.max_mem = _MAX_MEMORY
    pattern = re2.compile(union, options)
    raw = getattr(pattern, "_regexp", None)
    anchor = getattr(re2, "_Anchor", None)
    if raw is None or anchor is None:  # pragma: no cover - an RE2 binding of another make
        return _of(pattern)
    return _lean(raw.Match, anchor.UNANCHORED)


def _lean(match: Callable[..., Any], anchor: Any) -> Engine:
    """The binding's own loop without an object per match, which costs more than the search."""

    def search(view: bytes, at: int) -> tuple[int, int]:
        span: tuple[int, int] = match(anchor, view, at, len(view))[0]
        return span

    def scan(view: bytes) -> list[tuple[int, int]]:
        found = []
        at, end = 0, len(view)
        while at < end:
            span = match(anchor, view, at, end)[0]
            if span[0] < 0:
                break
            found.append(span)
            at = span[1] if span[1] > at else at + 1
        return found

    return Engine(search, scan)
