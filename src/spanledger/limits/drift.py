"""
Whether a run is unlike the agent's runs before it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from math import inf
from statistics import fmean, pstdev
from typing import Final

__all__ = ["Usual"]

MAX_AGENTS: Final = 1000
RUNS: Final = 200
"""How many of an agent's last runs say what is usual."""
ENOUGH: Final = 20
"""How many runs it takes to say it at all."""
_DEVIATIONS: Final = 3.0
_FACTOR: Final = 1.5
_AT_LEAST: Final = 3


class Usual:
    """How many tool calls a run of each agent takes."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, deque[int]] = OrderedDict()
        self._most: dict[str, float] = {}
        self._lock = threading.RLock()

    def most(self, agent: str | None) -> float:
        """The tool calls beyond which a run of *agent* is unusual; infinite as long as too little is known."""
        return self._most.get(agent or "", inf)

    def learn(self, agent: str | None, calls: int) -> None:
        """A run of *agent* ended after *calls* tool calls."""
        name = agent or ""
        with self._lock:
            runs = self._runs.get(name)
            if runs is None:
                runs = self._runs[name] = deque(maxlen=RUNS)
                if len(self._runs) > MAX_AGENTS:
                    old, _ = self._runs.popitem(last=False)
                    self._most.pop(old, None)
            runs.append(calls)
            if len(runs) >= ENOUGH:
                mean = fmean(runs)
                self._most[name] = max(mean + _DEVIATIONS * pstdev(runs), mean * _FACTOR, mean + _AT_LEAST)
