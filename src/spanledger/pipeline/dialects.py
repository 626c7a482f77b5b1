"""
Spans of others, read by table: OpenInference, OpenLLMetry (Traceloop), OpenLIT, Logfire, Langfuse, old GenAI.

Their names stay; the newest ones are written beside them, so that such a span is hashed, priced, counted and shown
like one of ours.  What others read is written on request (`spell`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from opentelemetry.trace import StatusCode

from spanledger import semconv
from spanledger.errors import ConfigurationError

from .record import Record
from .turns import Turns

__all__ = ["DIALECTS", "spell", "understand"]

DIALECTS: Final = ("openinference", "openlit", "logfire", "langfuse")

_NAMES: Final = (
    # ours, theirs
    (semconv.REQUEST_MODEL, ("llm.request.model", "embedding.model_name", "llm.model_name", "model_name",
                             "langfuse.observation.model.name")),
    (semconv.RESPONSE_MODEL, ("llm.response.model", "llm.model_name", "gen_ai.response.model_name")),
    (semconv.PROVIDER, ("gen_ai.system", "llm.provider", "llm.system", "llm.vendor")),
    (semconv.USAGE_INPUT, ("gen_ai.usage.prompt_tokens", "llm.token_count.prompt", "llm.usage.prompt_tokens")),
    (semconv.USAGE_OUTPUT, ("gen_ai.usage.completion_tokens", "llm.token_count.completion",
                            "llm.usage.completion_tokens")),
    (semconv.USAGE_CACHE_READ, ("llm.token_count.prompt_details.cache_read", "gen_ai.usage.cache_read_input_tokens",
                                "gen_ai.usage.details.cache_read_tokens")),
    (semconv.USAGE_CACHE_WRITE, ("llm.token_count.prompt_details.cache_write",
                                 "gen_ai.usage.cache_creation.input_tokens",
                                 "gen_ai.usage.cache_creation_input_tokens",
                                 "gen_ai.usage.details.cache_write_tokens")),
    (semconv.USAGE_REASONING, ("llm.token_count.completion_details.reasoning", "gen_ai.usage.reasoning_tokens",
                               "gen_ai.usage.details.reasoning_tokens")),
    (semconv.TOOL_NAME, ("tool.name", "traceloop.entity.name")),
    (semconv.TOOL_CALL_ID, ("tool_call.id", "gen_ai.tool.call_id")),
    (semconv.SESSION_ID, ("langfuse.session.id", "traceloop.association.properties.session_id")),
    (semconv.USER_ID, ("langfuse.user.id", "traceloop.association.properties.user_id")),
)  # fmt: skip
_KINDS: Final = (
    ("openinference.span.kind", {"LLM": "chat", "EMBEDDING": "embeddings", "TOOL": "execute_tool",
                                 "AGENT": "invoke_agent", "CHAIN": "invoke_workflow"}),
    ("traceloop.span.kind", {"tool": "execute_tool", "agent": "invoke_agent", "workflow": "invoke_workflow"}),
    ("llm.request.type", {"chat": "chat", "completion": "text_completion", "embedding": "embeddings"}),
    ("langfuse.observation.type", {"generation": "chat", "embedding": "embeddings", "tool": "execute_tool",
                                   "agent": "invoke_agent"}),
    ("gen_ai.operation.type", {"chat": "chat", "embedding": "embeddings"}),
)  # fmt: skip
_ALIEN: Final = ("llm.", "openinference.", "traceloop.", "langfuse.", "gen_ai.system", "gen_ai.usage.prompt_tokens",
                 "gen_ai.usage.details", "logfire.", "gen_ai.usage.cache_creation", "embedding.model")  # fmt: skip
_PROVIDERS: Final = {
    "azure": "azure.ai.openai", "bedrock": "aws.bedrock", "google": "gcp.gemini", "vertexai": "gcp.vertex_ai",
    "mistralai": "mistral_ai", "xai": "x_ai", "az.ai.openai": "azure.ai.openai", "gemini": "gcp.gemini",
    "aws": "aws.bedrock",
}  # fmt: skip


def understand(record: Record) -> None:
    """Write the newest names beside those that another instrumentation used."""
    attributes = record.attributes
    if not any(key.startswith(_ALIEN) for key in attributes):
        return
    if semconv.OPERATION not in attributes:
        for key, kinds in _KINDS:
            if (operation := kinds.get(str(attributes.get(key)))) is not None:
                attributes[semconv.OPERATION] = operation
                break
    for ours, theirs in _NAMES:
        if ours not in attributes:
            value = next((attributes[key] for key in theirs if attributes.get(key) is not None), None)
            if value is not None and (ours != semconv.TOOL_NAME or _is_tool(attributes)):
                attributes[ours] = value
    provider = attributes.get(semconv.PROVIDER)
    if isinstance(provider, str):
        attributes[semconv.PROVIDER] = _PROVIDERS.get(provider.lower(), provider.lower())
    _usage_details(attributes)


def _is_tool(attributes: Mapping[str, Any]) -> bool:
    return attributes.get(semconv.OPERATION) == "execute_tool"


def _usage_details(attributes: dict[str, Any]) -> None:
    """Langfuse keeps its counts in one JSON text."""
    text = attributes.get("langfuse.observation.usage_details")
    if not isinstance(text, str):
        return
    try:
        details = json.loads(text)
    except ValueError:
        return
    if isinstance(details, dict):
        for ours, theirs in ((semconv.USAGE_INPUT, "input"), (semconv.USAGE_OUTPUT, "output")):
            if isinstance(details.get(theirs), int):
                attributes.setdefault(ours, details[theirs])


_KIND: Final = "openinference.span.kind"
_OPENINFERENCE_KINDS: Final = {
    "chat": "LLM", "text_completion": "LLM", "generate_content": "LLM", "responses": "LLM", "embeddings": "EMBEDDING",
    "execute_tool": "TOOL", "invoke_agent": "AGENT", "create_agent": "AGENT", "step": "CHAIN",
    "invoke_workflow": "CHAIN", "plan": "CHAIN", "guardrail": "GUARDRAIL", "evaluator": "EVALUATOR",
    "retrieval": "RETRIEVER", "rerank": "RERANKER",
}  # fmt: skip
_INPUTS: Final = (semconv.TOOL_ARGUMENTS, semconv.INPUT_MESSAGES)
_OUTPUTS: Final = (semconv.TOOL_RESULT, semconv.OUTPUT_MESSAGES)


def _openinference(attributes: dict[str, Any]) -> None:
    """The thin layer that makes Phoenix's list, session and agent pages complete; messages it reads itself."""
    kind = _OPENINFERENCE_KINDS.get(str(attributes.get(semconv.OPERATION)))
    if kind is None:
        return
    attributes.setdefault(_KIND, kind)
    for name, sources in (("input", _INPUTS), ("output", _OUTPUTS)):
        value = next((attributes[key] for key in sources if key in attributes), None)
        if value is not None:
            attributes.setdefault(f"{name}.value", value)
            structured = isinstance(value, str) and value[:1] in "[{"
            attributes.setdefault(f"{name}.mime_type", "application/json" if structured else "text/plain")
    if kind in ("LLM", "EMBEDDING"):
        model = attributes.get(semconv.RESPONSE_MODEL) or attributes.get(semconv.REQUEST_MODEL)
        if model is not None:
            attributes.setdefault("llm.model_name" if kind == "LLM" else "embedding.model_name", model)
        if (reasoning := attributes.get(semconv.USAGE_REASONING)) is not None:
            attributes.setdefault("llm.token_count.completion_details.reasoning", reasoning)
    if (session := attributes.get(semconv.CONVERSATION_ID)) is not None:
        attributes.setdefault(semconv.SESSION_ID, session)


def _went_well(attributes: dict[str, Any]) -> bool:
    return _KIND in attributes and attributes.get(semconv.RUN_STATUS, "success") == "success"


def _cost_as(name: str) -> Callable[[dict[str, Any]], None]:
    def write(attributes: dict[str, Any]) -> None:
        if (amount := attributes.get(semconv.COST_AMOUNT)) is not None:
            attributes.setdefault(name, amount)

    return write


def _langfuse(attributes: dict[str, Any]) -> None:
    if (amount := attributes.get(semconv.COST_AMOUNT)) is not None:
        attributes.setdefault("langfuse.observation.cost_details", json.dumps({"total": amount}))


_SPELLINGS: Final[dict[str, tuple[Callable[[dict[str, Any]], None], ...]]] = {
    "openinference": (_openinference, _cost_as("llm.cost.total")),
    "openlit": (_cost_as("gen_ai.usage.cost"),),
    "logfire": (_cost_as("operation.cost"),),
    "langfuse": (_langfuse,),
}


def spell(dialects: tuple[str, ...]) -> Callable[[Record], None]:
    """The step that writes each of *dialects* beside ours."""
    for name in dialects:
        if name not in _SPELLINGS:
            raise ConfigurationError(f"dialects has {name!r}; valid: {', '.join(DIALECTS)}")
    writers = [writer for name in dialects for writer in _SPELLINGS[name]]
    turns = Turns() if "openinference" in dialects else None

    def write(record: Record) -> None:
        if turns is not None:
            turns(record)
        for writer in writers:
            writer(record.attributes)
        if turns is not None and record.code is StatusCode.UNSET and _went_well(record.attributes):
            record.code = StatusCode.OK  # Phoenix counts what is unset as neither

    return write
