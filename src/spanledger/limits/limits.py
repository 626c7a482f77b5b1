"""
May the next call happen?  Asked before each model and tool call, told after it.

Every answer but a plain yes is a `Decision` on the run and goes to the listeners.  What goes wrong in here never stops
a call: only a limit whose action is `stop` does, by raising `LimitExceeded` before the call is made.
"""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Callable, Mapping, Sequence, Sized
from typing import Any, cast

from .. import pricing
from ..budget import Budget, Loops, Rule
from ..errors import LimitExceeded
from ..ledger import ModelCall, Run, ToolUse
from ..model import Request
from ..shield import report, shield
from .access import Access
from .decision import Decision, Reservation, Standing
from .loops import Entry
from .memory import MemoryStore
from .outage import Down, Outage
from .plan import Days, Plan, Slot
from .state import Poll, RunState, States
from .store import Kill, Refused, Store, Want
from .voice import Voice
from .worth import at_most, pico, standings, used

__all__ = ["Limits"]

_Held = list[tuple[Slot, int]]


_all: weakref.WeakSet[Limits] = weakref.WeakSet()


def _after_fork() -> None:
    for limits in list(_all):
        limits.begin_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class Limits:
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
        self._money = any(budget.usd is not None for budget in self.budgets)
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
        self, run: Run, *, provider: str, model: str | None, request: Request, estimate_tokens: int | None, step: int
    ) -> Reservation | None:
        """Hold what the call may use at most; `LimitExceeded` when a limit whose action is `stop` says no."""
        if self._idle_model and not self._stopped and time.monotonic() < self._poll.until:
            return None
        try:
            state = self._states.of(run)
            self._stand(state, step)
            if self._access is not None and model is not None:
                self._allow(state, "model", model, step)
            held: _Held = []
            if state.plan.counted or state.plan.money:
                held, priced = at_most(state, provider, model, request, estimate_tokens)
                if not priced:
                    self.voice.unpriced(state, model, state.plan.unpriced, step)
            return self._reserve(state, step, held, (), None)
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
                entry, loop = state.history.begin(name, args_hash, state.spent)
                if loop is not None:
                    self.voice.looped(state, loop, self.loops.action, step, money=self._money)
                if state.history.calls > state.usual:
                    self.voice.drifted(state, state.history.calls, step)
            return self._reserve(state, step, [], state.plan.tools, entry)
        except LimitExceeded:
            raise
        except Exception as error:  # noqa: BLE001
            report("asking the limits", error)
            return None

    def step_started(self, run: Run, number: int) -> None:
        """A step began; it is counted, and may be refused, with the next call."""
        if self.budgets:
            state = self._states.of(run)
            state.waiting = max(state.waiting, number)

    def _stand(self, state: RunState, step: int) -> None:
        """Stop a run that may do nothing at all any more."""
        if (kill := self._poll.killed(state.targets)) is not None:
            self.voice.killed(state, kill, step)
        if state.looped is not None:
            self.voice.looped(state, state.looped, "stop", step, money=self._money)
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

    def _allow(self, state: RunState, kind: str, name: str, step: int) -> None:
        if self._access is not None and (refused := self._access.refused(kind, state.run.name, name)) is not None:
            self.voice.not_allowed(state, kind, name, *refused, step)

    def _reserve(
        self, state: RunState, step: int, held: _Held, once: Sequence[Slot], entry: Entry | None
    ) -> Reservation | None:
        """Take it all from the store, or refuse."""
        plan = state.plan
        new = state.claim(step) if plan.steps else 0
        wants: list[Want] = [(s.key, s.unit, amount, s.limit, True, s.expires) for s, amount in held]
        slots = [slot for slot, _ in held]
        if new:
            wants += [(s.key, s.unit, new, s.limit, False, s.expires) for s in plan.steps]
            slots += plan.steps
        if once:
            wants += [(s.key, s.unit, 1, s.limit, False, s.expires) for s in once]
            slots += once
        if not wants:
            self._ask_kills(state, step)
            return Reservation(plan, entry=entry)
        answer = self.outage.reserve(wants, state.targets)
        if type(answer) is tuple:
            hold, after = cast("tuple[Any, list[tuple[int, int]]]", answer)
            for slot, row in zip(slots, after, strict=True):
                if row[0] >= slot.watch:
                    self.voice.reached(state, slot, row[0], step)
            return Reservation(plan, hold, held, entry)
        if isinstance(answer, Down):
            late = [(key, unit, 0, amount, expires) for key, unit, amount, _, hold, expires in wants if not hold]
            self.outage.owe(None, late)
            self.voice.store_down(state, answer, closed=self._closed, step=step)
            return Reservation(plan, entry=entry)
        state.unclaim(new)
        if isinstance(answer, Kill):
            self.voice.killed(state, answer, step)
        if isinstance(answer, Refused):
            self.voice.no_budget(state, slots[answer.place], wants[answer.place][2], answer, step)
        return None

    def _ask_kills(self, state: RunState, step: int) -> None:
        answer = self.outage.killed(state.targets)
        if isinstance(answer, Kill):
            self.voice.killed(state, answer, step)
        if answer is not None:
            self.voice.store_down(state, answer, closed=self._closed, step=step)

    # --- after a call ------------------------------------------------------------------------------------------

    def settle_model(self, run: Run, reservation: Reservation | None, call: ModelCall) -> None:
        """Put what the call really used in the place of what was held for it."""
        with shield("settling a model call"):
            if self._context_at is not None and call.usage.input:
                self._watch_context(run, call)
            if not self.budgets:
                return
            state = self._states.of(run)
            state.last_input = call.usage.input or state.last_input
            plan: Plan = state.plan if reservation is None else reservation.plan
            if plan.models and (reservation is None or reservation.open):
                self._settle(state, reservation, plan.models, used(state, call, self.voice), call.step)

    def _settle(
        self,
        state: RunState,
        reservation: Reservation | None,
        slots: Sequence[Slot],
        spent: Mapping[str, int | None],
        step: int,
    ) -> None:
        held = dict(reservation.held) if reservation is not None else {}
        charges = []
        for slot in slots:
            reserved, real = held.get(slot, 0), spent[slot.unit]
            charges.append((slot.key, slot.unit, reserved, reserved if real is None else real, slot.expires))
        hold = None
        if reservation is not None:
            hold, reservation.open = reservation.hold, False
        after = self.outage.settle(hold, charges)
        for slot, (spent_now, _) in zip(slots, after or (), strict=False):
            if spent_now >= slot.watch:
                self.voice.reached(state, slot, spent_now, step)

    def release(self, reservation: Reservation | None) -> None:
        """Give back what is held: the call was not made.  Doing it twice, or after it was settled, does nothing."""
        if reservation is None or not reservation.open:
            return
        reservation.open = False
        if reservation.held:
            with shield("releasing a reservation"):
                charges = [(slot.key, slot.unit, amount, 0, slot.expires) for slot, amount in reservation.held]
                self.outage.settle(reservation.hold, charges)

    def settle_tool(self, run: Run, reservation: Reservation | None, use: ToolUse) -> None:
        """Remember how the call ended, and count its own cost; without a *reservation*, count the call, too."""
        if self._idle_tool:
            return
        with shield("settling a tool call"):
            state = self._states.of(run)
            if reservation is None:
                self._count_late(state, use)
            elif state.history is not None and reservation.entry is not None:
                state.history.end(reservation.entry, use.error_class, use.result_hash)
            if use.cost and state.plan.money:
                dollars = pico(use.cost)
                state.paid(dollars)
                self._settle(state, None, state.plan.money, {"usd": dollars}, use.step)

    def _count_late(self, state: RunState, use: ToolUse) -> None:
        """Count a tool call that nobody asked for beforehand; a loop stops the next call."""
        if state.plan.tools:
            self._settle(state, None, state.plan.tools, {"tool_calls": 1}, use.step)
        if state.history is not None and self.loops is not None:
            entry, loop = state.history.begin(use.name, use.args_hash, state.spent)
            state.history.end(entry, use.error_class, use.result_hash)
            if loop is not None:
                self.voice.looped(state, loop, self.loops.action, use.step, money=self._money, late=True)
                state.looped = loop if self.loops.action == "stop" else None

    def _watch_context(self, run: Run, call: ModelCall) -> None:
        model = call.model or call.request_model
        window = pricing.known_window(call.provider, model)
        used = call.usage.input or 0
        if window and used >= window * (self._context_at or 1.0):
            self.voice.context(self._states.of(run), model, used, window, call.step)

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
