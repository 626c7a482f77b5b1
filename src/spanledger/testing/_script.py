"""Which turn comes next: the place of each conversation in its scenario."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any, Final, Generic, TypeVar

from ._wire import Asked
from .scenario import Failure, Rule, Scenario, Turn

__all__ = ["Script"]

MAX_PLACES: Final = 10_000
"""How many places in conversations are remembered; beyond, the oldest are forgotten."""

V = TypeVar("V")


class _Bounded(OrderedDict[Any, V], Generic[V]):
    def __setitem__(self, key: Any, value: V) -> None:
        super().__setitem__(key, value)
        if len(self) > MAX_PLACES:
            self.popitem(last=False)


class Script:
    """A scenario in the course of being played, by any number of conversations at once."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._lock = threading.Lock()
        self._number = 0
        self._after: _Bounded[int] = _Bounded()
        """(conversation, answers so far) -> the turn to give there."""
        self._again: _Bounded[int] = _Bounded()
        """The same, after a failure at that place."""
        self._used: _Bounded[int] = _Bounded()
        """(conversation, rule) -> how often."""
        self._by_response: _Bounded[tuple[str, int, str]] = _Bounded()
        """Response id -> conversation, answers so far, what was sent; for requests that only name the one before."""

    def next(self, asked: Asked) -> tuple[Turn, int]:
        """The turn that answers *asked*, and its number among all answers."""
        with self._lock:
            self._number += 1
            if asked.previous and (known := self._by_response.get(asked.previous)):
                asked.first_user, before, sent = known
                asked.answers += before
                asked.sent = sent + asked.sent
            place = (asked.first_user, asked.answers)
            if asked.answers == 0 and place not in self._again:
                for n in range(len(self._scenario.rules)):
                    self._used.pop((asked.first_user, n), None)
            position = self._again.pop(place, self._after.get(place, asked.answers))
            turn, position = self._by_rule(asked, position) or self._in_order(position)
            if turn.answers:
                self._after[asked.first_user, asked.answers + 1] = position
            else:
                self._again[place] = position
            return turn, self._number

    def remember(self, response_id: str, asked: Asked, answered: str) -> None:
        """Note that *asked* got this answer, so that a later request may name it instead of repeating it."""
        with self._lock:
            self._by_response[response_id] = (asked.first_user, asked.answers + 1, asked.sent + answered)

    def _by_rule(self, asked: Asked, position: int) -> tuple[Turn, int] | None:
        for n, rule in enumerate(self._scenario.rules):
            key = (asked.first_user, n)
            if _holds(rule, asked) and (rule.times is None or self._used.get(key, 0) < rule.times):
                self._used[key] = self._used.get(key, 0) + 1
                return rule.turn, position
        return None

    def _in_order(self, position: int) -> tuple[Turn, int]:
        turns = self._scenario.turns
        if position < len(turns):
            return turns[position], position + 1
        message = f"the scenario has {len(turns)} turns and this conversation asks for turn {position + 1}"
        return Turn(error=Failure(status=400, message=message)), position


def _holds(rule: Rule, asked: Asked) -> bool:
    return (
        (rule.user_contains is None or rule.user_contains in asked.last_user)
        and (rule.tool_contains is None or rule.tool_contains in (asked.last_tool or ""))
        and (rule.model is None or rule.model == asked.model)
    )
