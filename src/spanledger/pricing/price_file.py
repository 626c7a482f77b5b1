"""
The price file and its entries: prices of your own, and what a name really is.

The file is TOML (or JSON of the same shape)::

    version = 1
    [[alias]]                                     # deployments, ARNs, fine-tunes
    provider = "azure.ai.openai"
    match = "prod-eu-*"
    to = "azure:gpt-4o"
    [[price]]
    provider = "azure.ai.openai"
    match = "gpt-4o"
    from = 2026-01-01
    input_mtok = "2.125"
    output_mtok = "8.50"
    source = "contract 2026-17"
    [[price]]
    provider = "ollama"
    match = "*"
    free = true                                   # the only way to a recorded 0
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from spanledger.errors import ConfigurationError
from spanledger.spelling import hint

from .card import PRICE_KEYS, Card, Rate

__all__ = ["ALWAYS", "Alias", "Override", "parse_alias", "parse_price", "read_price_file"]

ALWAYS: Final = (-(2**63), 2**63)
"""From and until, nanoseconds since the epoch, of what never changes."""
_SHORT: Final = {
    "web_search_k": "web_searches_kcount", "storage_search_k": "storage_searches_kcount",
    "code_execution_k": "code_executions_kcount", "request_k": "requests_kcount",
}  # fmt: skip
_PRICES: Final = (*PRICE_KEYS, *_SHORT)
_PRICE_WORDS: Final = ("provider", "match", "from", "currency", "free", "source", "tier", "input_window", *_PRICES)
_ALIAS_WORDS: Final = ("provider", "match", "to")


@dataclass(frozen=True, slots=True)
class Alias:
    """*match* of *provider* is really *model* of *to_provider*."""

    provider: str
    match: str
    to_provider: str
    model: str


@dataclass(frozen=True, slots=True)
class Override:
    """A price of your own; *start* is nanoseconds since the epoch, *tier* `None` is the standard one."""

    provider: str
    match: str
    card: Card | None
    start: int
    tier: str | None = None
    window: int | None = None


def read_price_file(path: Path) -> list[Alias | Override]:
    """All entries of *path*, TOML or JSON; `ConfigurationError`, which names the entry, when one can't be read."""
    try:
        raw = path.read_bytes()
        data = json.loads(raw) if path.suffix == ".json" else _toml(raw.decode("utf-8"))
    except OSError as error:
        msg = f"can't read the price file {path}: {error.strerror}; set SPANLEDGER_PRICES to one that exists"
        raise ConfigurationError(msg) from error
    except ValueError as error:
        msg = f"{path} is not valid {'JSON' if path.suffix == '.json' else 'TOML'}: {error}"
        raise ConfigurationError(msg) from error
    if not isinstance(data, Mapping) or data.get("version") != 1:
        raise ConfigurationError(f"{path} must be a table that says version = 1, the only format there is")
    _known(data, ("version", "alias", "price"), str(path))
    version = "sha256:" + hashlib.sha256(raw).hexdigest()[:12]
    found: list[Alias | Override] = []
    for word, make in (("alias", parse_alias), ("price", lambda entry, where: parse_price(entry, where, version))):
        for number, entry in enumerate(data.get(word, ()), 1):
            where = f"{path}, [[{word}]] number {number}"
            if not isinstance(entry, Mapping):
                raise ConfigurationError(f"{where} must be a table")
            found.append(make(entry, where))
    return found


def _toml(text: str) -> Any:
    try:
        import tomllib  # noqa: PLC0415 - Python 3.11 and later
    except ImportError:
        import tomli as tomllib  # type: ignore[import-not-found,unused-ignore,no-redef]  # noqa: PLC0415
    return tomllib.loads(text)


def _known(entry: Mapping[str, Any], words: tuple[str, ...], where: str) -> None:
    for word in entry:
        if word not in words:
            raise ConfigurationError(f"{where}: unknown key {word!r}; {hint(word, words)}")


def _text(entry: Mapping[str, Any], word: str, where: str) -> str:
    value = entry.get(word)
    if not isinstance(value, str) or not value:
        raise ConfigurationError(f"{where}: {word} is {value!r}; it must be a text")
    return value.lower()


def parse_alias(entry: Mapping[str, Any], where: str) -> Alias:
    """An ``[[alias]]``; *where* is how an error names it."""
    _known(entry, _ALIAS_WORDS, where)
    provider, colon, model = _text(entry, "to", where).partition(":")
    if not colon or not model:
        raise ConfigurationError(f"{where}: to is {entry['to']!r}; it must be provider:model, e.g. 'azure:gpt-4o'")
    return Alias(_text(entry, "provider", where), _text(entry, "match", where), provider, model)


def parse_price(entry: Mapping[str, Any], where: str, version: str) -> Override:
    """A ``[[price]]``; *where* is how an error names it, *version* stands for a source that it does not give."""
    _known(entry, _PRICE_WORDS, where)
    if entry.get("currency", "USD") != "USD":
        raise ConfigurationError(f"{where}: currency is {entry['currency']!r}; prices are in 'USD'")
    rates = {_SHORT.get(word, word): Rate(_number(entry[word], word, where)) for word in _PRICES if word in entry}
    free, window = entry.get("free", False), entry.get("input_window")
    if free not in (True, False) or (free and rates):
        raise ConfigurationError(f"{where}: free is {free!r}; it must be true, and stand without prices, or false")
    if window is not None and (not isinstance(window, int) or window <= 0):
        raise ConfigurationError(f"{where}: input_window is {window!r}; it must be a number of tokens")
    card = Card(rates, "override", str(entry.get("source") or version), free=free) if rates or free else None
    if card is None and window is None:
        raise ConfigurationError(f"{where} has no price; give one of {', '.join(_PRICES[:4])} ... or free = true")
    if card is not None and card.empty:
        raise ConfigurationError(f"{where}: every price is 0; say free = true if it costs nothing")
    tier = entry.get("tier")
    provider, match = _text(entry, "provider", where), _text(entry, "match", where)
    return Override(provider, match, card, _start(entry.get("from"), where), tier and str(tier).lower(), window)


def _number(value: Any, word: str, where: str) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if isinstance(value, bool) or not number.is_finite() or number < 0:
        raise ConfigurationError(f"{where}: {word} is {value!r}; it must be a number, not negative, USD")
    return number.scaleb(-6 if word.endswith("_mtok") else -3)


def _start(value: Any, where: str) -> int:
    if value is None:
        return ALWAYS[0]
    try:
        moment = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
        if not isinstance(moment, dt.datetime):
            moment = dt.datetime.combine(moment, dt.time())
        moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.timezone.utc)
        return int(moment.timestamp()) * 1_000_000_000
    except (AttributeError, TypeError, ValueError) as error:
        raise ConfigurationError(f"{where}: from is {value!r}; it must be a day, e.g. 2026-01-01 (UTC)") from error
