"""
Anthropic, also on Bedrock and Vertex.

https://github.com/anthropics/anthropic-sdk-python
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from .. import semconv
from ..model import Draft, Request, Response, ToolResult, Usage, output_message
from ._adapter import Adapter, Endpoint
from ._anthropic_blocks import block_parts, content_parts, read_messages, read_tools, tool_call
from ._peers import HOSTS, base_url, peers
from ._plain_calls import plain_call
from ._settings import Setting, put, read_settings, stops
from ._stainless import by_path, stainless
from ._wire import as_list, count, error_name, fields, index_of, text_of

__all__ = ["ADAPTER", "MESSAGES"]


def _output_config(found: dict[str, Any], value: Any) -> None:
    config = fields(value)
    put(found, semconv.REQUEST_REASONING_LEVEL, config.get("effort"))
    _output_format(found, config.get("format"))


def _output_format(found: dict[str, Any], value: Any) -> None:
    if fields(value).get("type") == "json_schema":
        found[semconv.OUTPUT_TYPE] = "json"


SETTINGS: Final[Mapping[str, str | Setting]] = {
    "max_tokens": semconv.REQUEST_MAX_TOKENS,
    "temperature": semconv.REQUEST_TEMPERATURE,
    "top_p": semconv.REQUEST_TOP_P,
    "top_k": semconv.REQUEST_TOP_K,
    "stop_sequences": stops,
    "output_config": _output_config,
    "output_format": _output_format,
    "service_tier": semconv.ANTHROPIC_REQUEST_TIER,
}


def read_request(body: Any) -> Request:
    body = fields(body)
    request = Request(
        model=body.get("model"),
        stream=body.get("stream") is True,
        settings=read_settings(body, SETTINGS),
        system=body.get("system"),
        tools=body.get("tools"),
    )
    messages = body.get("messages")
    if isinstance(messages, list):
        _read_tail(request, messages)
    return request


def _read_tail(request: Request, messages: list[Any]) -> None:
    for at in range(len(messages) - 1, -1, -1):
        message = fields(messages[at])
        content = message.get("content")
        blocks: list[Any] = content if isinstance(content, list) else []
        if message.get("role") == "assistant":
            request.asked = [tool_call(f) for b in blocks if (f := fields(b)).get("type") == "tool_use"]
            break
        for block in reversed(blocks):
            found = fields(block)
            if found.get("type") == "tool_result":
                failed = found.get("is_error") is True
                request.results.append(ToolResult(found.get("tool_use_id"), None, found.get("content"), failed))
    request.results.reverse()


def read_response(message: Any, content: bool) -> Response:
    found = fields(message)
    blocks = [fields(block) for block in as_list(found.get("content"))]
    reason = found.get("stop_reason")
    response = Response(
        id=found.get("id"),
        model=found.get("model"),
        finish_reasons=[reason] if reason else [],
        tool_calls=[tool_call(block) for block in blocks if block.get("type") == "tool_use"],
    )
    response.usage = _read_usage(None, found.get("usage"), response.extra)
    if content and blocks:
        response.messages = [output_message([p for block in blocks for p in block_parts(block)], reason)]
    if error := found.get("error"):
        response.error = error_name(error)
    return response


def _read_usage(before: Usage | None, wire: Any, extra: dict[str, Any]) -> Usage:
    """*wire* laid over what was known *before*; counts in a stream are running totals."""
    usage = before or Usage()
    found = fields(wire)
    for field, key in (
        ("uncached", "input_tokens"),
        ("cache_read", "cache_read_input_tokens"),
        ("cache_write", "cache_creation_input_tokens"),
        ("output", "output_tokens"),
    ):
        if (value := count(found.get(key))) is not None:
            setattr(usage, field, value)
    if apart := found.get("cache_creation"):
        usage.cache_write_1h = count(fields(apart).get("ephemeral_1h_input_tokens"))
    if details := found.get("output_tokens_details"):
        usage.reasoning = count(fields(details).get("thinking_tokens"))
    if used := fields(found.get("server_tool_use")):
        usage.requests = {name.removesuffix("_requests"): n for name, value in used.items() if (n := count(value))}
    for iteration in as_list(found.get("iterations")):
        _add_compaction(usage, fields(iteration))
    if isinstance(tier := found.get("service_tier"), str):
        extra[semconv.ANTHROPIC_RESPONSE_TIER] = tier
    return usage


def _add_compaction(usage: Usage, iteration: Mapping[str, Any]) -> None:
    # billed, but not in the message's own counts (says `BetaUsage.iterations` of the client)
    if iteration.get("type") == "compaction":
        usage.uncached = (usage.uncached or 0) + (count(iteration.get("input_tokens")) or 0)
        usage.cache_read = (usage.cache_read or 0) + (count(iteration.get("cache_read_input_tokens")) or 0)
        usage.cache_write = (usage.cache_write or 0) + (count(iteration.get("cache_creation_input_tokens")) or 0)
        usage.output = (usage.output or 0) + (count(iteration.get("output_tokens")) or 0)


def fold(draft: Draft, chunks: Sequence[Any]) -> None:
    for chunk in chunks:
        event = fields(chunk)
        if step := _FOLDS.get(str(event.get("type"))):
            step(draft, event)


def _start(draft: Draft, event: Mapping[str, Any]) -> None:
    message = fields(event.get("message"))
    draft.id = message.get("id")
    draft.model = message.get("model")
    draft.usage = _read_usage(draft.usage, message.get("usage"), draft.extra)


def _block(draft: Draft, event: Mapping[str, Any]) -> None:
    index, block = index_of(event.get("index")), fields(event.get("content_block"))
    kind = block.get("type")
    if kind == "tool_use":
        draft.tool_call(0, index, block.get("id"), block.get("name"), block.get("input"))
    elif kind == "text":
        draft.text(0, index).append(text_of(block.get("text")))
    elif kind == "thinking":
        draft.reasoning(0, index).append(text_of(block.get("thinking")))
    else:
        for number, part in enumerate(block_parts(block)):
            draft.part(0, (index, number), part)


def _delta(draft: Draft, event: Mapping[str, Any]) -> None:
    index, delta = index_of(event.get("index")), fields(event.get("delta"))
    kind = delta.get("type")
    if kind == "text_delta":
        draft.text(0, index).append(text_of(delta.get("text")))
    elif kind == "thinking_delta":
        draft.reasoning(0, index).append(text_of(delta.get("thinking")))
    elif kind == "input_json_delta":
        _json(draft, index, text_of(delta.get("partial_json")))


def _json(draft: Draft, index: Any, piece: str) -> None:
    # server tools' input comes in the same way, but they are nobody's calls here
    if draft.has_tool_call(0, index):
        draft.tool_call(0, index, None, None, piece)


def _end(draft: Draft, event: Mapping[str, Any]) -> None:
    draft.usage = _read_usage(draft.usage, event.get("usage"), draft.extra)
    if reason := fields(event.get("delta")).get("stop_reason"):
        draft.finish_reasons[0] = reason


def _error(draft: Draft, event: Mapping[str, Any]) -> None:
    draft.error = error_name(event.get("error"))


_FOLDS: Final = {
    "message_start": _start,
    "content_block_start": _block,
    "content_block_delta": _delta,
    "message_delta": _end,
    "error": _error,
}


def _read_count(answer: Any, content: bool) -> Response:  # noqa: ARG001
    return Response()


def _read_completion(completion: Any, content: bool) -> Response:
    found = fields(completion)
    reason = found.get("stop_reason")
    response = Response(found.get("id"), found.get("model"), [reason] if reason else [])
    if content:
        response.messages = [output_message(content_parts(found.get("completion")), reason)]
    return response


MESSAGES: Final = Endpoint("chat", read_request, read_response, fold, read_messages, read_tools, history="messages")
COUNT: Final = Endpoint(
    "count_tokens", read_request, _read_count, read_messages=read_messages, read_tools=read_tools, inference=False
)
COMPLETE: Final = Endpoint("text_completion", read_request, _read_completion)


def _own_name(client: Any) -> str:
    for kind in type(client).__mro__:
        if "bedrock" in kind.__module__ or "Bedrock" in kind.__name__:
            return "aws.bedrock"
        if "vertex" in kind.__module__ or "Vertex" in kind.__name__:
            return "gcp.vertex_ai"
    return "anthropic"


def _speaks_otel(client: Any) -> bool:
    """Whether *client* makes its own spans, which is the default; a version that makes none has no such property."""
    return fields(fields(getattr(client, "open_telemetry", None)).get("traces")).get("enabled") is True


# Azure serves it under the same hosts, but not as Azure OpenAI
_HOSTS: Final = tuple(known for known in HOSTS if not known[1].startswith("azure"))

ADAPTER: Final = Adapter(
    package="anthropic",
    distribution="anthropic",
    oldest="0.45",
    seams=(
        stainless(
            "anthropic",
            by_path(
                {
                    "/v1/messages": MESSAGES,
                    "/messages/count_tokens": COUNT,
                    "/messages/batches": plain_call("batch"),
                    "/v1/complete": COMPLETE,
                }
            ),
            peers(_own_name, of=base_url, hosts=_HOSTS),
        ),
    ),
    speaks_otel=_speaks_otel,
    quiet=("ANTHROPIC_OPEN_TELEMETRY", "false"),
    unseen="agents and sessions that the server runs",
)
