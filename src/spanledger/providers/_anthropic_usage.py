"""
Token counts as Anthropic spells them: input excludes what is read from and written to the cache.

https://platform.claude.com/docs/en/build-with-claude/prompt-caching
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .. import semconv
from ..model import Usage
from ._wire import as_list, count, fields

__all__ = ["read_usage"]

_TIERS: Final = (
    ("service_tier", semconv.ANTHROPIC_RESPONSE_TIER), ("speed", semconv.RESPONSE_SPEED),
    ("inference_geo", semconv.RESPONSE_GEO),
)  # fmt: skip
"""What decides the price besides the model."""


def read_usage(before: Usage | None, wire: Any, extra: dict[str, Any]) -> Usage:
    """*wire* laid over what was known *before*; counts in a stream are running totals."""
    usage = before or Usage()
    found = fields(wire)
    for field, key in (
        ("uncached", "input_tokens"),
        ("cache_read", "cache_read_input_tokens"),
        ("cache_write", "cache_creation_input_tokens"),
        ("output", "output_tokens"),
    ):
        if (value := count(found.get(key))) is not None:
            setattr(usage, field, value)
    if apart := found.get("cache_creation"):
        usage.cache_write_1h = count(fields(apart).get("ephemeral_1h_input_tokens"))
    if details := found.get("output_tokens_details"):
        usage.reasoning = count(fields(details).get("thinking_tokens"))
    if used := fields(found.get("server_tool_use")):
        usage.requests = {name.removesuffix("_requests"): n for name, value in used.items() if (n := count(value))}
    for iteration in as_list(found.get("iterations")):
        _add_compaction(usage, fields(iteration))
    for key, name in _TIERS:
        if isinstance(word := found.get(key), str):
            extra[name] = word
    return usage


def _add_compaction(usage: Usage, iteration: Mapping[str, Any]) -> None:
    # billed, but not in the message's own counts (says `BetaUsage.iterations` of the client)
    if iteration.get("type") == "compaction":
        usage.uncached = (usage.uncached or 0) + (count(iteration.get("input_tokens")) or 0)
        usage.cache_read = (usage.cache_read or 0) + (count(iteration.get("cache_read_input_tokens")) or 0)
        usage.cache_write = (usage.cache_write or 0) + (count(iteration.get("cache_creation_input_tokens")) or 0)
        usage.output = (usage.output or 0) + (count(iteration.get("output_tokens")) or 0)
