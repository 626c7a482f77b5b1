"""
What a call's span must say, by the facts of its recording: wire values, told again in the convention's meaning.
"""

from __future__ import annotations

import json
from typing import Any

from prices import units

__all__ = ["check"]

OURS = ("invoke_agent", "execute_tool", "step")
CLASSES = {
    "status:401": "auth", "status:429": "rate_limited", "status:500": "upstream_error", "status:503": "upstream_error",
    "status:529": "upstream_error", "cut": "connection", "hang": "timeout", "cancel": "cancelled",
}  # fmt: skip
"""The error class that a fault comes to; an error inside a stream is told in each provider's own words."""
INPUT, OUTPUT = "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"
READ, WRITE = "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_write.input_tokens"


def check(interaction: dict[str, Any], spans: list[Any], failed: bool | None, fault: str = "") -> list[str]:
    """What is wrong with the spans of one call; *failed* tells whether a call that was made to fail did."""
    calls = [span for span in spans if span.attributes.get("gen_ai.operation.name") not in OURS]
    if len(calls) != 1:
        return [f"{len(calls)} spans: {[span.name for span in calls]}"]
    attributes, facts, status = calls[0].attributes, interaction["facts"], interaction["response"]["status"]
    if status >= 400 or facts.get("stream_error"):
        failed = True
    if failed is not None:
        if ("error.type" in attributes) is not failed:
            return [f"failed: {failed}, {attributes.get('error.type')}"]
        known = CLASSES.get(fault) or CLASSES.get(fault.partition(":")[0])
        told = attributes.get("agent.error.class")
        return [f"class: {told} != {known}"] if failed and known and told != known else []
    wrong = [
        f"{name}: {value!r} != {attributes.get(name)!r}"
        for name, value in expected(interaction, attributes).items()
        if attributes.get(name) != value
    ]
    if ("text" in facts or "tool_calls" in facts) and interaction["endpoint"] != "openai.responses.compact":
        wrong += unsaid(interaction, attributes)
    return wrong


def expected(interaction: dict[str, Any], attributes: Any) -> dict[str, Any]:
    """The attributes that the recording's facts come to; what the facts do not tell is left out."""
    endpoint, facts = interaction["endpoint"], interaction["facts"]
    if "count" in endpoint or endpoint == "openai.responses.input_tokens":
        return {}
    into, out = tokens(endpoint, facts, attributes)
    found = {
        "gen_ai.response.id": facts.get("response_id"),
        "gen_ai.response.model": facts.get("model"),
        INPUT: into,
        OUTPUT: out,
        READ: facts.get("cached_tokens"),
        WRITE: facts.get("cache_creation_tokens"),
        "gen_ai.usage.reasoning.output_tokens": facts.get("reasoning_tokens"),
        "gen_ai.usage.audio.input_tokens": facts.get("audio_input_tokens"),
        "openai.response.service_tier": facts.get("service_tier"),
        "openai.response.system_fingerprint": facts.get("system_fingerprint"),
        "gen_ai.response.finish_reasons": tuple(reason for reason in facts.get("finish_reasons") or () if reason),
    }
    if endpoint.startswith("openai.responses"):
        found["gen_ai.response.status"] = facts.get("status")
    if endpoint == "openai.responses.retrieve":  # whoever started it pays
        found = {name: value for name, value in found.items() if not name.startswith("gen_ai.usage")}
    return {name: value for name, value in found.items() if value}


def tokens(endpoint: str, facts: dict[str, Any], attributes: Any) -> tuple[int | None, int | None]:
    """All input and all output: which counts are in which differs from provider to provider."""
    into, out = facts.get("input_tokens"), facts.get("output_tokens")
    raw = facts.get("usage_raw")
    if endpoint == "bedrock.invoke" and isinstance(raw, dict) and into is not None:
        into = units(endpoint, raw)[1] or into  # the headers leave the caches out
    elif endpoint == "bedrock.invoke_stream" and into is not None:
        # Bedrock's own count leaves the caches out, which only the maker's events tell
        into += attributes.get(READ, 0) + attributes.get(WRITE, 0)
    elif endpoint.startswith(("anthropic", "bedrock")) and into is not None:
        into += (facts.get("cached_tokens") or 0) + (facts.get("cache_creation_tokens") or 0)
    elif endpoint.startswith(("gemini", "vertex")):
        into = None if into is None else into + (facts.get("tool_use_input_tokens") or 0)
        out = None if out is None else out + (facts.get("reasoning_tokens") or 0)
    elif into and out is not None and (thought := facts.get("reasoning_tokens")):  # xAI
        out += thought if facts.get("total_tokens") == into + out + thought else 0
    return into, out


def unsaid(interaction: dict[str, Any], attributes: Any) -> list[str]:
    """What the recording says and the messages on the span do not."""
    wrong, facts, calls, texts = [], interaction["facts"], [], []
    for message in json.loads(attributes.get("gen_ai.output.messages", "[]")):
        if message["role"] != "assistant" or not message["finish_reason"]:
            wrong.append(f"message: {message['role']}, {message['finish_reason']}")
        for part in message["parts"]:
            if part["type"] == "tool_call":
                calls.append((part["name"], part.get("id"), part["arguments"] or {}))
            elif part["type"] == "text":
                texts.append(part["content"])
    told = facts.get("tool_calls") or []
    # a call without a name is a custom tool's, or a piece of one, for which the facts have no place
    want = [
        (call["name"], None if interaction["endpoint"].startswith("ollama") else call.get("id"), arguments)
        for call in told
        if call.get("name")
        for arguments in every(call.get("arguments"))
    ]  # Ollama's client drops the identities
    if not all("arguments" in call and call.get("name") for call in told):
        calls, want = ([(name, id_, {}) for name, id_, _ in some] for some in (calls, want))
    if len(want) > len(told):  # several went by one number, so that their names are lost
        calls, want = ([arguments for _, _, arguments in some] for some in (calls, want))
    if any(call not in calls for call in want) or (len(want) != len(calls) and not others(interaction)):
        wrong.append(f"tool calls: {want} != {calls}")
    text, want_text = "".join(texts), "".join(said for _, said in sorted((facts.get("text") or {}).items()))
    if want_text[:400] not in text:
        wrong.append(f"text: {want_text[:80]!r} != {text[:80]!r}")
    return wrong


def others(interaction: dict[str, Any]) -> bool:
    """Whether there may be calls of kinds that the facts have no place for."""
    facts, endpoint, stream = interaction["facts"], interaction["endpoint"], "stream" in interaction["tags"]
    cut = endpoint == "openai.responses" and stream and not any((facts.get("text") or {}).values())
    nameless = any(not call.get("name") for call in facts.get("tool_calls") or ())
    elsewhere = any(kind.endswith("_call") for kind in facts.get("output_item_types") or ())
    legacy = "legacy_function_call" in interaction["tags"]
    return cut or nameless or elsewhere or legacy or (endpoint == "cohere.v1.chat" and stream)


def every(value: Any) -> list[Any]:
    """Arguments as data: JSON, or several after one another, where calls went by one number."""
    if not isinstance(value, str) or not value:
        return [value or {}]
    found, at = [], 0
    while at < len(value):
        try:
            one, end = json.JSONDecoder().raw_decode(value[at:].lstrip())
        except ValueError:
            return [value]
        found.append(one)
        at += len(value[at:]) - len(value[at:].lstrip()) + end
    return found or [value]
