"""Your own prices, from a file or in code.  They are asked before the table."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from .card import Card
from .price_file import ALWAYS, Alias, Override, parse_alias, parse_price, read_price_file

__all__ = ["Overrides", "alias", "check_file", "configure", "forget", "override", "overrides"]


class Overrides:
    """What code and file say, code first; the latest start that has begun wins among equals."""

    def __init__(self) -> None:
        self.code: list[Alias | Override] = []
        self.file: list[Alias | Override] = []
        self.changed: Callable[[], None] = lambda: None

    def target(self, provider: str, model: str) -> tuple[str, str]:
        """What an alias says that *model* of *provider* is; the same again without one."""
        for entry in (*self.code, *self.file):
            if isinstance(entry, Alias) and _matches(entry, provider, model):
                return entry.to_provider, entry.model
        return provider, model

    def find(self, provider: str, model: str, tier: str | None, at: int) -> tuple[Card | None, int, int]:
        """The price at *at*, and from and until when that holds."""
        since, until = ALWAYS
        for entries in (self.code, self.file):
            best: Override | None = None
            for entry in entries:
                if isinstance(entry, Alias) or entry.card is None or not _matches(entry, provider, model):
                    continue
                if entry.tier not in ("*", tier):
                    continue
                if entry.start > at:
                    until = min(until, entry.start)
                elif best is None or entry.start > best.start:
                    best = entry
            if best is not None:
                return best.card, max(since, best.start), until
        return None, since, until

    def window(self, provider: str, model: str) -> int | None:
        """The input window that somebody said for *model*, tokens."""
        for entry in (*self.code, *self.file):
            if isinstance(entry, Override) and entry.window and _matches(entry, provider, model):
                return entry.window
        return None

    def __len__(self) -> int:
        return len(self.code) + len(self.file)


overrides: Final = Overrides()
"""This process's overrides."""


def _matches(entry: Alias | Override, provider: str, model: str) -> bool:
    return fnmatchcase(provider, entry.provider) and fnmatchcase(model, entry.match)


def override(provider: str, match: str, **words: Any) -> None:
    """
    Say what *match* (a pattern such as ``gpt-4o*``) of *provider* costs: the keys of the file's ``[[price]]``.

    `ConfigurationError` when a key or a price can't be read.  ``from_`` spells ``from``.

        override("ollama", "*", free=True)
        override("azure.ai.openai", "gpt-4o", input_mtok="2.125", output_mtok="8.50", source="contract 2026-17")
    """
    if "from_" in words:
        words["from"] = words.pop("from_")
    overrides.code.append(parse_price({"provider": provider, "match": match, **words}, "override()", "code"))
    overrides.changed()


def alias(provider: str, match: str, to: str) -> None:
    """Say that *match* of *provider* is *to*, e.g. ``alias("azure.ai.openai", "prod-eu-*", "azure:gpt-4o")``."""
    overrides.code.append(parse_alias({"provider": provider, "match": match, "to": to}, "alias()"))
    overrides.changed()


def configure(file: str | Path | None) -> None:
    """Take the overrides of *file*, in place of those of an earlier one; `ConfigurationError` when it can't be read."""
    overrides.file = read_price_file(Path(file)) if file else []
    overrides.changed()


def check_file(file: str | Path | None) -> None:
    """Raise `ConfigurationError` when *file* is no price file."""
    if file:
        read_price_file(Path(file))


def forget() -> None:
    """Drop every override, those of code and those of the file."""
    overrides.code, overrides.file = [], []
    overrides.changed()
