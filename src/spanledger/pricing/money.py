"""What a call cost, or the reason why nobody knows."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Final

__all__ = ["MONEY", "STATUSES", "Price"]

STATUSES: Final = (
    "priced", "partial", "unknown_model", "no_usage", "inconsistent_usage", "unsupported_tier", "counted_in_child",
)  # fmt: skip
"""The closed set.  Only ``priced`` and ``partial`` come with an amount."""

MONEY: Final = Context(prec=60, traps=[])
"""The arithmetic of money: exact for every price and count there is, whatever the thread's own decimal context."""


@dataclass(frozen=True, slots=True)
class Price:
    """
    What a call cost, USD; *amount* is `None` when it has no price, and *status* says why.

    *source* is ``override``, ``genai-prices`` or ``provider``; *unpriced_units* are the units of the usage that no
    price of their own covers, e.g. ``("input_audio_tokens",)``.
    """

    amount: Decimal | None
    status: str
    source: str | None = None
    version: str | None = None
    unpriced_units: tuple[str, ...] = ()
