"""
Sums of tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from .model import Usage

__all__ = ["Totals"]

_ANSWERING: Final = ("chat", "generate_content", "text_completion")


@dataclass(slots=True)
class Totals:
    """Token sums over the model calls of a run; *unknown* counts the calls whose provider did not say all of it."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0
    unknown: int = 0

    @property
    def total(self) -> int:
        """Input and output tokens."""
        return self.input + self.output

    def add(self, usage: Usage, operation: str = "chat") -> None:
        """Add the tokens of one call; one of an *operation* that answers has both input and output."""
        uncached, answered = usage.uncached, usage.output
        if uncached is None or answered is None:
            asked = usage.input
            if (asked is None or answered is None) and (asked is answered or operation in _ANSWERING):
                self.unknown += 1
        if uncached:
            self.input += uncached
        if answered:
            self.output += answered
        if usage.cache_read:
            self.input += usage.cache_read
            self.cache_read += usage.cache_read
        if usage.cache_write:
            self.input += usage.cache_write
            self.cache_write += usage.cache_write
        if usage.reasoning:
            self.reasoning += usage.reasoning
