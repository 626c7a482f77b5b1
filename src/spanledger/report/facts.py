"""What a single span says, in the words of the report.  Content is read apart, so that it is only shown on request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from .. import semconv
from ..journal import SpanRow

__all__ = ["content_of", "cost_of", "facts_of", "kind_of"]

_MODEL_OPERATIONS: Final = frozenset({"chat", "generate_content", "text_completion", "embeddings"})
_CONTENT: Final = {
    "system_instructions": semconv.SYSTEM_INSTRUCTIONS, "input_messages": semconv.INPUT_MESSAGES,
    "output_messages": semconv.OUTPUT_MESSAGES, "tool_definitions": semconv.TOOL_DEFINITIONS,
    "tool_description": semconv.TOOL_DESCRIPTION, "arguments": semconv.TOOL_ARGUMENTS, "result": semconv.TOOL_RESULT,
}  # fmt: skip
_COMMON: Final = {"error_class": semconv.ERROR_CLASS, "error_type": semconv.ERROR_TYPE}
_MODEL: Final = {
    "operation": semconv.OPERATION, "provider": semconv.PROVIDER, "request_model": semconv.REQUEST_MODEL,
    "input_tokens": semconv.USAGE_INPUT, "output_tokens": semconv.USAGE_OUTPUT,
    "cache_read_tokens": semconv.USAGE_CACHE_READ, "cache_write_tokens": semconv.USAGE_CACHE_WRITE,
    "reasoning_tokens": semconv.USAGE_REASONING, "usage_source": semconv.USAGE_SOURCE,
    "cost_status": semconv.COST_STATUS, "finish_reasons": semconv.RESPONSE_FINISH_REASONS,
    "response_id": semconv.RESPONSE_ID, "stream_end": semconv.STREAM_END,
    "time_to_first_chunk": semconv.TIME_TO_FIRST_CHUNK, "system_hash": semconv.SYSTEM_HASH,
    "tools_hash": semconv.TOOLS_HASH, "price_version": semconv.COST_PRICE_VERSION,
    "attempts": semconv.RETRY_ATTEMPTS, "try": semconv.RETRY_TRIES, "fallback_for": semconv.FALLBACK_FOR,
    "context_used": semconv.CONTEXT_USED,
}  # fmt: skip
_TOOL: Final = {
    "tool": semconv.TOOL_NAME, "call_id": semconv.TOOL_CALL_ID, "tool_version": semconv.TOOL_VERSION,
    "args_hash": semconv.TOOL_ARGS_HASH, "result_hash": semconv.TOOL_RESULT_HASH,
    "result_size": semconv.TOOL_RESULT_SIZE, "tool_status": semconv.TOOL_STATUS, "duration": semconv.TOOL_DURATION,
}  # fmt: skip
_OTHER: Final = {
    "operation": semconv.OPERATION, "http_method": "http.request.method",
    "http_status": "http.response.status_code", "server": semconv.SERVER_ADDRESS,
    "database": "db.system.name", "mcp_method": "mcp.method.name",
}  # fmt: skip
_PRICED_ELSEWHERE: Final = "counted_in_child"


def kind_of(span: SpanRow) -> str:
    """``run``, ``step``, ``model``, ``tool`` or ``span``."""
    if span.operation == "execute_tool":
        return "tool"
    if span.operation == "step":
        return "step"
    if span.operation in _MODEL_OPERATIONS:
        return "model"
    return "span"


def facts_of(span: SpanRow) -> dict[str, Any]:
    """What *span* says by the names of the report's schema; what it does not say is left out."""
    kind, has = kind_of(span), span.attributes
    table = {"model": _MODEL, "tool": _TOOL, "step": {"number": semconv.STEP_NUMBER}}.get(kind, _OTHER)
    found = {name: has[key] for name, key in {**table, **_COMMON}.items() if key in has}
    found["status"] = "error" if span.status == "ERROR" or found.get("tool_status") == "error" else "ok"
    if kind == "model":
        found["model"] = has.get(semconv.RESPONSE_MODEL) or has.get(semconv.REQUEST_MODEL)
        cost = cost_of(span)
        found["cost"] = None if cost is None else format(cost, "f")
        found["paid"] = found.get("cost_status") != _PRICED_ELSEWHERE and found.get("error_class") != "denied"
    if kind == "tool":
        found["inferred"] = bool(has.get(semconv.TOOL_INFERRED))
    if kind == "step" and span.name != "step":
        found["title"] = span.name.removeprefix("step ")
    return found


def cost_of(span: SpanRow) -> Decimal | None:
    """What the call cost, US dollars, or `None` where it has no price of its own."""
    amount = span.attributes.get(semconv.COST_AMOUNT)
    if amount is None or span.attributes.get(semconv.COST_STATUS) == _PRICED_ELSEWHERE:
        return None
    try:
        return Decimal(str(amount))
    except InvalidOperation:
        return None


def content_of(span: SpanRow) -> dict[str, Any]:
    """What was said, where it was captured; and the words that came with a failure."""
    found = {name: _parsed(span.attributes[key]) for name, key in _CONTENT.items() if key in span.attributes}
    if span.description:
        found["status_description"] = span.description
    for event in span.events:
        attributes = event.get("attributes")
        if isinstance(attributes, Mapping) and attributes:
            found.setdefault("events", []).append({"name": event.get("name"), **attributes})
    return found


def _parsed(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
