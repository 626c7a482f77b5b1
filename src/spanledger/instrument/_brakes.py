"""
The limits at the engine's door: asked before each model and tool call and each explicit step, told after calls.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Final

from .. import runs, semconv
from ..hashing import hasher
from ..ledger import Run, ToolUse, ledger
from ..limits import Limits
from ..model import ToolCall
from ..providers.offered import never_offered
from ..providers.sizes import estimate
from ..shield import shield
from ._calls import Call
from ._engine import Engine

__all__ = ["Brakes"]

_NO_FAILURE: Final = (None, "denied", "cancelled")
MAX_LATE: Final = 1000
"""Runs with decisions that wait for a span to be told on."""


class Brakes:
    """Puts *limits* at the door of *engine*, of tools and of steps; `off` takes them away."""

    def __init__(self, engine: Engine, limits: Limits) -> None:
        self.limits = limits
        self._engine = engine
        self._counts = any(budget.tokens is not None or budget.usd is not None for budget in limits.budgets)
        self._late: OrderedDict[str, list[Any]] = OrderedDict()
        engine.before, engine.after = self._before, self._after
        engine.awaited.limits = limits.learn
        runs.gate.before, runs.gate.after = self._before_tool, limits.settle_tool
        runs.gate.step, runs.gate.standing = limits.before_step, limits.standing
        ledger.listen(ended=self._ended)
        runs.tool_listeners.append(self._inferred)

    def off(self) -> None:
        """Ask nobody any more."""
        self._engine.before = self._engine.after = self._engine.awaited.limits = None
        runs.gate.before = runs.gate.after = runs.gate.step = runs.gate.standing = None
        ledger.ignore(self._ended)
        if self._inferred in runs.tool_listeners:
            runs.tool_listeners.remove(self._inferred)

    def debts(self) -> list[Callable[[], None]]:
        """What pays the store for what was spent while it was away, if anything is owed."""
        return [self.limits.outage.pay] if self.limits.outage.owed else []

    def _before(self, call: Call) -> Any:
        if not call.endpoint.inference:
            return None
        run, again = call.run, None
        if self._late and (late := self._late.pop(run.id, None)) is not None:
            with shield("recording decisions"):
                runs.note_decisions(call.span, late)
        if self.limits.failing(run):
            again = self._tried_before(call)
        return self.limits.before_model(
            run, provider=call.peer.provider, model=call.request.model, request=call.request,
            estimate_tokens=estimate(call.found.body) if self._counts else None, step=call.number, again=again,
        )  # fmt: skip

    def _tried_before(self, call: Call) -> str | None:
        """The hash of a request that failed before, which its span then says; `None` for another one."""
        with shield("telling a retry"):
            request = _hash_of(call)
            if (tries := self.limits.tries(call.run, request)) > 1:
                if call.span.is_recording():
                    call.span.set_attribute(semconv.RETRY_TRIES, tries)
                return request
        return None

    def _after(self, call: Call, reservation: Any) -> None:
        if call.model_call is None:
            self.limits.release(reservation)
            return
        run, decisions = call.run, call.run.decisions
        known, failed = len(decisions), call.error_class not in _NO_FAILURE
        self.limits.settle_model(run, reservation, call.model_call, _hash_of(call) if failed else None)
        if call.response is not None and call.response.tool_calls and call.request.tools:
            self._look_for_unknown(call, call.response.tool_calls)
        if len(decisions) > known:
            with shield("recording decisions"):
                runs.note_decisions(call.span, decisions[known:])

    def _look_for_unknown(self, call: Call, asked: Sequence[ToolCall]) -> None:
        with shield("looking for unknown tools"):
            if names := never_offered(call.endpoint, call.found.body, asked):
                runs.note_unknown(call.run, names)
                self.limits.asked_for_unknown(call.run, names, call.number)

    def _before_tool(self, run: Run, name: str, args_hash: str | None, step: int) -> Any:
        return self.limits.before_tool(run, name=name, args_hash=args_hash, step=step)

    def _inferred(self, run: Run, use: ToolUse) -> None:
        if use.duration is None:  # nobody watched it, so nobody was asked before it
            known = len(run.decisions)
            self.limits.settle_tool(run, None, use)
            if late := run.decisions[known:]:  # its span has ended: the next call's will say so
                self._late.setdefault(run.id, []).extend(late)
                if len(self._late) > MAX_LATE:
                    self._late.popitem(last=False)

    def _ended(self, run: Run) -> None:
        self._late.pop(run.id, None)
        self.limits.ended(run)


def _hash_of(call: Call) -> str:
    return hasher().hash(call.found.body, "request").text
