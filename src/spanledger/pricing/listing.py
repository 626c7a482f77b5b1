"""
Prices for people: what a model costs, from whom, and a newer table on request.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from ..errors import ConfigurationError, SpanledgerError
from .card import Card
from .gate import table
from .names import PROVIDERS
from .overrides import overrides
from .table import engine, parse_providers, standard_tier

__all__ = ["count", "fetched_table", "listed", "update"]

MAX_BYTES: Final = 64 * 1024 * 1024
TIMEOUT_SECONDS: Final = 30
FEWEST_MODELS: Final = 100
"""A table with fewer models is none."""


def listed(model: str, *, provider: str | None = None, at: int, tier: str | None = None) -> list[dict[str, Any]]:
    """What *model* costs at *at* (nanoseconds since the epoch) from each provider that sells it, overrides first."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    tier = standard_tier(tier)
    for seller in [provider] if provider else PROVIDERS:
        where, what = overrides.target(seller.lower(), model.lower())
        card, _, _ = overrides.find(where, what, tier, at)
        tariff = table.find(where, what)
        name = tariff.name if tariff is not None else what
        if card is None and tariff is not None:
            card = tariff.card(at, tier)
        if card is None or card.empty:
            continue
        owner = seller if card.source == "override" else (tariff.owner if tariff else seller)
        window = overrides.window(where, what) or (tariff.window if tariff else None)
        found.setdefault((owner, name), {"provider": owner, "model": name, **_described(card), "input_window": window})
    return list(found.values())


def _described(card: Card) -> dict[str, Any]:
    rates = {}
    for key, rate in card.rates.items():
        scale = 6 if key.endswith("_mtok") else 3
        tiers = [{"above": start, "price": _plain(price, scale)} for start, price in rate.tiers]
        rates[key] = {"price": _plain(rate.base, scale), "tiers": tiers}
    return {"source": card.source, "version": card.version, "free": card.free, "rates": rates}


def _plain(price: Decimal, scale: int) -> str:
    return format(price.scaleb(scale).normalize(), "f")


def count() -> int:
    """How many overrides and aliases there are."""
    return len(overrides)


def fetched_table(path: Path) -> Path | None:
    """*path* when it holds a table that was fetched for the price library that is installed, else `None`."""
    try:
        with path.open(encoding="utf-8") as file:
            head = file.read(200)
    except OSError:
        return None
    return path if json.dumps(engine()) in head else None


def update(path: Path, source: str | None = None) -> tuple[int, str]:
    """
    Fetch the newest table from *source*, or from where the price library fetches it, and keep it in *path*.

    Gives back how many models it has, and where it is from.  Raises `SpanledgerError` when there is none to be had, and
    then leaves *path* as it was.
    """
    import urllib.request  # noqa: PLC0415 - nothing else here uses the network

    source = source or _default_source()
    if not source.startswith(("https://", "http://")):
        raise ConfigurationError(f"{source!r} is no address; give one that begins with https://")
    try:
        with urllib.request.urlopen(source, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - checked above
            raw = json.loads(answer.read(MAX_BYTES))
        models = sum(len(provider.models) for provider in parse_providers(raw))
    except Exception as error:
        raise SpanledgerError(f"no price table from {source}: {type(error).__name__}: {error}") from error
    if models < FEWEST_MODELS:
        raise SpanledgerError(f"no price table from {source}: it has {models} models only")
    fetched = dt.datetime.now(dt.timezone.utc).date().isoformat()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_suffix(f".{os.getpid()}.new")
    new.write_text(json.dumps({"engine": engine(), "fetched": fetched, "providers": raw}), encoding="utf-8")
    new.replace(path)
    return models, source


def _default_source() -> str:
    from genai_prices import update_prices  # noqa: PLC0415 - knows the address of its own format

    known = getattr(update_prices, "DEFAULT_UPDATE_URL", None)
    return str(known or update_prices.UpdatePrices().url)
