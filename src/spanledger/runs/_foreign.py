"""
Spans that somebody else made for the very call, tool or agent that we are about to make one for.

They are recognised by what is current when our code is reached: another instrumentation stands around us, and its span
is the call's.  It is then completed with what we know, and ours is not made.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span

from .. import semconv
from ..version import SCOPE
from ._place import provider

__all__ = ["complete", "foreign_agent", "foreign_model", "foreign_tool", "hushed", "ours"]

_MODEL: Final = frozenset({"chat", "text_completion", "completion", "generate_content", "embeddings"})
_KIND: Final = "openinference.span.kind"
_MODEL_SCOPES: Final = ("openlit", "logfire.openai", "logfire.anthropic", "logfire.google")
_OFFICIAL: Final = "opentelemetry.genai.client.inference.context"
"""Where the official GenAI instrumentations say that a call has its span, sampled or not."""
_INFERENCE: Final = "opentelemetry.util.genai._inference_invocation"
_OFFICIAL_EMBEDDING: Final = "opentelemetry.genai.client.embedding.context"
_EMBEDDING: Final = "opentelemetry.util.genai._embedding_invocation"
_OPENLLMETRY: Final = "opentelemetry.semconv_ai"
_QUIET: Final = "suppress_language_model_instrumentation"


def _theirs(context: Context | None = None) -> tuple[Span, Mapping[str, Any], str] | None:
    """The current span when it is recording and not ours, its attributes, and its scope's name."""
    span = trace.get_current_span(context)
    scope = getattr(span, "instrumentation_scope", None)
    if scope is None or scope.name == SCOPE or not span.is_recording() or _goes_elsewhere(span):
        return None
    return span, getattr(span, "attributes", None) or {}, scope.name


def _goes_elsewhere(span: Span) -> bool:
    """Whether *span* belongs to a provider that is not ours: it reaches another backend, and this one would miss it."""
    theirs = getattr(getattr(span, "span", span), "_span_processor", None)  # Logfire wraps spans
    mine = getattr(provider(), "_active_span_processor", None)
    return theirs is not None and mine is not None and theirs is not mine


def ours(span: Span) -> bool:
    """Whether *span* is one that we made, and still writes down what it is told."""
    scope = getattr(span, "instrumentation_scope", None)
    return scope is not None and scope.name == SCOPE and span.is_recording()


def foreign_model(context: Context) -> Span | None:
    """The span that another instrumentation made for the model call that is about to be sent."""
    found = _theirs(context)
    if found is None:
        return _unsampled()
    span, attributes, scope = found
    if semconv.USAGE_SOURCE in attributes:
        return None  # it has had its call; this is another one, a fallback perhaps
    operation = attributes.get(semconv.OPERATION)
    if operation is not None:
        return span if operation in _MODEL else None
    if _KIND in attributes:
        return span if attributes[_KIND] in ("LLM", "EMBEDDING") else None
    return span if "llm.request.type" in attributes or scope.startswith(_MODEL_SCOPES) else None


def _unsampled() -> Span | None:
    if _INFERENCE not in sys.modules:
        return None
    if otel_context.get_value(_OFFICIAL) is None and otel_context.get_value(_OFFICIAL_EMBEDDING) is None:
        return None
    span = trace.get_current_span()
    return None if span.is_recording() else span


def foreign_tool(name: str) -> Span | None:
    """The span that another instrumentation made for this call of the tool *name*."""
    return _named("execute_tool", "TOOL", name, semconv.TOOL_NAME)


def foreign_agent() -> Span | None:
    """The span that another instrumentation made for the agent that is about to run."""
    return _named("invoke_agent", "AGENT", None, semconv.AGENT_NAME)


def _named(operation: str, kind: str, name: str | None, key: str) -> Span | None:
    found = _theirs()
    if found is None:
        return None
    span, attributes, _ = found
    if semconv.RUN_STATUS in attributes or semconv.TOOL_STATUS in attributes:
        return None
    said = str(getattr(span, "name", ""))
    if attributes.get(semconv.OPERATION, operation) != operation or attributes.get(_KIND, kind) != kind:
        return None
    if semconv.OPERATION not in attributes and _KIND not in attributes and not said.startswith(operation):
        return None
    return span if name is None or attributes.get(key) == name or said in (name, f"{operation} {name}") else None


def complete(span: Span, attributes: Mapping[str, Any]) -> None:
    """Set on another's *span* those of *attributes* that are ours, and those that it does not say itself."""
    said = getattr(span, "attributes", None) or {}
    span.set_attributes({
        name: value for name, value in attributes.items() if name not in said or name.startswith("agent.")
    })  # fmt: skip


def hushed(context: Context) -> Context:
    """*context* in which instrumentations that stand inside us make no second span; free when there are none."""
    if (module := sys.modules.get(_INFERENCE)) is not None:
        context = otel_context.set_value(_OFFICIAL, module.InferenceData(), context)
        if (module := sys.modules.get(_EMBEDDING)) is not None and hasattr(module, "EmbeddingData"):
            context = otel_context.set_value(_OFFICIAL_EMBEDDING, module.EmbeddingData(), context)
    if _OPENLLMETRY in sys.modules:
        context = otel_context.set_value(_QUIET, True, context)
    return context
