"""
What somebody may have meant by a word that means nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["hint", "nearest"]


def nearest(word: object, valid: Iterable[str], alike: float = 0.5) -> str | None:
    """The one of *valid* that *word* is most like, whatever its case; `None` when none is as *alike* as that."""
    from difflib import get_close_matches  # noqa: PLC0415 - nobody needs it while all is well

    plain = {each.lower(): each for each in valid}
    close = get_close_matches(str(word).lower(), plain, n=1, cutoff=alike)
    return plain[close[0]] if close else None


def hint(word: object, valid: Iterable[str]) -> str:
    """``did you mean 'x'?``, or what is *valid*, in its order."""
    valid = list(valid)
    close = nearest(word, valid)
    return f"did you mean {close!r}?" if close is not None else f"valid: {', '.join(valid)}"
