"""
What a call may use at most, what it used, and what is left.
"""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Final

from .. import pricing, semconv
from ..ledger import ModelCall
from ..model import Request
from .decision import Standing, shown
from .outage import Outage
from .plan import Slot
from .state import RunState
from .voice import Voice

__all__ = ["ASSUMED_OUTPUT", "at_most", "pico", "standings", "used"]

ASSUMED_OUTPUT: Final = 4096
"""Output tokens that are reserved for a request that does not say how many it wants at most."""
_MAX_TOKENS: Final = "gen_ai.request.max_tokens"
_CHOICES: Final = "gen_ai.request.choice.count"


def pico(dollars: Decimal) -> int:
    """*dollars* in millionths of a millionth of a dollar, to the nearest."""
    return round(dollars.scaleb(12, pricing.MONEY))


def at_most(
    state: RunState, provider: str, model: str | None, request: Request, estimate: int | None
) -> tuple[list[tuple[Slot, int, bool]], bool]:
    """What to hold of each counter that can refuse the call; and whether its price is known, where that matters."""
    plan, settings, dollars, known = state.plan, request.settings, 0, True
    tokens_in = state.last_input if estimate is None else estimate
    tokens_out = int(settings.get(_MAX_TOKENS) or ASSUMED_OUTPUT) * int(settings.get(_CHOICES) or 1)
    if plan.money:
        tier = None if semconv.TIERS.isdisjoint(settings) else semconv.tier_of(settings)
        found = pricing.estimate(provider, model, tokens_in, tokens_out, time.time_ns(), tier)
        dollars, known = found or 0, found is not None
    tokens = tokens_in + tokens_out
    wants = [(s, (dollars if s.unit == "usd" else tokens) if s.holds else 0, True) for s in plan.counted]
    return wants, known


def used(state: RunState, call: ModelCall, voice: Voice) -> dict[str, int | None]:
    """Tokens and money of *call*; `None` stands for what was held, because the provider did not say."""
    if not call.usage.known and call.usage.cost is None:
        nothing = 0 if call.error_class is not None else None
        return {"tokens": nothing, "usd": nothing}
    dollars = 0
    if state.plan.money:
        price = pricing.price_call(call)
        if price.amount is not None:
            dollars = pico(price.amount)
            state.paid(dollars)
        else:
            voice.unpriced(state, call.model or call.request_model, "warn", call.step)
    return {"tokens": call.usage.total or 0, "usd": dollars}


def standings(outage: Outage, state: RunState) -> list[Standing]:
    """How each limit on a run stands, as far as the store can say."""
    plan, found = state.plan, []
    for slot, row in zip(plan.slots, outage.read([(s.key, s.unit) for s in plan.slots]) or (), strict=False):
        spent, held = (shown(slot.unit, number) for number in row)
        for line in slot.lines:
            maximum = shown(slot.unit, line.maximum)
            found.append(Standing(slot.unit, line.budget.scope, line.subject, spent, held, maximum, line.budget.action))
    passed = (time.time_ns() - state.run.started) / 1e9
    for budget, subject in plan.seconds:
        found.append(Standing("seconds", budget.scope, subject, passed, 0.0, budget.seconds or 0.0, budget.action))
    return found
