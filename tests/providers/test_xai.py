"""What xAI's answers say besides, in the client's own protocol buffers."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

chat_pb2 = pytest.importorskip("xai_sdk.proto.v6.chat_pb2", reason="xai-sdk is not installed")
from xai_sdk.proto.v6 import usage_pb2  # noqa: E402 - not without the client

from spanledger import semconv  # noqa: E402 - same
from spanledger.providers._xai_protos import _TIERS, _TOOLS, CHAT  # noqa: E402 - same


def read(**fields):
    usage = usage_pb2.SamplingUsage(prompt_tokens=10, completion_tokens=5, total_tokens=15, **fields.pop("usage", {}))
    proto = chat_pb2.GetChatCompletionResponse(id="x", model="grok-4", usage=usage, **fields)
    answer = SimpleNamespace(
        _proto=proto, finish_reason="REASON_STOP", tool_calls=[], content="Hi", reasoning_content=""
    )
    return CHAT.read_response(answer, content=False)


def test_what_is_billed_by_count():
    used = [
        "SERVER_SIDE_TOOL_WEB_SEARCH",
        "SERVER_SIDE_TOOL_WEB_SEARCH",
        "SERVER_SIDE_TOOL_X_SEARCH",
        "SERVER_SIDE_TOOL_MCP",
    ]
    assert read(usage={"server_side_tools_used": used}).usage.requests == {"web_search": 2, "x_search": 1}
    assert read().usage.requests == {}


def test_the_tier():
    assert read(service_tier="SERVICE_TIER_PRIORITY").extra[semconv.OPENAI_RESPONSE_TIER] == "priority"
    assert semconv.OPENAI_RESPONSE_TIER not in read().extra


def test_numbers_mean_what_the_client_says():
    tools = {
        number: name.removeprefix("SERVER_SIDE_TOOL_").lower()
        for name, number in usage_pb2.ServerSideTool.items()
        if number
    }
    tiers = {
        number: name.removeprefix("SERVICE_TIER_").lower() for name, number in usage_pb2.ServiceTier.items() if number
    }
    assert {number: tools[number] for number in _TOOLS} == _TOOLS
    assert set(tools) - set(_TOOLS) == {4, 5, 7}, "a tool that nobody knows"
    assert tiers == _TIERS
