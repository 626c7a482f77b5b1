"""The strict gate: an amount where everything about it is known, a reason where it is not."""

from __future__ import annotations

import os
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from spanledger.model import Usage
from spanledger.shield import report

from .card import Card, split
from .money import Price
from .names import deployment
from .overrides import overrides
from .price_file import ALWAYS
from .table import Table, standard_tier

__all__ = ["context_window", "estimate", "known_window", "price", "price_call", "table", "use_table", "version", "warm"]

MAX_REMEMBERED: Final = 4096
"""How many (provider, model, tier) are remembered with their card."""

_ROLL_UPS: Final = frozenset({"invoke_agent", "create_agent", "invoke_workflow", "execute_tool", "step"})
"""Operations whose tokens are the sum of others'."""
_INPUT_ONLY: Final = frozenset({"embeddings", "rerank", "moderation"})
"""Operations that have no output tokens."""

table: Final = Table()
"""The price library's table."""

_Key = tuple[str, "str | None", "str | None", "str | None"]
_Entry = tuple[int, int, "Card | str"]

_remembered: dict[_Key, _Entry] = {}
_windows: dict[tuple[str, str], int | None] = {}
_generation = 0
_lock = threading.RLock()

_COUNTED = Price(None, "counted_in_child")
_NO_USAGE = Price(None, "no_usage")
_INCONSISTENT = Price(None, "inconsistent_usage")
_UNKNOWN = Price(None, "unknown_model")


def price(
    usage: Usage, *, provider: str, model: str | None, request_model: str | None = None, at: int,
    tier: str | None = None, operation: str = "chat",
) -> Price:  # fmt: skip
    """
    The price of *usage* at *at* (nanoseconds since the epoch); never raises.

    The response's *model* is asked first, then *request_model*.  What the provider itself says (`Usage.cost`) is
    taken as it is.
    """
    try:
        if operation in _ROLL_UPS:
            return _COUNTED
        if usage.cost is not None:
            return _reported(usage.cost)
        if not usage.known:
            return _NO_USAGE
        counts = split(usage)
        if counts is None:
            return _INCONSISTENT
        card = _card(provider, model, request_model, tier, at)
        return Price(None, card) if isinstance(card, str) else _by_card(card, counts, usage, operation)
    except Exception as error:  # noqa: BLE001 - a price is never worth a crash
        report("pricing a call", error)
        return _UNKNOWN


def _by_card(card: Card, counts: list[tuple[str, int]], usage: Usage, operation: str) -> Price:
    amount, unpriced = card.amount(counts, usage)
    if amount is None:
        return Price(None, "unknown_model", unpriced_units=tuple(unpriced))
    if usage.output is None and operation not in _INPUT_ONLY:
        unpriced.append("output_tokens")
    if usage.input is None:
        unpriced.append("input_tokens")
    if usage.input_audio and usage.cache_read and usage.cache_read_audio is None:
        unpriced.append("cache_audio_read_tokens")
    if not unpriced or card.free:
        return Price(amount, "priced", card.source, card.version)
    return Price(amount, "partial", card.source, card.version, tuple(dict.fromkeys(unpriced)))


def price_call(call: Any) -> Price:
    """The price of a settled model call."""
    return price(
        call.usage, provider=call.provider, model=call.model, request_model=call.request_model, at=call.started,
        tier=call.tier, operation=call.operation,
    )  # fmt: skip


def estimate(
    provider: str, model: str | None, input_tokens: int, output_tokens: int, at: int, tier: str | None = None
) -> int | None:  # fmt: skip
    """
    What a call of this size costs at most, in millionths of a millionth of a dollar; `None` without a price.

    For reservations: *model* is the requested one, nothing comes from the cache, all of the input may be written to it,
    and a call that asks for a service *tier* may be answered in the standard one.  Never raises.
    """
    try:
        card = _card(provider, model, None, None, at)
        worst = None if isinstance(card, str) else card.worst(input_tokens, output_tokens)
        if (tier := standard_tier(tier)) is None:
            return worst
        own = _card(provider, model, None, tier, at)
        in_tier = None if isinstance(own, str) else own.worst(input_tokens, output_tokens)
        return worst if in_tier is None else max(in_tier, worst or 0)
    except Exception as error:  # noqa: BLE001
        report("estimating a call", error)
        return None


def warm() -> None:
    """Import the price library now, on this thread; for a worker, so that the first price need not wait."""
    try:
        table.load()
    except Exception as error:  # noqa: BLE001
        report("loading the price library", error)


def use_table(path: Path | None) -> None:
    """Price by the fetched table in *path*, or by the bundled one for `None`; it is read with the first price."""
    table.use(path)
    _forget()


def context_window(provider: str, model: str | None) -> int | None:
    """How many input tokens *model* takes; `None` when nobody said.  Never raises."""
    if not model:
        return None
    try:
        provider, model = overrides.target(provider.lower(), model.lower())
        return overrides.window(provider, model) or _table_window(provider, model)
    except Exception as error:  # noqa: BLE001
        report("looking up a context window", error)
        return None


def known_window(provider: str, model: str | None) -> int | None:
    """As `context_window`, quick, and `None` as long as the price library is not loaded: it is not waited for."""
    if table.version is None or model is None:
        return None
    key = (provider, model)
    if key not in _windows:
        if len(_windows) >= MAX_REMEMBERED:
            _windows.clear()
        _windows[key] = context_window(provider, model)
    return _windows[key]


def _table_window(provider: str, model: str) -> int | None:
    tariff = table.find(provider, model)
    return tariff.window if tariff else None


def version() -> str | None:
    """The version of the price table in use, e.g. ``genai-prices/0.2.3``; `None` before the first price."""
    return table.version


def _reported(cost: float) -> Price:
    amount = Decimal(repr(cost)) if isinstance(cost, float) else Decimal(cost)
    if not amount.is_finite() or amount < 0:
        return _INCONSISTENT
    return Price(amount, "priced", "provider")


def _card(provider: str, model: str | None, request_model: str | None, tier: str | None, at: int) -> Card | str:
    key = (provider, model, request_model, tier)
    entry = _remembered.get(key)
    if entry is None or not entry[0] <= at < entry[1]:
        generation = _generation
        entry = _look_up(provider, model, request_model, tier, at)
        with _lock:
            if generation != _generation:  # prices changed while this one was looked up
                return entry[2]
            while len(_remembered) >= MAX_REMEMBERED:
                del _remembered[next(iter(_remembered))]
            _remembered[key] = entry
    return entry[2]


def _look_up(provider: str, model: str | None, request_model: str | None, tier: str | None, at: int) -> _Entry:
    tier = standard_tier(tier)
    since, until = ALWAYS
    found: Card | str = "unknown_model"
    for name, requested in ((model, False), (request_model, True)):
        if not name or (requested and name == model):
            continue
        where, what = overrides.target(provider.lower(), name.lower())
        for seller in dict.fromkeys((where, provider.lower())):
            own, low, high = overrides.find(seller, what, tier, at)
            since, until = max(since, low), min(until, high)
            if own is not None:
                return since, until, own
        aliased = (where, what) != (provider.lower(), name.lower())
        if requested and deployment(provider) and not aliased:
            continue  # a deployment is called as its owner likes, e.g. "gpt-4" for something else
        if (tariff := table.find(where, what)) is None:
            continue
        low, high = tariff.validity(at)
        since, until = max(since, low), min(until, high)
        card = tariff.card(at, tier)
        if card is not None and not card.empty:
            return since, until, card
        found = "unknown_model" if card is not None else "unsupported_tier"
        break
    return since, until, found


def _forget() -> None:
    global _generation  # noqa: PLW0603
    with _lock:
        _generation += 1
        _remembered.clear()
        _windows.clear()


def _after_fork() -> None:
    global _lock  # noqa: PLW0603
    _lock = threading.RLock()
    table.begin_anew()


overrides.changed = _forget
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
