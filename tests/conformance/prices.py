"""
What each recorded call costs by the provider's own arithmetic, done apart from ours: the wire's usage object times the
per-token rates of the price list, in fractions.

Nothing here uses `spanledger.pricing`: which counts are in which is read off the wire again, provider by provider.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
from collections import Counter
from fractions import Fraction
from typing import Any
from urllib.parse import unquote, urlsplit

SELLERS = {
    "openai": "openai", "azure.ai.openai": "azure", "anthropic": "anthropic", "gcp.gemini": "google",
    "gcp.vertex_ai": "google", "aws.bedrock": "aws", "mistral_ai": "mistral", "cohere": "cohere", "groq": "groq",
    "together": "together", "deepseek": "deepseek", "openrouter": "openrouter", "cerebras": "cerebras",
}  # fmt: skip
"""
Whose client it is -> the price list's name; whoever is missing has no list prices.

Played back, all of them answer from loopback: what OpenAI's client fetched from DeepSeek is OpenAI's here.
"""
PARENTS = {
    "cache_read_mtok": "input_mtok", "cache_write_mtok": "input_mtok", "cache_write_1h_mtok": "cache_write_mtok",
    "input_audio_mtok": "input_mtok", "input_image_mtok": "input_mtok", "cache_audio_read_mtok": "cache_read_mtok", "output_audio_mtok": "output_mtok", "input_mtok": None, "output_mtok": None,
}  # fmt: skip
SEARCHES = {"web_search_call": "web_searches_kcount", "file_search_call": "storage_searches_kcount"}
REQUESTS = {"web_search_requests": "web_searches_kcount"}


def units(endpoint: str, raw: dict[str, Any]) -> tuple[dict[str, int], int]:
    """The billable tokens in a usage object by the price's name, and how large the context was."""
    get = {key: int(value) for key, value in raw.items() if isinstance(value, (int, float))}.get
    family = endpoint.split(".", maxsplit=1)[0]
    if family == "cohere":
        billed = {key: int(value) for key, value in raw["billed_units"].items() if value}
        counts = {"input_mtok": billed.get("input_tokens", 0), "output_mtok": billed.get("output_tokens", 0)}
        return counts, counts["input_mtok"]
    if family in ("gemini", "vertex"):
        return google(endpoint, raw, get)
    if "inputTokens" in raw or "inputTokenCount" in raw:  # Bedrock: caches beside the input
        read, write = (
            get(f"cache{what}InputTokens", get(f"cache{what}InputTokenCount", 0)) for what in ("Read", "Write")
        )
        hour = sum(one["inputTokens"] for one in raw.get("cacheDetails") or () if one.get("ttl") == "1h")
        into = get("inputTokens", get("inputTokenCount", 0))
        output = get("outputTokens", get("outputTokenCount", 0))
        return {
            "input_mtok": into, "cache_read_mtok": read, "cache_write_mtok": write - hour, "cache_write_1h_mtok": hour,
            "output_mtok": output,
        }, into + read + write  # fmt: skip
    if "cache_read_input_tokens" in raw or family in ("anthropic", "bedrock"):  # Anthropic: caches beside the input
        if "prompt_tokens" in raw:
            return {"input_mtok": raw["prompt_tokens"], "output_mtok": raw["completion_tokens"]}, raw["prompt_tokens"]
        read, write = get("cache_read_input_tokens", 0), get("cache_creation_input_tokens", 0)
        hour = (raw.get("cache_creation") or {}).get("ephemeral_1h_input_tokens", 0)
        counts = {
            "input_mtok": raw["input_tokens"], "cache_read_mtok": read, "cache_write_mtok": write - hour,
            "cache_write_1h_mtok": hour, "output_mtok": raw["output_tokens"],
        }  # fmt: skip
        return counts, raw["input_tokens"] + read + write
    return openai_like(raw, get)


def openai_like(raw: dict[str, Any], get: Any) -> tuple[dict[str, int], int]:
    """Caches and audio are parts of the input, reasoning and audio parts of the output."""
    into, out = get("prompt_tokens", get("input_tokens", 0)), get("completion_tokens", get("output_tokens", 0))
    inside = raw.get("prompt_tokens_details") or raw.get("input_tokens_details") or {}
    within = raw.get("completion_tokens_details") or raw.get("output_tokens_details") or {}
    cached = inside.get("cached_tokens") or get("num_cached_tokens", 0) or get("cached_tokens", 0)
    heard, spoken = inside.get("audio_tokens") or 0, within.get("audio_tokens") or 0
    seen = inside.get("image_tokens") or 0
    if (thought := within.get("reasoning_tokens")) and get("total_tokens") == into + out + thought:  # xAI
        out += thought
    counts = {
        "input_mtok": into - cached - heard - seen, "cache_read_mtok": cached, "input_audio_mtok": heard,
        "input_image_mtok": seen, "output_mtok": out - spoken, "output_audio_mtok": spoken,
    }  # fmt: skip
    return counts, into


def google(endpoint: str, raw: dict[str, Any], get: Any) -> tuple[dict[str, int], int]:
    """Thoughts are beside the output, tool results beside the input, the cache inside it."""
    if endpoint.startswith("gemini.interactions"):
        into, cached = get("total_input_tokens", 0) + get("total_tool_use_tokens", 0), get("total_cached_tokens", 0)
        out, heard, cached_heard = get("total_output_tokens", 0) + get("total_thought_tokens", 0), 0, 0
    else:
        into, cached = get("promptTokenCount", 0) + get("toolUsePromptTokenCount", 0), get("cachedContentTokenCount", 0)
        out = get("candidatesTokenCount", 0) + get("thoughtsTokenCount", 0)
        heard, cached_heard = (
            sum(d["tokenCount"] for d in raw.get(key) or () if d["modality"] == "AUDIO")
            for key in ("promptTokensDetails", "cacheTokensDetails")
        )
    fresh = heard - cached_heard
    counts = {
        "input_mtok": into - cached - fresh, "input_audio_mtok": fresh, "cache_read_mtok": cached - cached_heard,
        "cache_audio_read_mtok": cached_heard, "output_mtok": out,
    }  # fmt: skip
    return counts, into


def models_of(interaction: dict[str, Any]) -> list[str]:
    """The model that answered, then the one that was asked for."""
    found = [interaction["facts"].get("model")]
    body = interaction["request"].get("body")
    if isinstance(body, dict):
        found.append(body.get("model"))
    path = unquote(urlsplit(interaction["url"]).path)
    if match := re.search(r"/models?/([^/:]+(?::\d+)?)", path):
        found.append(match[1])
    return [str(model) for model in found if model]


def searches(interaction: dict[str, Any]) -> dict[str, int]:
    """The searches among the items of an answer of OpenAI's, by their price: billed, but not part of its usage."""
    found: dict[str, str] = {}
    if interaction["endpoint"] != "openai.responses":
        return {}
    body = interaction["response"]["body"]
    text = body if isinstance(body, str) else json.dumps(body)
    for line in text.splitlines() if '"response"' in text and "data:" in text else [text]:
        with contextlib.suppress(ValueError):
            data = json.loads(line.removeprefix("data:"))
            for item in (data.get("response") or data).get("output") or ():
                if item.get("type") in SEARCHES and (item.get("action") or {}).get("type") in (None, "search"):
                    found[item["id"]] = SEARCHES[item["type"]]
    return Counter(found.values())


def expected(interaction: dict[str, Any], provider: str, now: dt.datetime) -> tuple[Fraction | None, str]:
    """What the call costs, USD, and by what; `None` where the provider lists no price or told no usage."""
    raw = interaction["facts"].get("usage_raw")
    if not isinstance(raw, dict):
        return None, "no usage"
    cost = raw.get("cost")
    if isinstance(cost, dict):  # Perplexity's
        cost = cost.get("total_cost")
    if cost is not None:
        return Fraction(repr(cost)), "the provider's own amount"
    if interaction["endpoint"].startswith("cohere") and not raw.get("billed_units"):
        return None, "no usage"
    if interaction["endpoint"] == "bedrock.invoke_stream" and raw.get("cacheWriteInputTokenCount"):
        return None, "no usage"  # for how long it is cached stands in the maker's events only
    rates = next((found for model in models_of(interaction) if (found := listed(provider, model, now))), None)
    if rates is None:
        return None, "no list price"
    counts, context = units(interaction["endpoint"], raw)
    total = Fraction(0)
    for name, count in counts.items():
        if count:
            total += count * rate(rates, name, context) / 10**6
    for name, count in (raw.get("server_tool_use") or {}).items():
        if count and name in REQUESTS:
            total += count * rate(rates, REQUESTS[name], context) / 1000
    for name, count in searches(interaction).items():
        total += count * rate(rates, name, context) / 1000
    return total, "list price"


def listed(provider: str, model: str | None, now: dt.datetime) -> Any:
    """The list's prices of *model*; `None` where it has none."""
    from genai_prices import data_snapshot

    seller = SELLERS.get(provider)
    if seller is None or model is None:
        return None
    try:
        _, found = data_snapshot.get_snapshot().find_provider_model(model, None, seller, None)
    except LookupError:
        return None
    prices = found.get_prices(now)
    return prices if any(value for value in vars(prices).values()) else None


def rate(prices: Any, name: str, context: int) -> Fraction:
    """The price of a unit, its parent's where it has none of its own, in the tier of the *context*."""
    value = getattr(prices, name, None)
    while value is None:
        name = PARENTS[name]
        value = getattr(prices, name, None)
    if not hasattr(value, "tiers"):
        return Fraction(value)
    found = value.base
    for tier in value.tiers:
        if context > tier.start:
            found = tier.price
    return Fraction(found)


PLAIN_TIERS = (None, "auto", "default", "standard", "on_demand")


def tier(interaction: dict[str, Any]) -> str | None:
    """The tier that the answer names, or the request."""
    facts, body = interaction["facts"], interaction["request"].get("body")
    raw = facts.get("usage_raw")
    asked = body.get("service_tier") if isinstance(body, dict) else None
    told = raw.get("service_tier") if isinstance(raw, dict) else None
    return facts.get("service_tier") or told or asked


def difference(interaction: dict[str, Any], provider: str, price: Any) -> str | None:
    """What is wrong with our *price* of the recorded call; `None` when it is the provider's to the last digit."""
    if price.status == "unsupported_tier":  # the list has one price; ours says that it does not hold
        return None if tier(interaction) not in PLAIN_TIERS else "said to have an unsupported tier"
    amount, by = expected(interaction, provider, dt.datetime.now(dt.timezone.utc))
    if by == "no usage":  # the facts do not tell it; that we found some is looked at elsewhere
        return None
    if price.amount is None:
        return (
            None if amount is None else f"priced nothing ({price.status}), the provider charges {float(amount)} by {by}"
        )
    if amount is None:
        return f"priced {price.amount} by {price.source} where there is {by}"
    ours = Fraction(price.amount)
    return (
        None
        if ours == amount
        else f"priced {price.amount} ({price.status}), the provider charges {float(amount)} by {by}"
    )
