"""
Token counts of Google's two APIs.

https://ai.google.dev/api/generate-content#UsageMetadata
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model import Usage
from ._wire import as_list, count, fields

__all__ = ["add", "read_interaction_usage", "read_usage"]


def read_usage(wire: Any) -> Usage:
    """
    ``usageMetadata`` in disjoint buckets.

    Its prompt includes what was cached but not what tools put in; its candidates exclude the thoughts.  A count that is
    zero may be missing: then the total says so.
    """
    found = fields(wire)
    usage = _buckets(
        count(found.get("promptTokenCount")),
        count(found.get("toolUsePromptTokenCount")),
        count(found.get("cachedContentTokenCount")),
        count(found.get("candidatesTokenCount")),
        count(found.get("thoughtsTokenCount")),
        count(found.get("totalTokenCount")),
    )
    usage.input_audio = _of(found, "promptTokensDetails", "AUDIO")
    usage.input_image = _of(found, "promptTokensDetails", "IMAGE")
    usage.cache_read_audio = _of(found, "cacheTokensDetails", "AUDIO")
    usage.output_audio = _of(found, "candidatesTokensDetails", "AUDIO")
    usage.output_image = _of(found, "candidatesTokensDetails", "IMAGE")
    return usage


def read_interaction_usage(wire: Any) -> Usage:
    """The usage of an interaction, which counts in the same way under other names."""
    found = fields(wire)
    usage = _buckets(
        count(found.get("total_input_tokens")),
        count(found.get("total_tool_use_tokens")),
        count(found.get("total_cached_tokens")),
        count(found.get("total_output_tokens")),
        count(found.get("total_thought_tokens")),
        count(found.get("total_tokens")),
    )
    usage.input_audio = _of(found, "input_tokens_by_modality", "AUDIO")
    usage.input_image = _of(found, "input_tokens_by_modality", "IMAGE")
    usage.cache_read_audio = _of(found, "cached_tokens_by_modality", "AUDIO")
    usage.output_audio = _of(found, "output_tokens_by_modality", "AUDIO")
    usage.output_image = _of(found, "output_tokens_by_modality", "IMAGE")
    return usage


def _buckets(
    prompt: int | None, tools: int | None, cached: int | None, said: int | None, thought: int | None, total: int | None
) -> Usage:
    into = None if prompt is None and tools is None else (prompt or 0) + (tools or 0)
    if said is None and thought is None:
        output = total - into if total is not None and into is not None and total >= into else None
    else:
        output = (said or 0) + (thought or 0)
    if into is None:
        return Usage(output=output, cache_read=cached, reasoning=thought)
    # more cached than there was can only be counted apart
    uncached = into if cached is None or cached > into else into - cached
    return Usage(uncached, cached, output=output, reasoning=thought)


def _of(found: Mapping[str, Any], key: str, modality: str) -> int | None:
    for detail in as_list(found.get(key)):
        said = fields(detail)
        if str(said.get("modality")).upper() == modality:
            return count(said.get("tokenCount", said.get("tokens")))
    return None


def add(one: Usage | None, other: Usage) -> Usage:
    """The sum of two usages, of an answer that took several requests."""
    if one is None:
        return other
    names = [name for name in Usage.__slots__ if name not in ("requests", "cost")]
    total = Usage()
    for name in names:
        known = [value for usage in (one, other) if (value := getattr(usage, name)) is not None]
        setattr(total, name, sum(known) if known else None)
    return total
