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
from claude_messages import (
    MODEL,
    done,
    got,
    init,
    pieces,
    result,
    retry,
    said,
    started,
    status,
    sums,
    system,
    use,
    wrote,
)

pytestmark = pytest.mark.filterwarnings("ignore")
PROGRAM = """
    import json, os, sys
    script = json.load(open(sys.argv[0] + ".json"))
    asked = "--include-partial-messages" in sys.argv
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
                meta = {"claudecode/toolUseId": id, "progressToken": 2}
                result = ask(server, {"id": 1, "method": "tools/call", "params": {
                    "name": name, "arguments": arguments, "_meta": meta}})
                say({"type": "user", "session_id": "s1", "message": {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": id, "content": result["content"],
                     "is_error": result.get("isError", False)}]}})
            elif "exit" in step:
                sys.exit(step["exit"])
            elif step.get("type") == "until_left":
                sys.exit(len(sys.stdin.read()) * 0)
            elif not asked and (step.get("type") == "stream_event" or step.get("status") == "requesting"):
                pass
            elif "environment" in step:
                say({"type": "system", "subtype": "init", "session_id": os.environ.get(step["environment"], "")})
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


WHOLE = [init(), *pieces("m1", "I look.", use("t1", path="a"), output=50, stop="tool_use", cached=100), got("t1", "text of a"),
         *pieces("m2", "Done.", output=70, input=20, cached=100), result({MODEL: sums(30, 120, 200)})]  # fmt: skip


def test_pieces_of_an_answer_tell_its_tokens(claude, seen):
    ask(claude(WHOLE))
    first, second = seen.chat
    assert [call.attributes["gen_ai.usage.output_tokens"] for call in (first, second)] == [50, 70]
    assert {call.attributes["agent.usage.source"] for call in (first, second)} == {"provider"}
    assert first.attributes["gen_ai.response.finish_reasons"] == ("tool_use",)
    assert second.attributes["gen_ai.response.finish_reasons"] == ("end_turn",)
    assert first.attributes["gen_ai.response.time_to_first_chunk"] >= 0
    assert first.attributes["gen_ai.request.model"] == MODEL


@pytest.mark.parametrize("wanted", [False, True])
def test_the_program_gets_the_pieces_that_it_asked_for(claude, seen, wanted):
    end = {**WHOLE[-1], "begun_message_ids": ["m1", "m2"]}
    messages = ask(claude([*WHOLE[:-1], end], include_partial_messages=wanted))
    kinds = [type(message).__name__ for message in messages]
    assert kinds.count("StreamEvent") == (6 if wanted else 0)
    assert [kind for kind in kinds if kind not in ("StreamEvent", "SystemMessage")] == [
        "AssistantMessage", "AssistantMessage", "UserMessage", "AssistantMessage", "ResultMessage",
    ]  # fmt: skip
    assert [m.subtype for m in messages if type(m).__name__ == "SystemMessage"] == ["init", *["status"] * 2 * wanted]
    seen.agent()


def test_a_tool_took_as_long_as_its_result(claude, seen):
    ask(claude(WHOLE))
    (read,) = seen.execute_tool
    assert read.attributes["agent.tool.duration"] == pytest.approx((read.end_time - read.start_time) / 1e9)
    assert read.start_time <= read.end_time
    assert seen.chat[0].start_time <= read.start_time


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
    assert seen.execute_tool[0].attributes["agent.error.class"] == "timeout"


def test_a_tool_that_failed_over_there(claude, seen):
    ask(
        claude(
            [init(), said("m1", use("t1")), got("t1", "no such file", is_error=True), said("m2", "Sorry."), result()]
        )
    )
    seen.agent()
    assert seen.execute_tool[0].attributes["agent.tool.status"] == "error"


@pytest.mark.parametrize(
    ("text", "meta", "kind"),
    [
        ("You haven't granted it yet.", {"non_execution_kind": "user-rejected"}, "denied"),
        ("hook error: no", {"permission_decision": {"decision": "reject", "source": "hook"}}, "denied"),
        ("It was rejected. Correction: this call was stopped while running, not refused.",
         {"non_execution_kind": "user-rejected"}, "cancelled"),
        ("<tool_use_error>Error: No such tool available: Nope</tool_use_error>", {}, "unknown_tool"),
        ("<tool_use_error>InputValidationError: Read failed</tool_use_error>", {}, "invalid_arguments"),
        ("Exit code 143\nCommand timed out after 1s", {"permission_decision": {"decision": "accept"}}, "timeout"),
        ("File does not exist. Note: ...", {"permission_decision": {"decision": "accept"}}, "not_found"),
        ("Exit code 3\nbad", {"permission_decision": {"decision": "accept"}}, "error_payload"),
    ],
)  # fmt: skip
def test_how_a_tool_failed(claude, seen, text, meta, kind):
    ask(claude([init(), said("m1", use("t1")), got("t1", text, is_error=True, **meta), said("m2", "Sorry."), result()]))
    seen.agent()
    assert seen.execute_tool[0].attributes["agent.error.class"] == kind


def test_subagents_are_runs_inside_of_the_run(claude, seen):
    ask(claude([
        init(), said("m1", use("t1", "Task", subagent_type="reader"), use("t2", "Task")),
        said("a1", "x", lane="t1"), said("b1", "y", lane="t2"), said("a1", use("t3"), lane="t1"),
        said("b1", use("t4"), lane="t2"), got("t3", "3", lane="t1"), got("t4", "4", lane="t2"),
        said("a2", "done", lane="t1"), got("t1", "1"), said("b2", "done", lane="t2"), got("t2", "2"),
        said("m2", "Done."), result({MODEL: sums(60, 6)}),
    ]))  # fmt: skip
    reader, other, run = seen.invoke_agent
    assert [span.name for span in (reader, other, run)] == [
        "invoke_agent reader", "invoke_agent subagent", "invoke_agent claude",
    ]  # fmt: skip
    for span in (reader, other):
        assert span.attributes["agent.run.parent_id"] == run.attributes["agent.run.id"]
        assert span.attributes["session.id"] == "s1"
        assert span.parent.span_id == run.context.span_id
        assert [span.attributes[f"agent.run.{what}"] for what in ("steps", "model_calls", "tool_calls")] == [2, 2, 1]
        assert span.attributes["agent.run.stop_reason"] == "completed"
    assert [run.attributes[f"agent.run.{what}"] for what in ("steps", "model_calls", "tool_calls")] == [2, 6, 4]
    assert run.attributes["agent.run.input_tokens"] == 60
    assert run.attributes["agent.run.output_tokens"] == 6
    assert len(seen.chat) == 6


def test_a_subagent_in_the_background_outlives_its_call(claude, seen):
    first = [
        init(), *pieces("m1", use("t1", "Task"), output=50, stop="tool_use"), started("t1"), got("t1", "launched"),
        *pieces("m2", "Started.", output=70), said("s1", use("u1"), input=311, lane="t1"),
        result({MODEL: sums(331, 151)}),
    ]  # fmt: skip
    later = [
        got("u1", "seen", lane="t1"), said("s2", "sub done", input=411, lane="t1"), *done("t1", total=411 + 41),
        init(), *pieces("m3", "All done.", output=80), result({MODEL: sums(752, 272)}),
    ]  # fmt: skip

    async def main():
        async with ClaudeSDKClient(claude([*first, *later])) as client:
            await client.query("one")
            for _ in range(2):
                [message async for message in client.receive_response()]

    asyncio.run(main())
    main_run, sub, again = seen.invoke_agent
    assert sub.name == "invoke_agent general-purpose"
    assert sub.attributes["agent.run.parent_id"] == main_run.attributes["agent.run.id"]
    assert (sub.attributes["agent.run.model_calls"], sub.attributes["agent.run.output_tokens"]) == (2, 72)
    assert again.attributes["agent.run.input_tokens"] == 10
    told = {call.attributes["gen_ai.response.id"]: call.attributes["gen_ai.usage.output_tokens"] for call in seen.chat}
    assert told == {"m1": 50, "m2": 70, "s1": 31, "s2": 41, "m3": 80}
    assert {call.attributes["agent.usage.source"] for call in seen.chat} == {"provider"}


def test_a_tool_of_this_process_that_a_subagent_calls_is_the_subagents(claude, seen):
    @tool("look", "The weather of a city.", {"city": str})
    async def look(args):
        return {"content": [{"type": "text", "text": "rain"}]}

    part = [
        init(), said("m1", use("t1", "Task")), said("s1", use("u1", "mcp__weather__look", city="Bergen"), lane="t1"),
        {"call": ["weather", "look", {"city": "Bergen"}, "u1"]}, said("s2", "Rain.", lane="t1"), got("t1", "Rain."),
        said("m2", "Rain."), result(),
    ]  # fmt: skip
    ask(claude(part, mcp_servers={"weather": create_sdk_mcp_server("weather", tools=[look])}))
    sub, run = seen.invoke_agent
    assert [(s.attributes["gen_ai.tool.name"], s.attributes["agent.run.id"]) for s in seen.execute_tool] == [
        ("mcp__weather__look", sub.attributes["agent.run.id"]), ("Task", run.attributes["agent.run.id"]),
    ]  # fmt: skip


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
        (result(terminal_reason="hook_stopped"), "denied"),
        (result(subtype="error_during_execution", terminal_reason="aborted_tools"), "cancelled"),
        (result(subtype="error_max_turns", terminal_reason="max_turns"), "max_steps"),
    ],
)
def test_how_it_ends(claude, seen, end, reason):
    ask(claude([init(), said("m1", "x"), end]))
    seen.agent(model_calls=1, tool_calls=0, reason=reason)


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"api_error_status": 529, "api_error_type": "overloaded_error"}, "upstream_error"),
        ({"error": "rate_limit", "api_error_status": 429}, "rate_limited"),
        ({"error": "authentication_failed", "api_error_status": 401}, "auth"),
        ({"error": "model_not_found", "api_error_status": 404}, "not_found"),
        ({"error": "unknown", "api_error_status": None}, "connection"),
        (
            {"error": "invalid_request", "api_error_status": 400, "text": "Prompt is too long · 250000"},
            "context_length",
        ),
    ],
)
def test_a_request_that_failed_is_a_call_without_an_answer(claude, seen, more, error):
    more = dict(more)
    failed = wrote(more.pop("text", "API Error"), **more)
    end = result(is_error=True, terminal_reason="api_error", stop_reason="stop_sequence")
    with pytest.raises(Exception, match="returned an error result"):
        ask(claude([init(), status("requesting"), retry(1), retry(2, None, "unknown", 1000), failed, end, {"exit": 1}]))
    run = seen.agent(model_calls=1, tool_calls=0, reason="model_error")
    (call,) = seen.chat
    assert call.name == f"chat {MODEL}"
    assert call.attributes["agent.error.class"] == run.attributes["agent.error.class"] == error
    assert call.attributes["agent.usage.source"] == "unknown"
    assert "gen_ai.response.model" not in call.attributes
    assert call.attributes["agent.retry.attempts"] == 3
    assert call.attributes["agent.retry.errors"] == ("upstream_error", "connection")
    assert call.attributes["agent.retry.wait"] == run.attributes["agent.run.retry_wait"] == 1.5


@pytest.mark.parametrize(
    ("stop", "written", "reason"),
    [
        ("max_tokens", wrote(error="max_output_tokens"), "max_tokens"),
        ("refusal", wrote(error="invalid_request", refused_message_id="m1"), "content_filter"),
    ],
)
def test_what_the_process_says_of_an_answer_is_no_call(claude, seen, stop, written, reason):
    end = result({MODEL: sums(10, 5)}, is_error=True, terminal_reason="api_error", stop_reason="stop_sequence")
    ask(claude([init(), *pieces("m1", "cut", output=5, stop=stop), written, end]))
    seen.agent(model_calls=1, tool_calls=0, reason=reason)


def test_a_model_that_stands_in_for_another(claude, seen):
    switched = system("model_fallback", trigger="overloaded", original_model=MODEL, fallback_model="claude-haiku-4-5")
    answer = said("m1", "Done.", model="claude-haiku-4-5")
    ask(claude([init(), retry(1), retry(2), switched, answer, result({"claude-haiku-4-5": sums(10, 1)})]))
    seen.agent(tool_calls=0)
    failed, call = seen.chat
    assert (failed.attributes["gen_ai.request.model"], failed.attributes["agent.error.class"]) == (
        MODEL,
        "upstream_error",
    )
    assert failed.attributes["agent.retry.attempts"] == 3
    assert call.attributes["agent.fallback.for"] == MODEL
    assert "agent.retry.attempts" not in call.attributes


def test_a_permission_that_is_refused_for_good(claude, seen):
    refused = got("t1", "no way", is_error=True, non_execution_kind="permission-rule")
    end = result(subtype="error_during_execution", terminal_reason="aborted_tools")
    ask(claude([init(), said("m1", use("t1", "Write")), refused, end]))
    seen.agent(model_calls=1, reason="denied")


@pytest.mark.parametrize("last", [AssistantMessage, ResultMessage])
def test_who_leaves_a_query_has_a_run_that_is_over(claude, seen, last, recwarn):
    said, options = [], claude(WHOLE if last is ResultMessage else [*WHOLE[:4], {"type": "until_left"}])

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(repr(context["asyncgen"])))
        async for message in query(prompt="x", options=options):
            if isinstance(message, last):
                break

    asyncio.run(main())
    assert all("_process_query_inner" in generator for generator in said), "the SDK itself closes this one twice then"
    if last is ResultMessage:
        seen.agent()
    else:
        seen.agent(model_calls=1, tool_calls=0, reason="cancelled")
        assert seen.chat[0].attributes["gen_ai.usage.input_tokens"] == 110


def test_a_query_is_closed_by_hand(claude, seen):
    async def main():
        messages = query(prompt="x", options=claude(WHOLE))
        assert type(await messages.__anext__()).__name__ == "SystemMessage"
        await messages.aclose()

    asyncio.run(main())
    assert seen.invoke_agent[0].attributes["agent.run.stop_reason"] == "cancelled"


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
    ask(claude([{"environment": "TRACEPARENT"}, said("m1", "x"), result()]))
    run = seen.agent(model_calls=1, tool_calls=0)
    assert run.attributes["session.id"].split("-")[1:3] == [
        f"{run.context.trace_id:032x}", f"{run.context.span_id:016x}",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("ours", "given", "theirs"),
    [
        ("spanledger", {}, "none"),
        ("otlp,spanledger", {}, "otlp"),
        ("otlp", {}, "otlp"),
        ("spanledger", {"OTEL_TRACES_EXPORTER": "console"}, "console"),
    ],
)
def test_the_process_is_not_sent_to_an_exporter_of_ours(claude, seen, monkeypatch, ours, given, theirs):
    """It would send nothing at all then."""
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", ours)
    options = claude([{"environment": "OTEL_TRACES_EXPORTER"}, said("m1", "x"), result()], env=given)
    ask(options)
    assert seen.agent(model_calls=1, tool_calls=0).attributes["session.id"] == theirs
    assert options.env == given
