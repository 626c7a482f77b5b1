"""
The Converse wire shape, Bedrock's own; Amazon's Nova models speak it in ``InvokeModel`` too.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .. import semconv
from ..model import Draft, Request, Response, ToolResult, Usage, output_message, parsed
from ._adapter import Endpoint
from ._converse_blocks import block_parts, is_theirs, read_messages, read_tools, server_call, tool_calls
from ._settings import Setting, plain, put, read_settings, stops
from ._wire import as_list, count, fields, index_of, text_of

__all__ = ["CONVERSE"]

_SETTINGS: Final[Mapping[str, str | Setting]] = {
    "maxTokens": semconv.REQUEST_MAX_TOKENS,
    "max_new_tokens": semconv.REQUEST_MAX_TOKENS,  # Nova
    "temperature": semconv.REQUEST_TEMPERATURE,
    "topP": semconv.REQUEST_TOP_P,
    "topK": semconv.REQUEST_TOP_K,  # Nova
    "top_k": semconv.REQUEST_TOP_K,
    "stopSequences": stops,
    "reasoning_effort": semconv.REQUEST_REASONING_LEVEL,
    "reasoningConfig": plain(semconv.REQUEST_REASONING_LEVEL, "maxReasoningEffort"),
}


def _read_request(body: Any) -> Request:
    found = fields(body)
    said = {**fields(found.get("additionalModelRequestFields")), **fields(found.get("inferenceConfig"))}
    request = Request(
        model=found.get("modelId"),
        stream=found.get("stream") is True,
        settings=read_settings(said, _SETTINGS),
        system=found.get("system") or None,
        tools=fields(found.get("toolConfig")).get("tools"),
    )
    put(request.settings, semconv.REQUEST_TIER, fields(found.get("serviceTier")).get("type"))
    put(request.settings, semconv.REQUEST_SPEED, fields(found.get("performanceConfig")).get("latency"))
    for message in reversed(as_list(found.get("messages"))):
        blocks = [fields(block) for block in as_list(fields(message).get("content"))]
        if fields(message).get("role") == "assistant":
            request.asked = tool_calls(blocks)
            break
        for block in reversed(blocks):
            if result := fields(block.get("toolResult")):
                failed = result.get("status") == "error"
                request.results.append(ToolResult(result.get("toolUseId"), None, result.get("content"), failed))
    request.results.reverse()
    return request


def _read_usage(wire: Any) -> Usage:
    found = fields(wire)
    usage = Usage(
        count(found.get("inputTokens")),
        count(found.get("cacheReadInputTokens", found.get("cacheReadInputTokenCount"))),
        count(found.get("cacheWriteInputTokens", found.get("cacheWriteInputTokenCount"))),
        count(found.get("outputTokens")),
    )
    for item in as_list(found.get("cacheDetails")):
        if fields(item).get("ttl") == "1h":
            usage.cache_write_1h = count(fields(item).get("inputTokens"))
    return usage


def _read_tier(extra: dict[str, Any], found: Mapping[str, Any]) -> None:
    put(extra, semconv.RESPONSE_TIER, fields(found.get("serviceTier")).get("type"))
    put(extra, semconv.RESPONSE_SPEED, fields(found.get("performanceConfig")).get("latency"))


def _read_response(answer: Any, content: bool) -> Response:
    found = fields(answer)
    blocks = [fields(b) for b in as_list(fields(fields(found.get("output")).get("message")).get("content"))]
    reason = found.get("stopReason")
    response = Response(
        finish_reasons=[reason] if reason else [],
        usage=_read_usage(found.get("usage")),
        tool_calls=tool_calls(blocks),
    )
    _read_tier(response.extra, found)
    if content:
        response.messages = [output_message([part for block in blocks for part in block_parts(block)], reason)]
    return response


def _fold(draft: Draft, chunk: Any) -> None:
    event = fields(chunk)
    if begun := fields(event.get("contentBlockStart")):
        index, use = index_of(begun.get("contentBlockIndex")), fields(fields(begun.get("start")).get("toolUse"))
        if is_theirs(use):
            part = server_call({**use, "input": {}})
            draft.kept[index] = (part["server_tool_call"], [])
            draft.part(0, index, part)
        elif use:
            draft.tool_call(0, index, use.get("toolUseId"), use.get("name"), {})
    elif more := fields(event.get("contentBlockDelta")):
        _fold_delta(draft, index_of(more.get("contentBlockIndex")), fields(more.get("delta")))
    elif ended := fields(event.get("contentBlockStop")):
        call, pieces = draft.kept.get(index_of(ended.get("contentBlockIndex")), ({}, []))
        if text := "".join(pieces):
            call["arguments"] = parsed(text)
    elif stop := fields(event.get("messageStop")):
        draft.finish_reasons[0] = str(stop.get("stopReason"))
    elif told := fields(event.get("metadata")):
        _read_tier(draft.extra, told)
        if usage := told.get("usage"):
            draft.usage = _read_usage(usage)


def _fold_delta(draft: Draft, index: int, delta: Mapping[str, Any]) -> None:
    if text := text_of(delta.get("text")):
        draft.text(0, index).append(text)
    elif (use := fields(delta.get("toolUse"))) and index in draft.kept:
        _, pieces = draft.kept[index]
        pieces.append(text_of(use.get("input")))
    elif use:
        draft.tool_call(0, index, None, None, text_of(use.get("input")))
    elif thought := text_of(fields(delta.get("reasoningContent")).get("text")):
        draft.reasoning(0, index).append(thought)


CONVERSE: Final = Endpoint("chat", _read_request, _read_response, _fold, read_messages, read_tools)
