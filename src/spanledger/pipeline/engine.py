"""
Where it is worth to look: one linear pass over the folded text that finds candidates for the detectors.

RE2 does it where it is installed, the standard library's `re` where it is not; both see the same pattern and give the
same candidates.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

__all__ = ["Scan", "scanner", "uses_re2"]

Scan: TypeAlias = Callable[[bytes], "list[tuple[int, int]]"]
"""Folded text to the offsets of the candidates, in order, without overlap."""

_MAX_MEMORY: Final = 32 << 20


def uses_re2() -> bool:
    """Whether RE2 is installed."""
    try:
        import re2  # noqa: F401, PLC0415 - heavy, and may be missing
    except ImportError:
        return False
    return True


def scanner(patterns: Sequence[bytes], *, re2: bool | None = None) -> Scan:
    """A scan for any of *patterns*; the earlier one wins where two begin at the same place."""
    union = b"|".join(b"(?:" + pattern + b")" for pattern in patterns)
    if re2 is None:
        re2 = uses_re2()
    return _with_re2(union) if re2 else _with_re(union)


def _with_re(union: bytes) -> Scan:
    finditer = re.compile(union).finditer
    return lambda view: [match.span() for match in finditer(view)]


def _with_re2(union: bytes) -> Scan:
    import re2  # noqa: PLC0415 - heavy, and may be missing

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.max_mem = _MAX_MEMORY
    pattern = re2.compile(union, options)
    raw = getattr(pattern, "_regexp", None)
    anchor = getattr(re2, "_Anchor", None)
    if raw is None or anchor is None:  # pragma: no cover - an RE2 binding of another make
        finditer = pattern.finditer
        return lambda view: [match.span() for match in finditer(view)]
    return _lean(raw.Match, anchor.UNANCHORED)


def _lean(match: Callable[..., Any], anchor: Any) -> Scan:
    """The binding's own loop without an object per match, which costs more than the search."""

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

    return scan
