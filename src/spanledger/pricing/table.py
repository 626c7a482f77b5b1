"""
What the price library says: a card for a model at a time, and how large its input may be.

The library is imported when the first price is asked for.  Its own arithmetic is not used: it takes an absent price
for the parent's, an unknown tier for the standard one and an empty card for free, and it costs seventy times as much.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from spanledger.errors import ConfigurationError
from spanledger.forks import undivided
from spanledger.shield import report

from .card import PRICE_KEYS, Card, Rate
from .names import candidates, library_provider
from .price_file import ALWAYS

__all__ = ["Table", "Tariff", "engine", "parse_providers", "read_table", "standard_tier"]

_DAY: Final = 86_400_000_000_000
_STANDARD: Final = frozenset({"", "default", "auto", "standard", "standard_only", "on_demand"})
_FULL_WINDOW: Final = {("openai", 400_000): 272_000, ("azure", 400_000): 272_000}
"""(provider, window that counts the output in) -> how much of it the input may take."""


def standard_tier(tier: str | None) -> str | None:
    """*tier* in lower case, `None` for what is only another word for the standard one."""
    tier = (tier or "").lower()
    return None if tier in _STANDARD else tier


def _contexts(tier: str) -> tuple[Mapping[str, str], ...]:
    return ({"processing": "batch"},) if tier == "batch" else ({"service_tier": tier}, {"speed": tier})


class Tariff:
    """A model in the table: what it costs at a time, in a tier, and between which times that holds."""

    __slots__ = ("_foreign", "_model", "_table")

    def __init__(self, table: Table, provider: Any, model: Any) -> None:
        self._table = table
        self._model = model
        self._foreign = all(model is not own for own in provider.models)

    def card(self, at: int, tier: str | None) -> Card | None:
        """The prices at *at* (nanoseconds since the epoch); `None` when the table does not know the tier."""
        when = dt.datetime.fromtimestamp(at // 1_000_000_000, tz=dt.timezone.utc)
        if tier is None:
            return self._table.card(self._model.get_prices(when))
        variants = () if self._foreign else getattr(self._model, "price_variants", None) or ()
        for context in _contexts(tier):
            for variant in variants:
                if variant.when == context and (variant.constraint is None or variant.constraint.active(when)):
                    return self._table.card(self._model.get_prices(when, context))
        return None

    def validity(self, at: int) -> tuple[int, int]:
        """From and until when, nanoseconds, the prices at *at* stay what they are."""
        conditional = self._model.prices if isinstance(self._model.prices, list) else []
        variants = getattr(self._model, "price_variants", None) or []
        since, until = ALWAYS
        for entry in [*conditional, *variants]:
            for moment in _changes(entry.constraint, at):
                if moment <= at:
                    since = max(since, moment)
                else:
                    until = min(until, moment)
        return since, until

    @property
    def window(self) -> int | None:
        """How many input tokens the model takes."""
        size = self._model.context_window
        return _FULL_WINDOW.get((self._table.owner(self._model) or "", size), size) if size else None

    @property
    def owner(self) -> str:
        """The provider under which the table lists it."""
        return self._table.owner(self._model) or "-"

    @property
    def name(self) -> str:
        """The model's name in the table."""
        return str(self._model.id)


def _changes(constraint: Any, at: int) -> list[int]:
    if constraint is None:
        return []
    if (start := getattr(constraint, "start_date", None)) is not None:
        midnight = dt.datetime.combine(start, dt.time(), tzinfo=dt.timezone.utc)
        return [int(midnight.timestamp()) * 1_000_000_000]
    if hasattr(constraint, "start_time") and hasattr(constraint, "end_time"):
        midnight_ns = at - at % _DAY
        found = []
        for moment in (constraint.start_time, constraint.end_time):
            offset = moment.utcoffset() or dt.timedelta()
            seconds = moment.hour * 3600 + moment.minute * 60 + moment.second - int(offset.total_seconds())
            found += [midnight_ns + seconds % 86_400 * 1_000_000_000 + day * _DAY for day in (-1, 0, 1)]
        return found
    return [at, at + 1]  # a kind of condition that this version does not know: good for this very moment only


class Table:
    """The library's prices, the bundled ones or a file that ``spanledger prices update`` fetched."""

    def __init__(self) -> None:
        self._snapshot: Any = None
        self._path: Path | None = None
        self._lock = threading.RLock()
        self.version: str | None = None
        self._owners: dict[int, str] = {}

    def load(self) -> None:
        """Import the library and have its data ready, or those of the fetched file."""
        if self._snapshot is not None:
            return
        with undivided(), self._lock:
            if self._snapshot is not None:
                return
            from genai_prices import data_snapshot  # noqa: PLC0415 - 0.2 s, when the first price is asked for

            snapshot, version = data_snapshot.get_snapshot(), engine()
            if self._path is not None:
                try:
                    providers, fetched = read_table(self._path)
                    snapshot = data_snapshot.DataSnapshot(providers, from_auto_update=True)
                    version = f"{version}+{fetched}"
                except ConfigurationError as error:
                    report("loading the fetched price table", error)
            self._owners = {id(model): provider.id for provider in snapshot.providers for model in provider.models}
            self._snapshot, self.version = snapshot, version

    def use(self, path: Path | None) -> None:
        """From now on use the table in *path*, as `fetch` wrote it; `None` is the bundled one."""
        with self._lock:
            self._path, self._snapshot, self.version = path, None, None

    def begin_anew(self) -> None:
        """Be a forked child's: its lock is free, whoever held it in the parent."""
        self._lock = threading.RLock()

    def owner(self, model: Any) -> str | None:
        """The provider that the table lists *model* under."""
        return self._owners.get(id(model))

    def find(self, provider: str, model: str) -> Tariff | None:
        """*model* as *provider* (a name of the conventions) sells it; `None` when the table does not know it."""
        if (library_id := library_provider(provider)) is None:
            return None
        self.load()
        for name in candidates(library_id, model):
            try:
                found_provider, found = self._snapshot.find_provider_model(name, None, library_id, None)
            except LookupError:
                continue
            return Tariff(self, found_provider, found)
        return None

    def card(self, prices: Any) -> Card:
        """The library's *prices* of a model as a card."""
        rates = {}
        for key, value in vars(prices).items():
            if value is not None and key in _SCALES:
                rates[key] = _rate(value, _SCALES[key])
        return Card(rates, "genai-prices", self.version)

    def __iter__(self) -> Any:
        self.load()
        return ((provider.id, model) for provider in self._snapshot.providers for model in provider.models)


_SCALES: Final = {key: -6 if key.endswith("_mtok") else -3 for key in (*PRICE_KEYS, "output_citation_mtok")}


def _rate(value: Any, scale: int) -> Rate:
    if isinstance(value, Decimal):
        return Rate(value.scaleb(scale))
    return Rate(value.base.scaleb(scale), tuple((tier.start, tier.price.scaleb(scale)) for tier in value.tiers))


def engine() -> str:
    """The price library and its version, e.g. ``genai-prices/0.2.3``."""
    from importlib.metadata import version  # noqa: PLC0415 - with the library

    return f"genai-prices/{version('genai-prices')}"


def parse_providers(raw: Any) -> Any:
    """
    A table's JSON as the library's objects; raises as the library does.

    The library reads tables in public only while it fetches them, so this is its own reader of what it fetched: the
    private name of the newest versions, or the public one of those before.  One that has neither reads no saved
    table: the bundled one is used then, and a warning says so.
    """
    from genai_prices import types  # noqa: PLC0415 - only where a table was fetched

    parse: Any = getattr(types, "_providers_from_raw", None)
    return (parse or getattr(types, "providers_schema").validate_python)(raw)  # noqa: B009 - of older ones


def read_table(path: Path) -> tuple[Any, str]:
    """The providers in a fetched table and the day it was fetched; `ConfigurationError` when it is none."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        providers, fetched = parse_providers(data["providers"]), str(data["fetched"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"{path} is no price table ({type(error).__name__}); delete it or run: spanledger prices update"
        raise ConfigurationError(msg) from error
    return providers, fetched
