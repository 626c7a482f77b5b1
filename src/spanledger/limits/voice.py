"""
How a limit speaks: every decision is kept on the run and told, and a stop raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from typing import Any, Final, NoReturn

from ..budget import Rule
from ..errors import BudgetExceeded, Denied, Killed, LimitExceeded, LoopDetected
from ..ledger import ModelCall, Run
from ..shield import shield
from .decision import Decision, shown
from .loops import Loop
from .plan import PASSED, Slot
from .state import RunState
from .store import Kill, Refused

__all__ = ["MAX_DECISIONS", "Voice"]

MAX_DECISIONS: Final = 200
"""How many decisions are kept per run, and as many refusals more; beyond, they are only told."""
_OUTCOMES: Final = {"observe": "allow", "warn": "warn", "stop": "stop"}
_STOP_REASONS: Final = {"steps": "max_steps", "seconds": "timeout"}


class Voice:
    """Keeps decisions, tells the listeners, raises what stops."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[Run, Decision], Any]] = []
        self.refusals = 0
        """How many calls were refused since the process started."""

    def say(self, state: RunState, decision: Decision) -> None:
        """Keep and tell *decision*."""
        run = state.run
        if len(run.decisions) < MAX_DECISIONS * (2 if decision.outcome == "stop" else 1):
            run.decisions.append(decision)
        for listener in self.listeners:
            with shield("telling a decision"):
                listener(run, decision)

    def stop(
        self, state: RunState, error: LimitExceeded, decision: Decision, *, ends: bool = True, until: float = 0.0
    ) -> NoReturn:
        """
        Say *decision* and raise *error*; *ends*: the run ends for it even if the user's code goes on.

        Every other call of the run is refused *until* then, seconds since the epoch.
        """
        self.refusals += 1
        self.say(state, decision)
        if ends and state.run.stop_reason is None:
            state.run.stop_reason = error.stop_reason
        if until and state.stopped is None:
            state.stopped = error, until
        raise error

    def stopped_already(self, state: RunState, first: LimitExceeded, step: int) -> NoReturn:
        """Refuse another call of a run that was stopped: somebody swallowed the exception."""
        what = f"the run was stopped: {first}"
        error = type(first)(what, limit=first.limit, spent=first.spent, scope=first.scope, step=step)
        error.stop_reason = first.stop_reason
        self.stop(state, error, Decision("stop", first.limit, first.scope, state.run.id, None, None, step, what))

    def reached(self, state: RunState, slot: Slot, spent: int, step: int) -> None:
        """Say which limits on *slot* are near or passed now that *spent* is spent."""
        for line, level in slot.passed(spent):
            budget = line.budget
            value, maximum = shown(slot.unit, spent), shown(slot.unit, line.maximum)
            what = f"{value} of {maximum} {slot.unit} of {_owner(budget.scope, line.subject)} is used"
            outcome = _OUTCOMES[budget.action if budget.action != "stop" else "warn"] if level == PASSED else "warn"
            self.say(state, Decision(outcome, slot.unit, budget.scope, line.subject, value, maximum, step, what))

    def no_budget(self, state: RunState, slot: Slot, amount: int, answer: Refused, step: int) -> NoReturn:
        """Refuse a call for which *amount* on *slot* is not left."""
        stops = [line for line in slot.lines if line.budget.action == "stop"]
        line = min(stops, key=lambda one: one.maximum)
        unit, budget, error_kind = slot.unit, line.budget, BudgetExceeded
        spent, maximum = shown(unit, answer.spent), shown(unit, line.maximum)
        held = f", {shown(unit, answer.held)} held by calls under way" if answer.held else ""
        what = (
            f"the next call may use {shown(unit, amount)} {unit}; {spent} of {maximum} of "
            f"{_owner(budget.scope, line.subject)} is used{held}"
        )
        error = error_kind(what, limit=unit, spent=spent, scope=budget.scope, step=step)
        error.stop_reason = _STOP_REASONS.get(unit, error.stop_reason)
        over = slot.limit is None or answer.spent + amount > slot.limit  # else it fits when others are done
        until = (state.plan.until if budget.per == "day" else inf) if over else 0.0
        decision = Decision("stop", unit, budget.scope, line.subject, spent, maximum, step, what)
        self.stop(state, error, decision, until=until)

    def time(
        self, state: RunState, action: str, scope: str, subject: str, passed: float, maximum: float, step: int
    ) -> None:
        """Say that the run's time is short or over."""
        what = f"{passed:.1f} of {maximum:.1f} seconds of {_owner(scope, subject)} are over"
        decision = Decision(_OUTCOMES[action], "seconds", scope, subject, passed, maximum, step, what)
        if action != "stop":
            self.say(state, decision)
            return
        error = BudgetExceeded(what, limit="seconds", spent=passed, scope=scope, step=step)
        error.stop_reason = "timeout"
        self.stop(state, error, decision)

    def not_allowed(
        self, state: RunState, kind: str, name: str, rule: Rule, what: str, step: int, *, late: bool = False
    ) -> None:
        """Say that a rule does not let this agent use *name*; *late*: it was used already, where nobody watches."""
        agent = state.run.name or "-"
        outcome, by = _OUTCOMES[rule.action], f"the rule for agent {rule.agent}"
        if late:
            what, outcome = f"{what}; it was carried out unwatched", "warn" if outcome == "stop" else outcome
        decision = Decision(outcome, kind, "agent", agent, None, None, step, what, by=by, why=rule.why or None)
        if outcome == "stop":
            self.stop(state, Denied(what, limit=kind, spent=name, scope="agent", step=step), decision, ends=False)
        if state.once((kind, name)):
            self.say(state, decision)

    def killed(self, state: RunState, kill: Kill, step: int) -> NoReturn:
        """Refuse a call of what somebody stopped."""
        what = f"{kill.target} was stopped by {kill.by}" + (f": {kill.why}" if kill.why else "")
        scope, _, subject = kill.target.partition(":")
        error = Killed(what, limit="kill", scope=scope, step=step)
        decision = Decision(
            "stop", "kill", scope, subject or "all", None, None, step, what, by=kill.by, why=kill.why or None,
            since=int(kill.at * 1e9),
        )  # fmt: skip
        self.stop(state, error, decision)

    def looped(self, state: RunState, loop: Loop, action: str, step: int, *, late: bool = False) -> None:
        """Say that the run repeats itself; *late* calls are over already and can't be stopped."""
        wasted = state.wasted(loop.since)
        outcome = "warn" if late and action == "stop" else _OUTCOMES[action]
        decision = Decision(
            outcome, "loop", "run", state.run.id, loop.count, None, step, f"{loop.kind}: {loop}", wasted
        )
        if outcome == "stop":
            error = LoopDetected(decision.reason, limit="loop", spent=loop.count, scope="run", step=step)
            self.stop(state, error, decision, until=inf)
        if state.once((loop.kind, loop.tool, loop.count.bit_length())):
            self.say(state, decision)

    def drifted(self, state: RunState, value: float, usual: float, unit: str, step: int) -> None:
        """Say that the run takes more *unit* than this agent's runs do."""
        what = f"{value} {unit}; runs of {state.run.name or '-'} hardly ever take {usual:.1f}"
        self.say(state, Decision("warn", "drift", "run", state.run.id, value, round(usual, 1), step, what))

    def multiplied(self, state: RunState, call: ModelCall, total: int, layers: Mapping[str, int]) -> None:
        """Say that several layers try the same again, so that their numbers multiply."""
        who = ", ".join(f"{name} {times} times" for name, times in layers.items())
        what = f"{total} attempts at the same request to {call.request_model or 'the model'}: {who}"
        self.say(state, Decision("warn", "retries", "run", state.run.id, total, None, call.step, what))

    def unknown_tool(self, state: RunState, name: str, step: int) -> None:
        """Say that the model asked for a tool that it was not offered."""
        what = f"the model asked for tool {name}, which it was not offered"
        if state.once(("unknown_tool", name, step)):
            agent = state.run.name or "-"
            self.say(state, Decision("warn", "unknown_tool", "agent", agent, None, None, step, what))

    def unpriced(self, state: RunState, model: str | None, action: str, step: int) -> None:
        """Say that a call under a budget in USD has no price."""
        what = f"{model or 'the model'} has no price, so budgets in USD do not see it"
        decision = Decision(_OUTCOMES[action], "unpriced", "run", state.run.id, None, None, step, what)
        if action == "stop":
            self.stop(state, BudgetExceeded(what, limit="unpriced", scope="run", step=step), decision)
        if state.once(("unpriced", model)):
            self.say(state, decision)

    def store_down(self, state: RunState, why: str, *, closed: bool, step: int) -> None:
        """Say that the store is away; *closed* refuses the call."""
        what = f"the limits' store is away ({why})"
        decision = Decision("stop" if closed else "allow", "store", "run", state.run.id, None, None, step, what)
        if closed:
            self.stop(state, Denied(what, limit="store", scope="run", step=step), decision)
        if state.once("store"):
            self.say(state, decision)

    def context(self, state: RunState, model: str | None, used: int, window: int, step: int) -> None:
        """Say that a call filled most of its model's input window."""
        what = f"{used} of {window} input tokens of {model} were used"
        if state.once(("context", step)):
            self.say(state, Decision("warn", "context", "run", state.run.id, used, window, step, what))


def _owner(scope: str, subject: str) -> str:
    """Whose budget it is; people are not named, since this is told where names may not be."""
    return f"this {scope}" if scope in ("run", "user", "session") else f"{scope} {subject}"
