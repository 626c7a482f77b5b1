"""
May the next call happen?  Asked before each model and tool call and each explicit step, told after calls.

Every answer but a plain yes is a `Decision` on the run and goes to the listeners.  What goes wrong in here never stops
a call: only a limit whose action is `stop` does, by raising `LimitExceeded` before the call is made.
"""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Callable, Sequence, Sized
from typing import Any

from ..budget import Budget, Loops, Rule
from ..errors import LimitExceeded
from ..ledger import Run
from ..model import Request
from ..shield import report
from .access import Access
from .after import After
from .decision import Decision, Reservation, Standing
from .loops import Entry, Loop
from .memory import MemoryStore
from .outage import Down, Outage
from .plan import Days, Slot
from .state import Poll, RunState, States
from .store import Kill, Refused, Store
from .voice import Voice
from .worth import at_most, standings

__all__ = ["Limits"]

_Wants = list[tuple[Slot, int, bool]]


_all: weakref.WeakSet[Limits] = weakref.WeakSet()


def _after_fork() -> None:
    for limits in list(_all):
        limits.begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class Limits(After):
    """
    Budgets, rules, loop detection and the kill switch of one process.

    *store* counts: in memory unless given, shared by processes (`SqliteStore`) or machines (`RedisStore`).  *kills* is
    where others write whom to stop, when *store* is not shared.  *when_down* is ``open`` (calls go on, and are counted
    later) or ``closed`` (they are refused).  *zone* says when a day ends.  *context_at* is the share of a model's input
    window at which a warning is due, `None` for never.
    """

    def __init__(  # noqa: PLR0913 - one keyword per thing that can be set
        self, budgets: Sequence[Budget] = (), *, rules: Sequence[Rule] = (), loops: Loops | None = None,
        store: Store | None = None, kills: Store | None = None, when_down: str = "open", zone: str = "UTC",
        context_at: float | None = 0.8, kill_seconds: float = 0.2,
    ) -> None:  # fmt: skip
        self.budgets = tuple(budgets)
        self.loops = loops
        self.store: Store = store or MemoryStore()
        self.outage = Outage(self.store)
        self.voice = Voice()
        self._access = Access(rules) if rules else None
        self._states = States(self.budgets, loops, Days(zone))
        self._poll = Poll(None if self.store.shared else kills, kill_seconds)
        self._stopped: Sized = self.store.stopped if isinstance(self.store, MemoryStore) else ()
        self._closed = when_down == "closed"
        self._context_at = context_at
        idle = not (self.budgets or rules or self.store.shared)
        self._idle_model = idle and not (loops and loops.action == "stop")
        self._idle_tool = idle and not loops
        _all.add(self)

    @property
    def listeners(self) -> list[Callable[[Run, Decision], Any]]:
        """Called with each decision and its run, on the caller's thread; must be quick."""
        return self.voice.listeners

    # --- before a call -----------------------------------------------------------------------------------------

    def before_model(
        self, run: Run, *, provider: str, model: str | None, request: Request, estimate_tokens: int | None, step: int,
        again: str | None = None,
    ) -> Reservation | None:  # fmt: skip
        """
        Hold what the call may use at most; `LimitExceeded` when a limit whose action is `stop` says no.

        *again* is the hash of a request that failed before, see `failing`.
        """
        if again is None and self._idle_model and not self._stopped and time.monotonic() < self._poll.until:
            return None
        try:
            state = self._states.of(run)
            self._stand(state, step)
            if self._access is not None and model is not None:
                self._allow(state, "model", model, step)
            wants: _Wants = []
            if state.plan.counted or state.plan.money:
                wants, priced = at_most(state, provider, model, request, estimate_tokens)
                if not priced:
                    self.voice.unpriced(state, model, state.plan.unpriced, step)
            if again is not None:
                self._try_again(state, model, again, step)
            once = [(slot, int(again is not None), False) for slot in state.plan.retries] if state.plan.retries else ()
            held = self._reserve(state, step, wants, once, None)
            return held if again is None or held is None else _tried(run, held, again)
        except LimitExceeded:
            raise
        except Exception as error:  # noqa: BLE001 - a mistake of ours is no reason to stop the user's call
            report("asking the limits", error)
            return None

    def before_tool(self, run: Run, *, name: str, args_hash: str | None, step: int) -> Reservation | None:
        """Count the call; `LimitExceeded` when a limit whose action is `stop` says no."""
        if self._idle_tool and not self._stopped and time.monotonic() < self._poll.until:
            return None
        try:
            state = self._states.of(run)
            self._stand(state, step)
            if self._access is not None:
                self._allow(state, "tool", name, step)
            entry = None
            if state.history is not None and self.loops is not None:
                entry, loop = state.history.begin(name, args_hash, state.mark())
                if loop is not None:
                    self.voice.looped(state, loop, self.loops.action, step)
                self._watch_drift(state, state.history.calls, step)
            return self._reserve(state, step, [], [(slot, 1, False) for slot in state.plan.tools], entry)
        except LimitExceeded:
            raise
        except Exception as error:  # noqa: BLE001
            report("asking the limits", error)
            return None

    def before_step(self, run: Run, number: int) -> None:
        """Count a step that begins; `LimitExceeded` when a limit whose action is `stop` says no."""
        if self._idle_model and not self._stopped and time.monotonic() < self._poll.until:
            return
        try:
            state = self._states.of(run)
            self._stand(state, number)
            self._reserve(state, number, [], (), None)
        except LimitExceeded:
            raise
        except Exception as error:  # noqa: BLE001
            report("asking the limits", error)

    def _stand(self, state: RunState, step: int) -> None:
        """Stop a run that may do nothing at all any more."""
        if (kill := self._poll.killed(state.targets)) is not None:
            self.voice.killed(state, kill, step)
        if state.stopped is not None and time.time() < state.stopped[1]:
            self.voice.stopped_already(state, state.stopped[0], step)
        if state.looped is not None:
            self.voice.looped(state, state.looped, "stop", step)
        if not state.plan.seconds:
            return
        passed = (time.time_ns() - state.run.started) / 1e9
        for budget, subject in state.plan.seconds:
            maximum = budget.seconds or 0.0
            over = passed > maximum
            if (over and budget.action == "stop") or (
                passed >= maximum * budget.warn_at and state.once((id(budget), over))
            ):
                action = budget.action if over else "warn"
                self.voice.time(state, action, budget.scope, subject, passed, maximum, step)

    def failing(self, run: Run) -> bool:
        """Whether a request of *run* failed and may be sent again."""
        state = self._states.known(run)
        return state is not None and bool(state.retries.requests)

    def tries(self, run: Run, request: str) -> int:
        """Which try of the request with this hash the next call is: 1 unless its last one failed."""
        state = self._states.known(run)
        found = state.retries.requests.get(request) if state is not None else None
        return 1 if found is None else found.calls + 1

    def _try_again(self, state: RunState, model: str | None, request: str, step: int) -> None:
        """Refuse, where loops are stopped, what was tried too often."""
        found = state.retries.requests.get(request)
        if found is not None and self.loops is not None and found.total + 1 >= self.loops.retries:
            loop = Loop("retry_storm", f"the request to {model}", found.total + 1, found.spent)
            self.voice.looped(state, loop, self.loops.action, step)

    def _allow(self, state: RunState, kind: str, name: str, step: int) -> None:
        if self._access is not None and (refused := self._access.refused(kind, state.run.name, name)) is not None:
            self.voice.not_allowed(state, kind, name, *refused, step)

    def _reserve(
        self, state: RunState, step: int, wants: _Wants, once: Sequence[tuple[Slot, int, bool]], entry: Entry | None
    ) -> Reservation | None:
        """Take *wants*, a step that is new and what is counted *once* from the store, all of it, or refuse."""
        plan = state.plan
        new = state.claim(step) if plan.steps else 0
        if new:
            wants += [(slot, new, False) for slot in plan.steps]
        if once:
            wants += once
        if not wants:
            self._ask_kills(state, step)
            return Reservation(plan, entry=entry)
        answer = self.outage.reserve(wants, state.targets)
        if type(answer) is tuple:
            hold, after = answer  # type: ignore[misc]  # mypy takes named tuples for it, too
            for (slot, _, _), row in zip(wants, after, strict=True):
                if row[0] >= slot.watch:
                    self.voice.reached(state, slot, row[0], step)
            return Reservation(plan, hold, wants, entry)
        if isinstance(answer, Down):
            late = [(slot.key, slot.unit, 0, amount, slot.expires) for slot, amount, hold in wants if not hold]
            self.outage.owe(None, late)
            self.voice.store_down(state, answer, closed=self._closed, step=step)
            return Reservation(plan, entry=entry)
        state.unclaim(new)
        if isinstance(answer, Kill):
            self.voice.killed(state, answer, step)
        if isinstance(answer, Refused):
            self.voice.no_budget(state, *wants[answer.place][:2], answer, step)
        return None

    def _ask_kills(self, state: RunState, step: int) -> None:
        answer = self.outage.killed(state.targets)
        if isinstance(answer, Kill):
            self.voice.killed(state, answer, step)
        if answer is not None:
            self.voice.store_down(state, answer, closed=self._closed, step=step)

    # --- how things stand --------------------------------------------------------------------------------------

    def standing(self, run: Run) -> list[Standing]:
        """How each limit on *run* stands now, for an agent that wants to wrap up in time; empty when nobody can say."""
        return standings(self.outage, self._states.of(run))

    def begin_anew(self) -> None:
        """Be a forked child's; called by itself after a fork."""
        self._states.begin_anew()
        self.outage.begin_anew()

    def ended(self, run: Run) -> None:
        """*run* has ended: forget what was remembered of it."""
        self._states.forget(run)
        if isinstance(self.store, MemoryStore):
            self.store.forget(f"run:{run.id}")


def _tried(run: Run, reservation: Reservation, again: str) -> Reservation:
    """Count a try that may go on."""
    reservation.request = again
    with run.lock:
        run.retries += 1
    return reservation
