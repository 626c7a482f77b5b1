"""
Token counts of Google's two APIs.

https://ai.google.dev/api/generate-content#UsageMetadata
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..model import Usage
from ._gemini_searches import counted
from ._wire import as_list, count, fields

__all__ = ["add", "read_interaction_usage", "read_usage"]


def read_usage(wire: Any) -> Usage:
    """
    ``usageMetadata`` in disjoint buckets.

    Its prompt includes what was cached but not what tools put in; its candidates exclude the thoughts.  A count that is
    zero may be missing: then the total says so.
    """
    return _read(fields(wire), _COUNTS, _DETAILS)


def read_interaction_usage(wire: Any, model: Any) -> Usage:
    """The usage of an interaction of *model*, which counts in the same way under other names."""
    found = fields(wire)
    usage = _read(found, _INTERACTION_COUNTS, _INTERACTION_DETAILS)
    if told := found.get("grounding_tool_count"):
        usage.requests = counted(told, model)
    return usage


_COUNTS: Final = ("promptTokenCount", "toolUsePromptTokenCount", "cachedContentTokenCount", "candidatesTokenCount",
                  "thoughtsTokenCount", "totalTokenCount")  # fmt: skip
_DETAILS: Final = ("promptTokensDetails", "cacheTokensDetails", "candidatesTokensDetails")
_INTERACTION_COUNTS: Final = ("total_input_tokens", "total_tool_use_tokens", "total_cached_tokens",
                              "total_output_tokens", "total_thought_tokens", "total_tokens")  # fmt: skip
_INTERACTION_DETAILS: Final = ("input_tokens_by_modality", "cached_tokens_by_modality", "output_tokens_by_modality")


def _read(found: Mapping[str, Any], counts: tuple[str, ...], details: tuple[str, str, str]) -> Usage:
    usage = _buckets(*(count(found.get(name)) for name in counts))
    into, cached, out = details
    usage.input_audio, usage.input_image = _of(found, into, "AUDIO"), _of(found, into, "IMAGE")
    usage.cache_read_audio = _of(found, cached, "AUDIO")
    usage.output_audio, usage.output_image = _of(found, out, "AUDIO"), _of(found, out, "IMAGE")
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
    names = [name for name in Usage.__slots__ if name not in ("requests", "cost", "beside")]
    total = Usage()
    for name in names:
        known = [value for usage in (one, other) if (value := getattr(usage, name)) is not None]
        setattr(total, name, sum(known) if known else None)
    tools = {**one.requests, **other.requests}
    total.requests = {tool: one.requests.get(tool, 0) + other.requests.get(tool, 0) for tool in tools}
    return total
