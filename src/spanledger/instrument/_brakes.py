"""
The limits at the engine's door: asked before each model and tool call, told after it.
"""

from __future__ import annotations

from typing import Any

from .. import runs
from ..ledger import Run, ToolUse, ledger
from ..limits import Limits
from ..providers.sizes import estimate
from ._calls import Call
from ._engine import Engine

__all__ = ["Brakes"]


class Brakes:
    """Puts *limits* at the door of *engine* and of the tools; `off` takes them away."""

    def __init__(self, engine: Engine, limits: Limits) -> None:
        self.limits = limits
        self._engine = engine
        self._counts = any(budget.tokens is not None or budget.usd is not None for budget in limits.budgets)
        engine.before, engine.after = self._before, self._after
        runs.gate.before, runs.gate.after = self._before_tool, limits.settle_tool
        runs.gate.standing = limits.standing
        ledger.listen(limits.ended, "ended")
        runs.tool_listeners.append(self._inferred)

    def off(self) -> None:
        """Ask nobody any more."""
        self._engine.before = self._engine.after = None
        runs.gate.before = runs.gate.after = runs.gate.standing = None
        ledger.ignore(self.limits.ended)
        if self._inferred in runs.tool_listeners:
            runs.tool_listeners.remove(self._inferred)

    def _before(self, call: Call) -> Any:
        if not call.endpoint.inference:
            return None
        return self.limits.before_model(
            call.run, provider=call.peer.provider, model=call.request.model, request=call.request,
            estimate_tokens=estimate(call.found.body) if self._counts else None, step=call.number,
        )  # fmt: skip

    def _after(self, call: Call, reservation: Any) -> None:
        if call.model_call is None:
            self.limits.release(reservation)
        else:
            self.limits.settle_model(call.run, reservation, call.model_call)

    def _before_tool(self, run: Run, name: str, args_hash: str | None, step: int) -> Any:
        return self.limits.before_tool(run, name=name, args_hash=args_hash, step=step)

    def _inferred(self, run: Run, use: ToolUse) -> None:
        if use.duration is None:  # nobody watched it, so nobody was asked before it
            self.limits.settle_tool(run, None, use)
