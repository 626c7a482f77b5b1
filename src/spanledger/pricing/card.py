"""
A model's prices, ready to multiply.

A `Card` holds one price per kind of unit, already divided by what it is quoted per.  Counts come from `split`, which
cuts a `Usage` into pieces that do not overlap, so that no token is paid twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from math import ceil, inf
from typing import Final

from spanledger.model import Usage

from .money import MONEY

__all__ = ["PRICE_KEYS", "REQUEST_KEYS", "Card", "Rate", "split"]

_CHAINS: Final[dict[str, tuple[str, ...]]] = {
    "input_tokens": ("input_text_mtok", "input_mtok"),
    "cache_read_tokens": ("cache_text_read_mtok", "cache_read_mtok", "input_mtok"),
    "cache_write_tokens": ("cache_write_5m_mtok", "cache_write_mtok", "input_mtok"),
    "cache_write_1h_tokens": ("cache_write_1h_mtok", "cache_write_mtok", "input_mtok"),
    "input_audio_tokens": ("input_audio_mtok", "input_mtok"),
    "cache_audio_read_tokens": ("cache_audio_read_mtok", "cache_read_mtok", "input_mtok"),
    "input_image_tokens": ("input_image_mtok", "input_mtok"),
    "cache_image_read_tokens": ("cache_image_read_mtok", "cache_read_mtok", "input_mtok"),
    "output_tokens": ("output_text_mtok", "output_mtok"),
    "output_reasoning_tokens": ("output_reasoning_mtok", "output_mtok"),
    "output_audio_tokens": ("output_audio_mtok", "output_mtok"),
    "output_image_tokens": ("output_image_mtok", "output_mtok"),
}
"""Unit -> the keys that price it, the first one present wins.  All but the nearest are the parent's price."""

_OWN: Final = {"input_tokens": 2, "output_tokens": 2, "cache_read_tokens": 2, "cache_write_tokens": 2}
"""How many keys of a chain are the unit's own price; one where it is not said."""

_BILLED_AS_PARENT: Final = frozenset({"output_reasoning_tokens", "input_image_tokens", "cache_image_read_tokens"})
"""Units that providers bill at the parent's price unless they list one of their own."""

REQUEST_KEYS: Final = {
    "web_search": "web_searches_kcount", "web_searches": "web_searches_kcount",
    "web_search_requests": "web_searches_kcount", "google_search": "web_searches_kcount",
    "grounded_prompt": "web_searches_kcount",
    "file_search": "storage_searches_kcount", "storage_search": "storage_searches_kcount",
    "social_search": "social_searches_kcount", "x_search": "social_searches_kcount",
    "code_execution": "code_executions_kcount", "code_interpreter": "code_executions_kcount",
}  # fmt: skip
"""Name of a server-side tool in `Usage.requests` -> the key of its price per thousand."""

_FREE_REQUESTS: Final = frozenset({"web_fetch", "web_fetch_requests"})
"""Server-side tools that cost nothing besides their tokens."""

PRICE_KEYS: Final = tuple(
    dict.fromkeys([key for chain in _CHAINS.values() for key in chain] + [*REQUEST_KEYS.values(), "requests_kcount"])
)
"""Every key that a card can use."""

_UNSEEN: Final = {"output_citation_mtok": "output_citation_tokens"}
"""Keys for units that no `Usage` counts though they are part of every call of the model."""


@dataclass(frozen=True, slots=True)
class Rate:
    """USD per single unit; *tiers* are (input tokens above which it applies to all tokens, USD per unit), ascending."""

    base: Decimal
    tiers: tuple[tuple[int, Decimal], ...] = ()

    def at(self, context: int) -> Decimal:
        """The rate for a call with *context* input tokens in all."""
        found = self.base
        for start, rate in self.tiers:
            if context > start:
                found = rate
        return found


@dataclass(slots=True)
class Card:
    """One model's prices at one time, by price key; where they come from, and which version of it."""

    rates: Mapping[str, Rate]
    source: str
    version: str | None
    free: bool = False
    _units: dict[str, tuple[Rate | None, bool]] = field(init=False, repr=False)
    _worst: tuple[float, float, float, float] | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self._units = {}
        for unit, chain in _CHAINS.items():
            for place, key in enumerate(chain):
                if key in self.rates:
                    own = place < _OWN.get(unit, 1) or unit in _BILLED_AS_PARENT
                    self._units[unit] = (self.rates[key], own)
                    break
            else:
                self._units[unit] = (None, False)

    @property
    def empty(self) -> bool:
        """Whether it holds no price above zero, and nobody said that the model is free."""
        return not self.free and not any(rate.base or rate.tiers for rate in self.rates.values())

    def amount(self, counts: list[tuple[str, int]], usage: Usage) -> tuple[Decimal | None, list[str]]:
        """USD for the *counts* of `split`, `None` when no unit has a price; and the units without one of their own."""
        total, priced, unpriced = Decimal(0), self.free, []
        context = usage.input or 0
        for unit, count in counts:
            rate, own = self._units[unit]
            if rate is not None:
                per_unit = rate.at(context) if rate.tiers else rate.base
                total = MONEY.add(total, MONEY.multiply(per_unit, Decimal(count)))
                priced = True
            if not own and not self.free:
                unpriced.append(unit)
        if usage.requests or "requests_kcount" in self.rates:
            total = MONEY.add(total, self._requests(usage, unpriced))
        unpriced += [unit for key, unit in _UNSEEN.items() if key in self.rates]
        if not total and unpriced and not self.free:  # what was bought has no price here: not nothing, but nobody knows
            return None, unpriced
        return (total if priced or not counts else None), unpriced

    def worst(self, input_tokens: int, output_tokens: int) -> int | None:
        """At least what a call of this size costs without a cache, in millionths of a millionth of a dollar."""
        known = self._worst
        if known is None or input_tokens >= known[0]:
            known = self._worst = self._worst_at(input_tokens)
        _, fresh, answer, fee = known
        if fresh < 0:
            return None
        return ceil(input_tokens * fresh + output_tokens * answer + fee)

    def _worst_at(self, context: int) -> tuple[float, float, float, float]:
        """Up to which context it holds, and input, output, request; negative: no price.  All input may be cached."""
        fresh, answer = self._units["input_tokens"][0], self._units["output_tokens"][0]
        if fresh is None and answer is None:
            return (inf, 0.0 if self.free else -1.0, 0.0, 0.0)
        tiers = [start for rate in self.rates.values() for start, _ in rate.tiers]
        if context <= min(tiers, default=0):
            context, until = 0, float(min(tiers, default=0) + 1)
        else:
            context, until = (1 << 62), (-1.0 if tiers else inf)
        dearest = fresh.at(context) if fresh is not None else Decimal(0)
        if "cache_write_mtok" in self.rates:
            dearest = max(dearest, self.rates["cache_write_mtok"].at(context))
        output = answer.at(context) if answer is not None else Decimal(0)
        fee = self.rates["requests_kcount"].base if "requests_kcount" in self.rates else Decimal(0)
        return (until, float(dearest) * 1e12, float(output) * 1e12, float(fee) * 1e12)

    def _requests(self, usage: Usage, unpriced: list[str]) -> Decimal:
        total = Decimal(0)
        if (fee := self.rates.get("requests_kcount")) is not None:
            total = fee.at(usage.input or 0)
        for name, count in usage.requests.items():
            if not count or name in _FREE_REQUESTS or self.free:
                continue
            rate = self.rates.get(REQUEST_KEYS.get(name, ""))
            if rate is None:
                unpriced.append(name)
            else:
                total = MONEY.add(total, MONEY.multiply(rate.at(usage.input or 0), Decimal(count)))
        return total


def split(usage: Usage) -> list[tuple[str, int]] | None:
    """
    *usage* as pieces (unit, count) that do not overlap, zeros left out; `None` when it contradicts itself.

    A part that is greater than its whole, and anything negative, is a contradiction: cached tokens above the input
    are what comes of counting Anthropic's input as if it held them.
    """
    if usage.billed_input is not None or usage.billed_output is not None:  # the provider does the sums itself
        billed = [("input_tokens", usage.billed_input or 0), ("output_tokens", usage.billed_output or 0)]
        return None if any(count < 0 for _, count in billed) else [piece for piece in billed if piece[1]]
    uncached, read, write = usage.uncached or 0, usage.cache_read or 0, usage.cache_write or 0
    output = usage.output or 0
    if uncached < 0 or read < 0 or write < 0 or output < 0 or any(n < 0 for n in usage.requests.values()):
        return None
    pieces = []
    if usage.input_audio or usage.input_image or usage.cache_read_audio:
        media = _input_media(usage, uncached + write, read)
        if media is None:
            return None
        fresh, cached, more = media
        uncached, read = uncached - fresh, read - cached
        if uncached < 0:  # the provider wrote media into its cache; it is billed as written
            write, uncached = write + uncached, 0
        pieces += more
    hour = usage.cache_write_1h or 0
    reasoning, audio, image = usage.reasoning or 0, usage.output_audio or 0, usage.output_image or 0
    if min(hour, reasoning, audio, image) < 0 or hour > write or reasoning > output or audio + image > output:
        return None
    text = output - audio - image
    reasoning = min(reasoning, text)
    pieces += [
        ("input_tokens", uncached), ("cache_read_tokens", read), ("cache_write_tokens", write - hour),
        ("cache_write_1h_tokens", hour), ("output_tokens", text - reasoning), ("output_reasoning_tokens", reasoning),
        ("output_audio_tokens", audio), ("output_image_tokens", image),
    ]  # fmt: skip
    return [piece for piece in pieces if piece[1]]


def _input_media(usage: Usage, fresh: int, read: int) -> tuple[int, int, list[tuple[str, int]]] | None:
    """Media tokens that are new, those that were cached, and all of them as pieces; `None` on a contradiction."""
    audio, image, cached_audio = usage.input_audio or 0, usage.input_image or 0, usage.cache_read_audio
    if cached_audio is None:
        cached_audio = max(0, audio - fresh)  # at least that much must have come from the cache
    audio = max(audio, cached_audio)
    new_audio = audio - cached_audio
    cached_image = max(0, image - (fresh - new_audio))
    new_image = image - cached_image
    if min(new_audio, cached_audio, new_image, cached_image) < 0:
        return None
    if new_audio + new_image > fresh or cached_audio + cached_image > read:
        return None
    pieces = [
        ("input_audio_tokens", new_audio), ("cache_audio_read_tokens", cached_audio),
        ("input_image_tokens", new_image), ("cache_image_read_tokens", cached_image),
    ]  # fmt: skip
    return new_audio + new_image, cached_audio + cached_image, pieces
