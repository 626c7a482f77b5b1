"""
The same request again after it failed: by the client inside one call, by whoever calls the client, by the tool around.

A request is known by a keyed hash of its body, made only when a call failed.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from ..ledger import ModelCall

__all__ = ["Failing", "Retries"]

MAX_REQUESTS: Final = 16
"""How many failing requests of a run are told apart; beyond, the oldest are forgotten."""
_CHOSEN: Final = ("cancelled", "denied")
"""Ends of a call that somebody wanted: nobody tries them again for having failed."""


@dataclass(slots=True)
class Failing:
    """
    A request whose last call failed.

    *calls* is how often it was sent in a row, *dearest* the most attempts that the client made in one of these calls,
    *tool* which try of the tool around they belong to, *total* all attempts, *spent* what the run had cost before.
    """

    spent: int
    calls: int = 0
    dearest: int = 0
    tool: int = 1
    total: int = 0

    def add(self, attempts: int, tool: int) -> None:
        """Another call that the client tried *attempts* times, in the *tool*-th try of the tool around."""
        if tool != self.tool:
            self.calls, self.dearest, self.tool = 0, 0, tool
        self.calls += 1
        self.dearest = max(self.dearest, attempts)
        self.total += attempts

    @property
    def layers(self) -> dict[str, int]:
        """Who tried how often, those left out that tried once."""
        tried = {"the tool": self.tool, "the caller": self.calls, "the client": self.dearest}
        return {who: times for who, times in tried.items() if times > 1}


@dataclass(slots=True)
class Retries:
    """The failing requests of one run, by the hash of their body."""

    requests: OrderedDict[str, Failing] = field(default_factory=OrderedDict)

    def ended(self, call: ModelCall, key: str | None, tool: int, spent: int) -> Failing:
        """A call of the request *key* ended, well or not; how things stand with it now."""
        known = self.requests.pop(key, None) if key is not None else None
        found = known or Failing(spent, tool=tool)
        found.add(len(call.retried) + 1, tool)
        if key is not None and call.error_class is not None and call.error_class not in _CHOSEN:
            self.requests[key] = found
            if len(self.requests) > MAX_REQUESTS:
                self.requests.popitem(last=False)
        return found
