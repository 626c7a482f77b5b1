"""
Token counts as Anthropic spells them: input excludes what is read from and written to the cache.

https://platform.claude.com/docs/en/build-with-claude/prompt-caching
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from .. import semconv
from ..model import Usage
from ._wire import as_list, count, fields

__all__ = ["read_usage"]

_COUNTS: Final = (
    ("uncached", "input_tokens"), ("cache_read", "cache_read_input_tokens"),
    ("cache_write", "cache_creation_input_tokens"), ("output", "output_tokens"),
)  # fmt: skip
"""`Usage` field, and what it is on the wire."""
_TIERS: Final = (
    ("service_tier", semconv.ANTHROPIC_RESPONSE_TIER), ("speed", semconv.RESPONSE_SPEED),
    ("inference_geo", semconv.RESPONSE_GEO),
)  # fmt: skip
"""What decides the price besides the model."""


def read_usage(before: Usage | None, wire: Any, extra: dict[str, Any]) -> Usage:
    """*wire* laid over what was known *before*; counts in a stream are running totals."""
    usage = before or Usage()
    found = fields(wire)
    _add(usage, [-n for n in usage.beside])
    for field, key in _COUNTS:
        if (value := count(found.get(key))) is not None:
            setattr(usage, field, value)
    if apart := found.get("cache_creation"):
        usage.cache_write_1h = count(fields(apart).get("ephemeral_1h_input_tokens"))
    if details := found.get("output_tokens_details"):
        usage.reasoning = count(fields(details).get("thinking_tokens"))
    if used := fields(found.get("server_tool_use")):
        told = {name.removesuffix("_requests"): n for name, value in used.items() if (n := count(value))}
        usage.requests = {**usage.requests, **told}
    if iterations := [fields(iteration) for iteration in as_list(found.get("iterations"))]:
        usage.beside = _compactions(iterations)
        # at the price of a model of their own, and not in the message's own counts
        if advice := sum(one.get("type") == "advisor_message" for one in iterations):
            usage.requests = {**usage.requests, "advisor": advice}
    _add(usage, usage.beside)
    for key, name in _TIERS:
        if isinstance(word := found.get(key), str):
            extra[name] = word
    return usage


def _compactions(iterations: list[Mapping[str, Any]]) -> tuple[int, ...]:
    # billed, but not in the message's own counts (says `BetaUsage.iterations` of the client)
    found = [iteration for iteration in iterations if iteration.get("type") == "compaction"]
    return tuple(sum(count(one.get(key)) or 0 for one in found) for _, key in _COUNTS) if found else ()


def _add(usage: Usage, counts: Iterable[int]) -> None:
    for (field, _), value in zip(_COUNTS, counts):  # noqa: B905 - there may be none
        setattr(usage, field, (getattr(usage, field) or 0) + value)
