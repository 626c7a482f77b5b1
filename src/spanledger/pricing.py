"""
Usage and model to money, or to the reason why there is none.  The only module that knows the price library.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .model import Usage

__all__ = ["Price", "price", "price_call"]


@dataclass(frozen=True, slots=True)
class Price:
    """What a call cost, USD; *amount* is `None` when it has no price, and *status* says why."""

    amount: Decimal | None
    status: str
    source: str | None = None
    version: str | None = None
    unpriced_units: tuple[str, ...] = ()


def price(  # noqa: PLR0913 - what decides a price
    usage: Usage, *, provider: str, model: str | None, request_model: str | None = None, at: int,
    tier: str | None = None, operation: str = "chat",
) -> Price:  # fmt: skip
    """The price of *usage*; never raises."""
    return Price(None, "unknown_model")


def price_call(call: Any) -> Price:
    """The price of a settled model call."""
    return price(
        call.usage, provider=call.provider, model=call.model, request_model=call.request_model, at=call.started,
        tier=call.tier, operation=call.operation,
    )  # fmt: skip
