"""
Whether a run is unlike the agent's runs before it: in tool calls, or in time.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Sequence
from math import inf
from typing import Final, NamedTuple

__all__ = ["Most", "Usual"]

MAX_AGENTS: Final = 1000
RUNS: Final = 200
"""How many of an agent's last runs say what is usual."""
ENOUGH: Final = 20
"""How many runs it takes to say it at all."""
_DEVIATIONS: Final = 3.0
_TO_DEVIATION: Final = 1.4826
"""What makes a standard deviation of a median of deviations, where they are normal."""
_FACTOR: Final = 1.5
_CALLS: Final = 3
_SECONDS: Final = 1.0
"""What a run may always take more than the median."""


class Most(NamedTuple):
    """The tool calls and the seconds beyond which a run is unusual."""

    calls: float = inf
    seconds: float = inf


_ANY: Final = Most()


class Usual:
    """How many tool calls a run of each agent takes, and how long."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, deque[tuple[int, float]]] = OrderedDict()
        self._most: dict[str, Most] = {}
        self._lock = threading.RLock()

    def most(self, agent: str | None) -> Most:
        """What a run of *agent* takes at most, as a rule; infinite as long as too little is known."""
        return self._most.get(agent or "", _ANY)

    def learn(self, agent: str | None, calls: int, seconds: float) -> None:
        """A run of *agent* ended after *calls* tool calls and so many *seconds*."""
        name = agent or ""
        with self._lock:
            runs = self._runs.get(name)
            if runs is None:
                runs = self._runs[name] = deque(maxlen=RUNS)
                if len(self._runs) > MAX_AGENTS:
                    old, _ = self._runs.popitem(last=False)
                    self._most.pop(old, None)
            runs.append((calls, seconds))
            if len(runs) >= ENOUGH:
                numbers, times = zip(*runs, strict=True)
                self._most[name] = Most(_beyond(numbers, _CALLS), _beyond(times, _SECONDS))


def _beyond(seen: Sequence[float], least: float) -> float:
    """By the median, so that an incident does not become what is usual before half of the runs are part of it."""
    middle = _median(seen)
    deviation = _TO_DEVIATION * _median([abs(value - middle) for value in seen])
    return max(middle + _DEVIATIONS * deviation, middle * _FACTOR, middle + least)


def _median(values: Sequence[float]) -> float:
    """What `statistics.median` is, whose module costs more at the start than this."""
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
