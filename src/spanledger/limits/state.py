"""
What is remembered of a run while it goes on, and who is stopped from outside.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from .. import pricing
from ..budget import Budget, Loops
from ..errors import LimitExceeded
from ..ledger import ModelCall, Run
from .drift import Most, Usual
from .loops import History, Loop
from .plan import Days, Plan, lineage
from .retries import Retries
from .store import Kill, Store, StoreDown

__all__ = ["Poll", "RunState", "States"]

MAX_RUNS: Final = 10_000
"""How many runs are remembered; beyond, the oldest are forgotten and begin anew."""

MAX_CALLS: Final = 200
"""How many settled calls of a run are remembered, to say what a loop cost."""
MAX_SAID: Final = 1000
"""How many things that are said once are remembered per run; what comes then counts as said."""


class RunState:
    """One run, as the limits see it."""

    __slots__ = (
        "_last",
        "bought",
        "history",
        "last_input",
        "lock",
        "looped",
        "plan",
        "retries",
        "run",
        "said",
        "spent",
        "step",
        "stopped",
        "targets",
        "usual",
    )

    def __init__(self, run: Run, plan: Plan, loops: Loops | None) -> None:
        self.run = run
        self.lock = threading.RLock()
        self.plan = plan
        self.step = 0
        """The last step that was counted."""
        self.spent = 0
        """What its settled calls cost, in millionths of a millionth of a dollar, where money is counted."""
        self.bought = 0
        """How many model calls were settled since it is remembered."""
        self._last: deque[ModelCall] = deque(maxlen=MAX_CALLS)
        self.last_input = 0
        self.history = History(loops) if loops else None
        self.retries = Retries()
        self.looped: Loop | None = None
        """A loop that was seen too late to stop the call, so that the next one is."""
        self.stopped: tuple[LimitExceeded, float] | None = None
        """What ended the run, and until when (seconds since the epoch) that holds."""
        self.usual = Most()
        """What a run of this agent takes at most, as a rule."""
        self.said: set[Any] = set()
        """What is said once per run and was said."""
        names = dict.fromkeys(f"agent:{one.name}" for one in lineage(run) if one.name)
        above = [name for one in lineage(run) for name in (one.id, one.called_by) if name is not None]
        self.targets = (*(f"run:{name}" for name in above), *names, "all")

    def claim(self, step: int) -> int:
        """How many steps up to *step* are to be counted now; see `unclaim`."""
        if step <= self.step:
            return 0
        with self.lock:
            new = max(0, step - self.step)
            self.step += new
            return new

    def unclaim(self, steps: int) -> None:
        """Count *steps* another time: they were refused."""
        with self.lock:
            self.step -= steps

    def mark(self) -> int:
        """How much was bought so far: money where it is counted, else calls; see `wasted`."""
        return self.spent if self.plan.money else self.bought

    def buy(self, call: ModelCall) -> None:
        """Remember a settled call, for `wasted`."""
        if self.history is not None:
            with self.lock:
                self.bought += 1
                self._last.append(call)

    def wasted(self, mark: int) -> Decimal | None:
        """What was bought since *mark*, USD; `None` when nobody knows, or no price was asked for yet."""
        if self.plan.money:
            return Decimal(self.spent - mark).scaleb(-12).normalize()
        with self.lock:
            number = self.bought - mark
            calls = list(self._last)[len(self._last) - number :]
        if number > len(calls) or pricing.version() is None:
            return None
        amounts = [price.amount for price in map(pricing.price_call, calls) if price.amount is not None]
        return sum(amounts, Decimal(0)) if amounts or not calls else None

    def paid(self, amount: int) -> None:
        """Add the cost of a settled call."""
        with self.lock:
            self.spent += amount

    def once(self, what: Any) -> bool:
        """Whether *what* is said for the first time."""
        with self.lock:
            if what in self.said or len(self.said) >= MAX_SAID:
                return False
            self.said.add(what)
            return True


class States:
    """The runs that are going on."""

    def __init__(self, budgets: Sequence[Budget], loops: Loops | None, days: Days) -> None:
        self._budgets, self._loops, self._days = budgets, loops, days
        self._states: OrderedDict[str, RunState] = OrderedDict()
        self._usual = Usual()
        self._lock = threading.RLock()

    def of(self, run: Run) -> RunState:
        """What is remembered of *run*, with a plan that is good now."""
        state = self._states.get(run.id)
        now = time.time()
        if state is None or state.run is not run:
            with self._lock:
                state = self._states.get(run.id)
                if state is None or state.run is not run:
                    plan = Plan(run, self._budgets, self._days, now)
                    state = self._states[run.id] = RunState(run, plan, self._loops)
                    state.usual = self._usual.most(run.name)
                while len(self._states) > MAX_RUNS:
                    self._states.popitem(last=False)
        if now >= state.plan.until:
            state.plan = Plan(run, self._budgets, self._days, now)
        return state

    def known(self, run: Run) -> RunState | None:
        """What is remembered of *run*, if anything."""
        return self._states.get(run.id)

    def forget(self, run: Run) -> None:
        """*run* has ended; remember how much it took."""
        self._states.pop(run.id, None)
        if self._loops is not None and run.stop_reason == "completed":
            self._usual.learn(run.name, run.tool_calls, ((run.ended or run.active) - run.started) / 1e9)

    def begin_anew(self) -> None:
        """Forget all of them: a forked child's runs are its own."""
        self._lock = threading.RLock()
        self._states = OrderedDict()

    def __len__(self) -> int:
        return len(self._states)


class Poll:
    """Kills in a store that other processes write, looked up at most once per *seconds*."""

    def __init__(self, store: Store | None, seconds: float) -> None:
        self._store = store
        self._seconds = seconds if store is not None else float("inf")
        self.until = 0.0
        """The `time.monotonic` before which nobody needs to look."""
        self._kills: dict[str, Kill] = {}

    def killed(self, targets: Sequence[str]) -> Kill | None:
        """The first of *targets* that somebody killed."""
        now = time.monotonic()
        if now >= self.until:
            self.until = now + self._seconds
            self._look()
        if not self._kills:
            return None
        return next((self._kills[target] for target in targets if target in self._kills), None)

    def _look(self) -> None:
        if self._store is None:
            return
        path = getattr(self._store, "path", None)
        if path is not None and not path.exists():  # nobody ever killed anything on this machine
            self._kills = {}
            return
        try:
            self._kills = {kill.target: kill for kill in self._store.kills()}
        except StoreDown:
            return  # what was known goes on

    @property
    def any(self) -> bool:
        """Whether anything was killed when it was last looked up."""
        return bool(self._kills)
