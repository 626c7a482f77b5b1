"""
What limits are told after a call: what it used takes the place of what was held, and how it ended is remembered.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from .. import pricing
from ..budget import Budget, Loops
from ..ledger import ModelCall, Run, ToolUse
from ..shield import shield
from .access import Access
from .decision import Reservation
from .outage import Outage
from .plan import Plan, Slot
from .state import RunState, States
from .voice import Voice
from .worth import pico, used

__all__ = ["After"]


class After:
    """The half of `Limits` that is told."""

    budgets: tuple[Budget, ...]
    loops: Loops | None
    outage: Outage
    voice: Voice
    _access: Access | None
    _states: States
    _context_at: float | None
    _idle_tool: bool

    def settle_model(
        self, run: Run, reservation: Reservation | None, call: ModelCall, request: str | None = None
    ) -> None:
        """
        Put what the call really used in the place of what was held for it.

        *request* is the hash of what was asked, where the call failed.
        """
        with shield("settling a model call"):
            if self._context_at is not None and call.usage.input:
                self._watch_context(run, call)
            request = request or (reservation.request if reservation is not None else None)
            if call.retried or request is not None:
                self._watch_retries(run, call, request)
            if not self.budgets:
                if (known := self._states.known(run)) is not None:
                    known.buy(call)
                return
            state = self._states.of(run)
            state.buy(call)
            state.last_input = call.usage.input or state.last_input
            plan: Plan = state.plan if reservation is None else reservation.plan
            if plan.models and (reservation is None or reservation.open):
                self._settle(state, reservation, plan.models, used(state, call, self.voice), call.step)

    def _settle(
        self, state: RunState, reservation: Reservation | None, slots: Sequence[Slot],
        spent: Mapping[str, int | None], step: int,
    ) -> None:  # fmt: skip
        held = {slot: amount for slot, amount, hold in reservation.held if hold} if reservation is not None else {}
        charges = []
        for slot in slots:
            reserved, real = held.get(slot, 0), spent[slot.unit]
            charges.append((slot.key, slot.unit, reserved, reserved if real is None else real, slot.expires))
        hold = None
        if reservation is not None:
            hold, reservation.open = reservation.hold, False
        self._charge(state, hold, slots, charges, step)

    def _charge(
        self, state: RunState, hold: Any, slots: Sequence[Slot], charges: list[tuple[str, str, int, int, int]],
        step: int,
    ) -> None:  # fmt: skip
        """Pay *charges*, one for each of *slots*, and say which levels that reached."""
        after = self.outage.settle(hold, charges) if charges else None
        for slot, (spent_now, _) in zip(slots, after or (), strict=False):
            if spent_now >= slot.watch:
                self.voice.reached(state, slot, spent_now, step)

    def learn(self, run: Run, reservation: Reservation | None, call: ModelCall) -> None:
        """Charge what *call* used beyond, or short of, what was charged when nobody could say it yet."""
        with shield("settling a model call"):
            if not self.budgets:
                return
            state = self._states.of(run)
            plan: Plan = state.plan if reservation is None else reservation.plan
            held = reservation.held if reservation and call.error_class is None else ()  # of one that broke nothing was
            charged = {slot: amount for slot, amount, hold in held if hold}
            spent = used(state, call, self.voice)
            charges = [(s.key, s.unit, 0, (spent[s.unit] or 0) - charged.get(s, 0), s.expires) for s in plan.models]
            self._charge(state, None, plan.models, charges, call.step)

    def release(self, reservation: Reservation | None) -> None:
        """Give back what is held: the call was not made.  Doing it twice, or after it was settled, does nothing."""
        if reservation is None or not reservation.open:
            return
        reservation.open = False
        charges = [(slot.key, slot.unit, amount, 0, slot.expires) for slot, amount, hold in reservation.held if hold]
        if charges:
            with shield("releasing a reservation"):
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
        if self._access is not None and (refused := self._access.refused("tool", state.run.name, use.name)):
            self.voice.not_allowed(state, "tool", use.name, *refused, use.step, late=True)
        if state.plan.tools:
            self._settle(state, None, state.plan.tools, {"tool_calls": 1}, use.step)
        if state.history is not None and self.loops is not None:
            entry, loop = state.history.begin(use.name, use.args_hash, state.mark())
            state.history.end(entry, use.error_class, use.result_hash)
            self._watch_drift(state, state.history.calls, use.step)
            if loop is not None:
                self.voice.looped(state, loop, self.loops.action, use.step, late=True)
                state.looped = loop if self.loops.action == "stop" else None

    # --- what there is to say --------------------------------------------------------------------------------------

    def _watch_drift(self, state: RunState, calls: int, step: int) -> None:
        """Say that the run takes more than this agent's runs do: once for its tool calls, once for its time."""
        usual = state.usual
        if calls > usual.calls and state.once("drift in calls"):
            self.voice.drifted(state, calls, usual.calls, "tool calls", step)
        seconds = (time.time_ns() - state.run.started) / 1e9
        if seconds > usual.seconds and state.once("drift in time"):
            self.voice.drifted(state, round(seconds, 3), usual.seconds, "seconds", step)

    def _watch_context(self, run: Run, call: ModelCall) -> None:
        model = call.model or call.request_model
        window = pricing.known_window(call.provider, model)
        tokens = call.usage.input or 0
        if window and tokens >= window * (self._context_at or 1.0):
            self.voice.context(self._states.of(run), model, tokens, window, call.step)

    def _watch_retries(self, run: Run, call: ModelCall, request: str | None) -> None:
        """Count the client's own attempts, and say where they multiply with those of others."""
        state = self._states.of(run)
        tool = state.history.retrying() if state.history is not None else 1
        with state.lock:
            found = state.retries.ended(call, request, tool, state.mark())
        if len(layers := found.layers) > 1 and state.once((request, found.total.bit_length(), *layers)):
            self.voice.multiplied(state, call, found.total, layers)
        if call.retried and state.plan.retries:
            self._settle(state, None, state.plan.retries, {"retries": len(call.retried)}, call.step)

    def asked_for_unknown(self, run: Run, names: Sequence[str], step: int) -> None:
        """Say that the model asked for tools that nobody offered it."""
        state = self._states.of(run)
        for name in names:
            self.voice.unknown_tool(state, name, step)
