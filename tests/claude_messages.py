"""What a Claude Code process sends, as the tests need it."""

from __future__ import annotations

MODEL = "claude-sonnet-4-5-20250929"


def init(session="s1"):
    return {"type": "system", "subtype": "init", "session_id": session, "model": MODEL, "tools": []}


def said(id, *blocks, output=1, input=10, cached=0, lane=None, model=MODEL, **more):
    content = [{"type": "text", "text": block} if isinstance(block, str) else block for block in blocks]
    usage = {
        "input_tokens": input,
        "cache_read_input_tokens": cached,
        "cache_creation_input_tokens": 0,
        "output_tokens": output,
    }
    message = {"id": id, "role": "assistant", "model": model, "content": content, "stop_reason": None, "usage": usage}
    return {"type": "assistant", "session_id": "s1", "parent_tool_use_id": lane, "message": message, **more}


def use(id, name="Read", **arguments):
    return {"type": "tool_use", "id": id, "name": name, "input": arguments}


def got(id, text, *, is_error=False, lane=None, **meta):
    block = {"type": "tool_result", "tool_use_id": id, "content": text, "is_error": is_error}
    message = {
        "type": "user",
        "session_id": "s1",
        "parent_tool_use_id": lane,
        "message": {"role": "user", "content": [block]},
    }
    return {**message, "tool_result_meta": [{"id": id, **meta}]} if meta else message


def event(kind, **more):
    return {
        "type": "stream_event",
        "uuid": "u",
        "session_id": "s1",
        "parent_tool_use_id": None,
        "event": {"type": kind, **more},
    }


def pieces(id, *blocks, output, stop="end_turn", input=10, cached=0):
    """An answer as it comes with its pieces: what was asked, its beginning, each block as soon as it is whole, its end."""
    whole = [said(id, block, input=input, cached=cached) for block in blocks]
    begun = {**whole[0]["message"], "content": []}
    usage = {**begun["usage"], "output_tokens": output}
    return [
        status("requesting"), event("message_start", message=begun), *whole,
        event("message_delta", delta={"stop_reason": stop, "stop_sequence": None}, usage=usage), event("message_stop"),
    ]  # fmt: skip


def system(subtype, **more):
    return {"type": "system", "subtype": subtype, "session_id": "s1", "uuid": "u", **more}


def status(status):
    return system("status", status=status)


def retry(attempt, status=529, error="overloaded", wait=500):
    return system("api_retry", attempt=attempt, max_retries=10, retry_delay_ms=wait, error_status=status, error=error)


def wrote(text="API Error: 529 Overloaded.", *, error="server_error", **more):
    """What the process writes itself, in place of an answer or after one."""
    message = {"id": "e0b1", "role": "assistant", "model": "<synthetic>", "content": [{"type": "text", "text": text}],
               "stop_reason": "stop_sequence", "usage": {"input_tokens": 0, "output_tokens": 0}}  # fmt: skip
    return {"type": "assistant", "session_id": "s1", "parent_tool_use_id": None, "message": message, "error": error,
            "is_api_error_message": True, **more}  # fmt: skip


def started(id, task="k1", name="general-purpose", *, background=True, **more):
    return system("task_started", task_id=task, tool_use_id=id, subagent_type=name, description="d", spawn_depth=1,
                  is_backgrounded=background, task_type="local_agent", prompt="p", **more)  # fmt: skip


def done(id, task="k1", *, total, status="completed"):
    """The two messages that a subagent's task ends with."""
    return [system("task_updated", task_id=task, patch={"status": status, "end_time": 1}),
            system("task_notification", task_id=task, tool_use_id=id, status=status, summary="s", output_file="o",
                   usage={"total_tokens": total, "tool_uses": 1, "duration_ms": 9})]  # fmt: skip


def sums(input, output, cached=0):
    return {"inputTokens": input, "outputTokens": output, "cacheReadInputTokens": cached, "cacheCreationInputTokens": 0,
            "webSearchRequests": 0, "costUSD": 0.01, "contextWindow": 200000, "maxOutputTokens": 64000}  # fmt: skip


def result(usage=None, subtype="success", **more):
    return {"type": "result", "subtype": subtype, "is_error": subtype != "success", "duration_ms": 5, "duration_api_ms": 4,
            "num_turns": 2, "session_id": "s1", "total_cost_usd": 0.01, "usage": {}, "modelUsage": usage or {},
            "result": "done", "stop_reason": "end_turn", **more}  # fmt: skip
