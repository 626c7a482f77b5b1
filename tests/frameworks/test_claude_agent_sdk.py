"""Claude Agent SDK, against a small program that speaks the protocol of the `claude` command as it is told to."""

from __future__ import annotations

import asyncio
import json
import sys
import textwrap

import pytest

pytest.importorskip("claude_agent_sdk", reason="claude-agent-sdk is not installed")
from claude_agent_sdk import (
    AssistantMessage,
    ClaudeAgentOptions,
    ClaudeSDKClient,
    ResultMessage,
    create_sdk_mcp_server,
    query,
    tool,
)

import spanledger
from claude_messages import MODEL, got, init, result, said, sums, use

pytestmark = pytest.mark.filterwarnings("ignore")
PROGRAM = """
    import json, os, sys
    script = json.load(open(sys.argv[0] + ".json"))
    def say(message):
        print(json.dumps(message), flush=True)
    def ask(server, message):
        say({"type": "control_request", "request_id": "r%s" % message.get("id"), "request": {
            "subtype": "mcp_message", "server_name": server, "message": {"jsonrpc": "2.0", **message}}})
        while True:
            said = json.loads(sys.stdin.readline())
            if said.get("type") == "control_response":
                return said["response"]["response"]["mcp_response"]["result"]
    def play(part):
        for step in part:
            if "call" in step:
                server, name, arguments, id = step["call"]
                hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
                ask(server, {"id": 0, "method": "initialize", "params": hello})
                result = ask(server, {"id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}})
                say({"type": "user", "session_id": "s1", "message": {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": id, "content": result["content"],
                     "is_error": result.get("isError", False)}]}})
            elif "exit" in step:
                sys.exit(step["exit"])
            elif step.get("type") == "environment":
                say({"type": "system", "subtype": "init", "session_id": os.environ.get("TRACEPARENT", "")})
            else:
                say(step)
    parts = iter(script)
    for line in sys.stdin:
        said = json.loads(line)
        if said.get("type") == "control_request":
            say({"type": "control_response", "response": {
                "subtype": "success", "request_id": said["request_id"], "response": {}}})
        elif said.get("type") == "user":
            play(next(parts))
"""
TURN = [init(), said("m1", "I look.", input=10, cached=100), said("m1", use("t1", path="a"), input=10, cached=100),
        got("t1", "text of a"), said("m2", "Done.", input=20, cached=100),
        result({MODEL: sums(30, 70, 200)})]  # fmt: skip


@pytest.fixture
def claude(tmp_path, watching):
    """Options for a `claude` that plays *parts*, one for each request."""

    def make(*parts, **options):
        program = tmp_path / "claude"
        program.write_text(f"#!{sys.executable}\n" + textwrap.dedent(PROGRAM))
        program.chmod(0o755)
        (tmp_path / "claude.json").write_text(json.dumps(parts))
        return ClaudeAgentOptions(cli_path=str(program), **options)

    return make


def ask(options, prompt="Read it"):
    async def main():
        return [message async for message in query(prompt=prompt, options=options)]

    return asyncio.run(main())


def test_a_query_is_one_run(claude, seen):
    assert isinstance(ask(claude(TURN))[-1], ResultMessage)
    run = seen.agent()
    assert run.name == "invoke_agent claude"
    assert run.attributes["session.id"] == "s1"
    assert [span.attributes["agent.step.number"] for span in seen.chat] == [1, 2]
    assert {span.attributes["gen_ai.response.model"] for span in seen.chat} == {MODEL}
    (read,) = seen.execute_tool
    assert read.attributes["gen_ai.tool.name"] == "Read"
    assert read.attributes["gen_ai.tool.call.id"] == "t1"
    assert read.attributes["agent.tool.inferred"]
    assert read.attributes["agent.step.number"] == 1


def test_tokens_are_those_of_the_result(claude, seen):
    ask(claude(TURN))
    said_in, said_out = (
        [span.attributes[f"gen_ai.usage.{kind}_tokens"] for span in seen.chat] for kind in ("input", "output")
    )
    assert said_in == [110, 120]
    assert said_out == [1, 69]
    assert seen.chat[1].attributes["agent.usage.source"] == "estimated"
    assert seen.invoke_agent[0].attributes["agent.run.input_tokens"] == 230
    assert seen.invoke_agent[0].attributes["agent.run.output_tokens"] == 70


def test_calls_that_no_message_tells_of_are_counted(claude, seen):
    ask(claude([*TURN[:-1], result({MODEL: sums(30, 70, 200), "claude-haiku-4-5": sums(500, 9)})]))
    seen.agent(model_calls=3)
    (other,) = [span for span in seen.chat if span.attributes["gen_ai.response.model"] == "claude-haiku-4-5"]
    assert other.attributes["gen_ai.usage.input_tokens"] == 500


def test_pieces_of_an_answer_tell_its_tokens(claude, seen):
    def event(kind, **more):
        return {"type": "stream_event", "uuid": "u", "session_id": "s1", "event": {"type": kind, **more}}

    part = [
        init(), event("message_start", message={"id": "m1"}), said("m1", "Done."),
        event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 42}),
        result({MODEL: sums(10, 42)}),
    ]  # fmt: skip
    ask(claude(part, include_partial_messages=True))
    (call,) = seen.chat
    assert call.attributes["gen_ai.usage.output_tokens"] == 42
    assert call.attributes["agent.usage.source"] == "provider"
    assert call.attributes["gen_ai.response.finish_reasons"] == ("end_turn",)


def test_a_tool_of_this_process_is_one_measured_call(claude, seen, native):
    @tool("look", "The weather of a city.", {"city": str})
    async def look(args):
        return ours(**args)

    @spanledger.tool("look", version="2")
    def ours(city):
        return {"content": [{"type": "text", "text": f"rain in {city}"}]}

    part = [
        init(), said("m1", use("t1", "mcp__weather__look", city="Bergen")),
        {"call": ["weather", "look", {"city": "Bergen"}, "t1"]}, said("m2", "It rains."), result(),
    ]  # fmt: skip
    ask(claude(part, mcp_servers={"weather": create_sdk_mcp_server("weather", tools=[look])}))
    seen.agent()
    (call,) = seen.execute_tool
    assert call.attributes["gen_ai.tool.name"] == "mcp__weather__look"
    assert call.attributes["gen_ai.tool.call.id"] == "t1"
    assert call.attributes["agent.tool.version"] == "2"
    assert call.attributes["agent.step.number"] == 1
    assert "agent.tool.inferred" not in call.attributes


def test_a_tool_of_this_process_that_fails(claude, seen):
    @tool("look", "The weather of a city.", {"city": str})
    async def look(args):
        raise TimeoutError

    part = [
        init(), said("m1", use("t1", "mcp__weather__look", city="Bergen")),
        {"call": ["weather", "look", {"city": "Bergen"}, "t1"]}, said("m2", "Sorry."), result(),
    ]  # fmt: skip
    ask(claude(part, mcp_servers={"weather": create_sdk_mcp_server("weather", tools=[look])}))
    seen.agent()
    assert seen.execute_tool[0].attributes["agent.error.class"] == "error_payload"


def test_a_tool_that_failed_over_there(claude, seen):
    ask(claude([init(), said("m1", use("t1")), got("t1", "no such file", is_error=True), said("m2", "Sorry."), result()]))
    seen.agent()
    assert seen.execute_tool[0].attributes["agent.tool.status"] == "error"


def test_subagents_at_work_at_once_are_told_apart(claude, seen):
    ask(claude([
        init(), said("m1", use("t1", "Task"), use("t2", "Task")),
        said("a1", "x", lane="t1"), said("b1", "y", lane="t2"), said("a1", use("t3"), lane="t1"),
        said("b1", use("t4"), lane="t2"), got("t3", "3", lane="t1"), got("t4", "4", lane="t2"),
        said("a2", "done", lane="t1"), got("t1", "1"), said("b2", "done", lane="t2"), got("t2", "2"),
        said("m2", "Done."), result({MODEL: sums(60, 6)}),
    ]))  # fmt: skip
    run = seen.agent(model_calls=6, tool_calls=4)
    assert run.attributes["agent.run.input_tokens"] == 60
    assert run.attributes["agent.run.output_tokens"] == 6


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (result(subtype="error_max_turns"), "max_steps"),
        (result(subtype="error_max_budget_usd"), "budget_exceeded"),
        (result(subtype="error_during_execution"), "error"),
        (result(terminal_reason="aborted_streaming"), "cancelled"),
        (result(is_error=True, api_error_status=529), "model_error"),
        (result(stop_reason="max_tokens"), "max_tokens"),
        (result(deferred_tool_use={"id": "t1", "name": "Read", "input": {}}), "interrupted"),
    ],
)
def test_how_it_ends(claude, seen, end, reason):
    ask(claude([init(), said("m1", "x"), end]))
    seen.agent(model_calls=1, tool_calls=0, reason=reason)


def test_an_error_that_leaves_as_an_exception(claude, seen):
    failed = said("m1", "API Error", model="<synthetic>", error="rate_limit")
    with pytest.raises(Exception, match="returned an error result"):
        ask(claude([init(), failed, result(subtype="error_max_turns"), {"exit": 1}]))
    seen.agent(model_calls=1, tool_calls=0, reason="max_steps")
    assert seen.chat[0].attributes["agent.error.class"] == "rate_limited"


def test_a_client_has_a_run_for_each_request(claude, seen):
    second = [init(), said("m3", "Again."), result({MODEL: sums(40, 80, 200)})]

    async def main():
        async with ClaudeSDKClient(claude(TURN, second)) as client:
            for prompt in ("one", "two"):
                await client.query(prompt)
                [message async for message in client.receive_response()]

    asyncio.run(main())
    first, other = seen.invoke_agent
    assert first.attributes["agent.run.model_calls"] == 2
    assert other.attributes["agent.run.model_calls"] == 1
    assert (other.attributes["agent.run.input_tokens"], other.attributes["agent.run.output_tokens"]) == (10, 10)
    assert {span.attributes["session.id"] for span in (first, other)} == {"s1"}


def test_a_client_that_is_left(claude, seen):
    async def main():
        async with ClaudeSDKClient(claude([init(), said("m1", "x")])) as client:
            await client.query("one")
            async for message in client.receive_messages():
                if isinstance(message, AssistantMessage):
                    break

    asyncio.run(main())
    seen.agent(model_calls=1, tool_calls=0, reason="cancelled")


def test_a_request_inside_of_a_run_is_part_of_it(claude, seen):
    async def main():
        with spanledger.run("outer") as run:
            async with ClaudeSDKClient(claude(TURN)) as client:
                await client.query("one")
                [message async for message in client.receive_response()]
            return run

    run = asyncio.run(main())
    assert run.usage.output == 70
    assert seen.invoke_agent[0].attributes["agent.run.parent_id"] == run.id


def test_the_process_is_told_the_trace(claude, seen):
    ask(claude([{"type": "environment"}, said("m1", "x"), result()]))
    run = seen.agent(model_calls=1, tool_calls=0)
    assert run.attributes["session.id"].split("-")[1:3] == [
        f"{run.context.trace_id:032x}", f"{run.context.span_id:016x}",
    ]  # fmt: skip
