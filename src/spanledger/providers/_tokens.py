"""
Token counts as OpenAI and its many imitators spell them.

One shape under two names (``prompt_tokens`` and ``input_tokens``); the dialects are in the comments.
https://platform.openai.com/docs/api-reference/chat/object#chat/object-usage
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..model import Usage
from ._wire import count, fields

__all__ = ["read_usage"]


_CACHE_READ: Final = (
    "prompt_cache_hit_tokens",  # DeepSeek, before it had the details
    "cached_tokens",  # Moonshot, Together
    "num_cached_tokens",  # Mistral
    "cache_read_input_tokens",  # gateways to Anthropic
)


def read_usage(wire: Any) -> Usage:
    """
    *wire* in disjoint buckets.

    OpenAI counts cached tokens, read and written, as input, so they are taken out.  Where they are more than the input,
    the provider can only have counted them apart (as gateways to Anthropic do): then nothing is taken out.
    """
    found = fields(wire)
    total_in = count(found.get("prompt_tokens", found.get("input_tokens")))
    output = count(found.get("completion_tokens", found.get("output_tokens")))
    if total_in is None and output is None:
        return Usage(cost=_cost(found))
    into = fields(
        found.get("prompt_tokens_details") or found.get("input_tokens_details") or found.get("input_token_details")
    )
    out_of = fields(found.get("completion_tokens_details") or found.get("output_tokens_details"))
    read = into.get("cached_tokens")
    read = _cache_read(found) if read is None else count(read)
    write = into.get("cache_write_tokens", found.get("cache_creation_input_tokens"))
    if write is not None:
        write = count(write)
    reasoning = count(out_of.get("reasoning_tokens"))
    if total_in is None:
        uncached = None
    else:
        cached = (read or 0) + (write or 0)
        uncached = total_in if cached > total_in else total_in - cached
        if reasoning:
            output = _with_reasoning(total_in, output, reasoning, count(found.get("total_tokens")))
    usage = Usage(uncached, read, write, output, reasoning=reasoning)
    _details(usage, into, out_of)
    if "cost" in found:
        usage.cost = _cost(found)
    return usage


def _details(usage: Usage, into: Mapping[str, Any], out_of: Mapping[str, Any]) -> None:
    if (audio := into.get("audio_tokens")) is not None:
        usage.input_audio = count(audio)
    if (image := into.get("image_tokens")) is not None:
        usage.input_image = count(image)
    if (audio := out_of.get("audio_tokens")) is not None:
        usage.output_audio = count(audio)
    if (image := out_of.get("image_tokens")) is not None:
        usage.output_image = count(image)
    if apart := into.get("cached_tokens_details"):
        usage.cache_read_audio = count(fields(apart).get("audio_tokens"))


def _cache_read(found: Mapping[str, Any]) -> int | None:
    for key in _CACHE_READ:
        if (value := found.get(key)) is not None:
            return count(value)
    return None


def _with_reasoning(total_in: int, output: int | None, reasoning: int | None, total: int | None) -> int | None:
    # xAI leaves reasoning out of the completion tokens; only its total says so
    if output is not None and reasoning and total == total_in + output + reasoning:
        return output + reasoning
    return output


def _cost(found: Mapping[str, Any]) -> float | None:
    cost = found.get("cost")  # OpenRouter; LiteLLM sends it as a header
    if not isinstance(cost, (int, float)):
        cost = fields(cost).get("total_cost")  # Perplexity
    return float(cost) if isinstance(cost, (int, float)) and not isinstance(cost, bool) else None
