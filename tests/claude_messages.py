"""What a Claude Code process sends, as the tests need it."""

from __future__ import annotations

MODEL = "claude-sonnet-4-5-20250929"


def init(session="s1"):
    return {"type": "system", "subtype": "init", "session_id": session, "model": MODEL, "tools": []}


def said(id, *blocks, output=1, input=10, cached=0, lane=None, model=MODEL, **more):
    content = [{"type": "text", "text": block} if isinstance(block, str) else block for block in blocks]
    usage = {"input_tokens": input, "cache_read_input_tokens": cached, "cache_creation_input_tokens": 0, "output_tokens": output}
    message = {"id": id, "role": "assistant", "model": model, "content": content, "stop_reason": None, "usage": usage}
    return {"type": "assistant", "session_id": "s1", "parent_tool_use_id": lane, "message": message, **more}


def use(id, name="Read", **arguments):
    return {"type": "tool_use", "id": id, "name": name, "input": arguments}


def got(id, text, *, is_error=False, lane=None):
    block = {"type": "tool_result", "tool_use_id": id, "content": text, "is_error": is_error}
    return {"type": "user", "session_id": "s1", "parent_tool_use_id": lane, "message": {"role": "user", "content": [block]}}


def sums(input, output, cached=0):
    return {"inputTokens": input, "outputTokens": output, "cacheReadInputTokens": cached, "cacheCreationInputTokens": 0,
            "webSearchRequests": 0, "costUSD": 0.01, "contextWindow": 200000, "maxOutputTokens": 64000}  # fmt: skip


def result(usage=None, subtype="success", **more):
    return {"type": "result", "subtype": subtype, "is_error": subtype != "success", "duration_ms": 5, "duration_api_ms": 4,
            "num_turns": 2, "session_id": "s1", "total_cost_usd": 0.01, "usage": {}, "modelUsage": usage or {},
            "result": "done", "stop_reason": "end_turn", **more}  # fmt: skip
