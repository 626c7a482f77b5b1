"""How numbers, times and names are spelled for people: in ASCII, and with other people's text made harmless."""

from __future__ import annotations

import unicodedata
from datetime import datetime, timezone
from decimal import Decimal
from typing import Final

from ..journal import RunRow

__all__ = ["age", "clean", "duration", "instant", "money", "outcome", "seconds_of", "short_hash", "spent", "tokens"]

_HASH_SHOWN: Final = 8
_LEAST, _SHORT, _MINUTE, _HOUR, _DAY = 0.0001, 0.01, 60, 3600, 86_400


def clean(text: str) -> str:
    """*text* without what a terminal would obey: control characters are spelled out."""
    return "".join(c if unicodedata.category(c)[0] != "C" else c.encode("unicode_escape").decode() for c in text)


def money(amount: Decimal) -> str:
    """US dollars, down to a millionth."""
    if not amount:
        return "$0"
    if amount < Decimal("0.000001"):
        return "<$0.000001"
    text = f"{amount:.6f}" if amount < 1 else f"{amount:,.4f}"
    whole, _, rest = text.partition(".")
    return f"${whole}.{rest.rstrip('0').ljust(2, '0')}"


def spent(cost: Decimal, unpriced: int, calls: int) -> str:
    """What *calls* cost, and how many of them have no price."""
    if not unpriced:
        return money(cost)
    if not cost and unpriced >= calls:
        return "unpriced"
    return f"{money(cost)} + {unpriced} unpriced"


def tokens(inward: int | None, outward: int | None, cached: int | None = None, *, missing: int = 0) -> str:
    """Token counts; what the provider did not say is a question mark; those of *missing* calls are not all known."""
    if missing and not inward and not outward:
        return "tokens unknown"
    if missing:
        return f"{tokens(inward, outward, cached)} + {missing} {'call' if missing == 1 else 'calls'} unknown"
    said = "?" if inward is None else f"{inward:,}"
    note = f" ({cached:,} cached)" if cached else ""
    return f"{said} in{note}, {'?' if outward is None else f'{outward:,}'} out"


def duration(seconds: float) -> str:
    """A length of time in the unit that suits it."""
    if seconds < _LEAST:
        return "<0.1 ms"
    if seconds < _SHORT:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min {seconds % _MINUTE:.0f} s"
    return f"{seconds // _HOUR:.0f} h {seconds % _HOUR // _MINUTE:.0f} min"


def age(then: int, now: int) -> str:
    """How long ago *then* was, roughly; both in nanoseconds since the epoch."""
    seconds = max(0, now - then) / 1e9
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"


def instant(then: int) -> str:
    """A time in nanoseconds since the epoch as ISO 8601, UTC."""
    return f"{datetime.fromtimestamp(then // 1000 / 1e6, timezone.utc):%Y-%m-%dT%H:%M:%S.%fZ}"


def short_hash(text: str) -> str:
    """The first digits of a hash, enough to see that two are the same."""
    return text.rpartition(":")[2][:_HASH_SHOWN]


def seconds_of(run: RunRow) -> float:
    """How long a run took, or has taken at its last sign of life."""
    return max(0, (run.ended or max(run.heartbeat, run.active)) - run.started) / 1e9


def outcome(run: RunRow) -> str:
    """The status of a run and why it is so, e.g. ``failure (tool_error)`` or ``running (step 3)``."""
    if run.ended is None:
        return f"running (step {run.steps})" if run.steps else "running"
    return f"{run.status} ({run.stop_reason})" if run.stop_reason else run.status
