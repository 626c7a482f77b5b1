"""
Our mistakes never become the user's outage.

Each step of ours that runs inside somebody's call stands in a `shield`: what goes wrong there is counted, logged
once per place, and forgotten.  Our own tests turn `strict` on, and see it.
"""

from __future__ import annotations

import logging
from collections import Counter
from types import TracebackType

__all__ = ["failures", "report", "shield", "strict"]

logger = logging.getLogger("spanledger")

failures: Counter[str] = Counter()
"""How often each place failed since the process started; `doctor` and the observer metrics read it."""

_strict = False


def strict(on: bool = True) -> None:
    """Let our own mistakes through, as the tests do."""
    global _strict  # noqa: PLW0603 - one switch for the whole process, as meant
    _strict = on


def report(place: str, error: BaseException) -> None:
    """Count *error* under *place*; log the first of each place.  In strict mode raise it."""
    failures[place] += 1
    if _strict:
        raise error
    if failures[place] == 1:
        logger.warning("spanledger failed while %s and carries on without (%s)", place, type(error).__name__)
        logger.debug("the failure while %s", place, exc_info=error)


class shield:  # noqa: N801 - reads as a word: `with shield("reading a response"):`
    """Swallow, count and report any `Exception` of the block."""

    __slots__ = ("_place",)

    def __init__(self, place: str) -> None:
        self._place = place

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if error is None or not isinstance(error, Exception):
            return False
        report(self._place, error)
        return True
