"""
Every attribute, metric and event name; and our model spelled in them.

The standard's names are those of the GenAI conventions' main branch (November 2026); ours live under ``agent.``.
Plain strings, so that no version of the conventions package can break us.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any, Final

from .model import Response, Usage

# --- the standard's ------------------------------------------------------------------------------------------------
OPERATION: Final = "gen_ai.operation.name"
PROVIDER: Final = "gen_ai.provider.name"
REQUEST_MODEL: Final = "gen_ai.request.model"
REQUEST_STREAM: Final = "gen_ai.request.stream"
REQUEST_MAX_TOKENS: Final = "gen_ai.request.max_tokens"
REQUEST_TEMPERATURE: Final = "gen_ai.request.temperature"
REQUEST_TOP_P: Final = "gen_ai.request.top_p"
REQUEST_TOP_K: Final = "gen_ai.request.top_k"
REQUEST_FREQUENCY_PENALTY: Final = "gen_ai.request.frequency_penalty"
REQUEST_PRESENCE_PENALTY: Final = "gen_ai.request.presence_penalty"
REQUEST_STOP_SEQUENCES: Final = "gen_ai.request.stop_sequences"
REQUEST_SEED: Final = "gen_ai.request.seed"
REQUEST_CHOICE_COUNT: Final = "gen_ai.request.choice.count"
REQUEST_REASONING_LEVEL: Final = "gen_ai.request.reasoning.level"
REQUEST_PREVIOUS_RESPONSE: Final = "gen_ai.request.previous_response.id"
REQUEST_STREAM_CURSOR: Final = "gen_ai.request.stream_cursor"
REQUEST_ENCODING_FORMATS: Final = "gen_ai.request.encoding_formats"
OUTPUT_TYPE: Final = "gen_ai.output.type"
RESPONSE_ID: Final = "gen_ai.response.id"
RESPONSE_MODEL: Final = "gen_ai.response.model"
RESPONSE_STATUS: Final = "gen_ai.response.status"
RESPONSE_FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
TIME_TO_FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"
EMBEDDING_DIMENSIONS: Final = "gen_ai.embeddings.dimension.count"
USAGE_INPUT: Final = "gen_ai.usage.input_tokens"
USAGE_OUTPUT: Final = "gen_ai.usage.output_tokens"
USAGE_CACHE_READ: Final = "gen_ai.usage.cache_read.input_tokens"
USAGE_CACHE_WRITE: Final = "gen_ai.usage.cache_write.input_tokens"
USAGE_CACHE_CREATION: Final = "gen_ai.usage.cache_creation.input_tokens"
"""The name of `USAGE_CACHE_WRITE` before October 2026.  Read, and written beside it: Phoenix knows only this one."""
USAGE_REASONING: Final = "gen_ai.usage.reasoning.output_tokens"
USAGE_INPUT_AUDIO: Final = "gen_ai.usage.audio.input_tokens"
USAGE_INPUT_IMAGE: Final = "gen_ai.usage.image.input_tokens"
USAGE_CACHE_READ_AUDIO: Final = "gen_ai.usage.audio.cache_read.input_tokens"
USAGE_OUTPUT_AUDIO: Final = "gen_ai.usage.audio.output_tokens"
USAGE_OUTPUT_IMAGE: Final = "gen_ai.usage.image.output_tokens"
SYSTEM_INSTRUCTIONS: Final = "gen_ai.system_instructions"
INPUT_MESSAGES: Final = "gen_ai.input.messages"
OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
TOOL_DEFINITIONS: Final = "gen_ai.tool.definitions"
TOOL_NAME: Final = "gen_ai.tool.name"
TOOL_TYPE: Final = "gen_ai.tool.type"
TOOL_DESCRIPTION: Final = "gen_ai.tool.description"
TOOL_CALL_ID: Final = "gen_ai.tool.call.id"
TOOL_ARGUMENTS: Final = "gen_ai.tool.call.arguments"
TOOL_RESULT: Final = "gen_ai.tool.call.result"
CONVERSATION_ID: Final = "gen_ai.conversation.id"
AGENT_NAME: Final = "gen_ai.agent.name"
AGENT_VERSION: Final = "gen_ai.agent.version"
PROMPT_VERSION: Final = "gen_ai.prompt.version"
PROMPT_NAME: Final = "gen_ai.prompt.name"
COST_AMOUNT: Final = "gen_ai.usage.cost.amount"
COST_CURRENCY: Final = "gen_ai.usage.cost.currency"
COST_SOURCE: Final = "gen_ai.usage.cost.source"
ERROR_TYPE: Final = "error.type"
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"
SESSION_ID: Final = "session.id"
USER_ID: Final = "user.id"
OPENAI_API_TYPE: Final = "openai.api.type"
OPENAI_REQUEST_TIER: Final = "openai.request.service_tier"
OPENAI_RESPONSE_TIER: Final = "openai.response.service_tier"
OPENAI_FINGERPRINT: Final = "openai.response.system_fingerprint"
ANTHROPIC_REQUEST_TIER: Final = "anthropic.request.service_tier"
ANTHROPIC_RESPONSE_TIER: Final = "anthropic.response.service_tier"
"""As Anthropic's own client spells it; the convention has no name for it."""

# --- ours ----------------------------------------------------------------------------------------------------------
RUN_ID: Final = "agent.run.id"
RUN_STATUS: Final = "agent.run.status"
RUN_STOP_REASON: Final = "agent.run.stop_reason"
RUN_PARENT_ID: Final = "agent.run.parent_id"
RUN_CALLED_BY: Final = "agent.run.called_by"
"""The run of another process whose request this one answers."""
RUN_IMPLICIT: Final = "agent.run.implicit"
RUN_STEPS: Final = "agent.run.steps"
RUN_MODEL_CALLS: Final = "agent.run.model_calls"
RUN_TOOL_CALLS: Final = "agent.run.tool_calls"
RUN_INPUT_TOKENS: Final = "agent.run.input_tokens"
RUN_OUTPUT_TOKENS: Final = "agent.run.output_tokens"
RUN_UNKNOWN_USAGE: Final = "agent.run.calls_without_usage"
"""Model calls whose tokens are not all known; the sums are of the rest, and absent where there is none."""
RUN_COST: Final = "agent.run.cost"
RUN_UNPRICED: Final = "agent.run.unpriced_calls"
STEP_ID: Final = "agent.step.id"
STEP_NUMBER: Final = "agent.step.number"
REQUEST_ID: Final = "agent.request.id"
LABEL: Final = "agent.label."
"""Prefix of the labels given to a run."""
SYSTEM_HASH: Final = "agent.system_instructions.hash"
TOOLS_HASH: Final = "agent.tool_definitions.hash"
TOOL_VERSION: Final = "agent.tool.version"
TOOL_ARGS_HASH: Final = "agent.tool.call.arguments.hash"
TOOL_RESULT_HASH: Final = "agent.tool.call.result.hash"
TOOL_RESULT_SIZE: Final = "agent.tool.call.result.size"
TOOL_STATUS: Final = "agent.tool.status"
"""``success`` or ``error``; `ERROR_CLASS` says which."""
TOOL_DURATION: Final = "agent.tool.duration"
"""Seconds; absent on inferred calls, unless somebody saw them asked for and answered."""
TOOL_COST: Final = "agent.tool.cost"
"""What a tool call itself cost, USD, where ``@tool(cost=...)`` says so; the amount of its run holds it, too."""
TOOL_INFERRED: Final = "agent.tool.inferred"
HASH_KEY_ID: Final = "agent.hash.key_id"
HASH_CANONICALIZATION: Final = "agent.hash.canonicalization"
ERROR_CLASS: Final = "agent.error.class"
REQUEST_TIER: Final = "agent.request.service_tier"
"""The service tier where the conventions have no name for it: Google's and Bedrock's."""
RESPONSE_TIER: Final = "agent.response.service_tier"
REQUEST_SPEED: Final = "agent.request.speed"
"""What has a price of its own beside the tier: Anthropic's fast mode, Bedrock's optimized latency."""
RESPONSE_SPEED: Final = "agent.response.speed"
REQUEST_GEO: Final = "agent.request.inference_geo"
"""Where Anthropic has to answer from, which has a price of its own, too."""
RESPONSE_GEO: Final = "agent.response.inference_geo"
USAGE_SOURCE: Final = "agent.usage.source"
"""``provider`` or ``unknown``."""
USAGE_BILLED_INPUT: Final = "agent.usage.billed.input_tokens"
"""What the provider says it bills, where that is not what it counted: Cohere leaves its own prompt out."""
USAGE_BILLED_OUTPUT: Final = "agent.usage.billed.output_tokens"
USAGE_CACHE_WRITE_1H: Final = "agent.usage.cache_write_1h.input_tokens"
USAGE_REQUESTS: Final = "agent.usage.requests."
"""Prefix of the counts of server-side tool uses, e.g. ``agent.usage.requests.web_search``."""
USAGE_PROVIDER_COST: Final = "agent.usage.provider_cost"
STREAM_END: Final = "agent.stream.end"
"""How a stream ended: ``drained``, ``closed``, ``abandoned``, ``error`` or ``cancelled``."""
CONTEXT_USED: Final = "agent.context.used"
"""The call's input tokens as a share of what its model takes, where that is known."""
COST_STATUS: Final = "agent.cost.status"
COST_PRICE_SOURCE: Final = "agent.cost.price_source"
COST_PRICE_VERSION: Final = "agent.cost.price_version"
COST_UNPRICED_UNITS: Final = "agent.cost.unpriced_units"
DECISION: Final = "agent.decision"
"""The event of a limit's decision; its attributes, and on the call's span those of the last one:"""
DECISION_OUTCOME: Final = "agent.decision.outcome"
"""``allow``, ``warn`` or ``stop``."""
DECISION_LIMIT: Final = "agent.decision.limit"
DECISION_SCOPE: Final = "agent.decision.scope"
DECISION_REASON: Final = "agent.decision.reason"
DECISION_BY: Final = "agent.decision.by"
"""Who wanted it: whoever pulled the plug, or the rule that does not allow it."""
DECISION_WHY: Final = "agent.decision.why"
DECISION_VALUE: Final = "agent.decision.value"
DECISION_MAXIMUM: Final = "agent.decision.maximum"
DECISION_WASTED: Final = "agent.decision.wasted"
"""US dollars spent since a loop began."""
REDACTION_COUNT: Final = "agent.redaction.count."
"""Prefix of the counts of what was redacted, by type, e.g. ``agent.redaction.count.email``."""
TRUNCATED: Final = "agent.truncated"
"""Keys of the attributes that were cut to size."""

RETRY_ATTEMPTS: Final = "agent.retry.attempts"
"""How often the client sent the call, the first time included; absent when once."""
RETRY_WAIT: Final = "agent.retry.wait"
"""Seconds that the client waited between attempts."""
RETRY_ERRORS: Final = "agent.retry.errors"
"""The error classes of the attempts that failed and were followed by another."""
RETRY_TRIES: Final = "agent.retry.tries"
"""Which try of whoever calls the client this is, after the same request failed; absent at the first."""
FALLBACK_FOR: Final = "agent.fallback.for"
"""The model that was asked first, on a call of the one that stands in for it."""
RUN_RETRIES: Final = "agent.run.retries"
"""How many attempts at model calls came after others that failed, the client's own included; absent when none."""
RUN_RETRY_WAIT: Final = "agent.run.retry_wait"
"""Seconds that clients waited between attempts."""

TOKENS: Final = (
    (USAGE_CACHE_READ, "cache_read"), (USAGE_CACHE_WRITE, "cache_write"), (USAGE_CACHE_CREATION, "cache_write"),
    (USAGE_CACHE_WRITE_1H, "cache_write_1h"), (USAGE_REASONING, "reasoning"), (USAGE_INPUT_AUDIO, "input_audio"),
    (USAGE_INPUT_IMAGE, "input_image"), (USAGE_CACHE_READ_AUDIO, "cache_read_audio"),
    (USAGE_OUTPUT_AUDIO, "output_audio"), (USAGE_OUTPUT_IMAGE, "output_image"),
    (USAGE_BILLED_INPUT, "billed_input"), (USAGE_BILLED_OUTPUT, "billed_output"),
)  # fmt: skip
"""Attribute and `Usage` field, for all that is spelled as it is kept."""


_TIERS: Final = (OPENAI_RESPONSE_TIER, ANTHROPIC_RESPONSE_TIER, RESPONSE_TIER, OPENAI_REQUEST_TIER, REQUEST_TIER)
_BESIDE: Final = ((RESPONSE_SPEED, REQUEST_SPEED), (RESPONSE_GEO, REQUEST_GEO))
_HAS_BESIDE: Final = frozenset((*_BESIDE[0], *_BESIDE[1]))
_USUAL: Final = frozenset({"standard", "standard_only", "default", "auto", "global", "not_available"})
TIERS: Final = _HAS_BESIDE.union(_TIERS)
"""Where something may stand that decides the price besides the model."""


def tier_of(*attributes: Any) -> str | None:
    """
    The service tier that decides the price: what the provider says it answered on, else what was asked for.

    A speed and a region that have prices of their own are tiers, too: ``fast``, ``us``, ``priority+fast``.
    """
    tier = _first(_TIERS, attributes)
    for found in attributes:
        if not _HAS_BESIDE.isdisjoint(found):
            break
    else:
        return tier
    beside = [word for names in _BESIDE if (word := _first(names, attributes)) and word not in _USUAL]
    if not beside:
        return tier
    return "+".join(beside if tier is None or tier in _USUAL else [tier, *beside])


def _first(names: tuple[str, ...], attributes: tuple[Any, ...]) -> str | None:
    for name in names:
        for found in attributes:
            if isinstance(word := found.get(name), str):
                return word
    return None


_details: Final = attrgetter(*(field for _, field in TOKENS))


def put_usage(usage: Usage, found: dict[str, Any]) -> None:
    """*usage* into *found* in the convention's spelling: input includes what was cached, output includes reasoning."""
    total, output = usage.input, usage.output
    if total is None and output is None and not usage.requests:
        found[USAGE_SOURCE] = "unknown"
        return
    found[USAGE_SOURCE] = "provider"
    if total is not None:
        found[USAGE_INPUT] = total
    if output is not None:
        found[USAGE_OUTPUT] = output
    if any(details := _details(usage)):
        for (name, _), value in zip(TOKENS, details, strict=True):
            if value:
                found[name] = value
    if usage.requests:
        for name, count in usage.requests.items():
            found[USAGE_REQUESTS + name] = count
    if usage.cost is not None:
        found[USAGE_PROVIDER_COST] = usage.cost


def usage_of(attributes: Any) -> Usage:
    """The `Usage` that a span's *attributes* spell; the inverse of `put_usage`."""
    usage = Usage()
    for name, field in TOKENS:
        if (value := attributes.get(name)) is not None:
            setattr(usage, field, value)
    total = attributes.get(USAGE_INPUT)
    if total is not None:
        usage.uncached = total - (usage.cache_read or 0) - (usage.cache_write or 0)
    usage.output = attributes.get(USAGE_OUTPUT)
    usage.cost = attributes.get(USAGE_PROVIDER_COST)
    start = len(USAGE_REQUESTS)
    usage.requests = {k[start:]: v for k, v in attributes.items() if k.startswith(USAGE_REQUESTS)}
    return usage


_TEXT: Final = frozenset((str,))


def _word(value: Any) -> str:
    return str(getattr(value, "value", value))


def put_response(response: Response, found: dict[str, Any], *, usage: bool = True) -> None:
    """*response* as attributes into *found*, without content; without *usage* where nothing was bought."""
    if usage:
        put_usage(response.usage, found)
    if response.id is not None:
        found[RESPONSE_ID] = response.id
    if response.model is not None:
        found[RESPONSE_MODEL] = response.model
    if response.finish_reasons:
        reasons = response.finish_reasons
        found[RESPONSE_FINISH_REASONS] = tuple(reasons if _TEXT.issuperset(map(type, reasons)) else map(_word, reasons))
    if response.extra:
        found.update(response.extra)
