"""
The real Claude Code, through its SDK, with a scripted model on loopback: what we say is what the model sold.

Every way out but loopback is closed to it: its home is a scratch folder, its key is none, its proxy leads nowhere.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import warnings
from pathlib import Path

import pytest

sdk = pytest.importorskip("claude_agent_sdk", reason="claude-agent-sdk is not installed")
PROGRAM = Path(sdk.__file__).parent / "_bundled" / "claude"
if not PROGRAM.exists():
    pytest.skip("CLAUDE CODE IS NOT HERE: this wheel of claude-agent-sdk does not hold it", allow_module_level=True)

from spanledger.ledger import ledger  # noqa: E402 - not without the program
from spanledger.testing import ScriptedServer  # noqa: E402 - same

pytestmark = pytest.mark.filterwarnings("ignore")
MODEL = "claude-sonnet-4-5"
NOWHERE = "http://127.0.0.1:9"


def calls(*tools, text="", **usage):
    asked = [{"name": name, "arguments": arguments} for name, arguments in tools]
    return {
        "text": text,
        "tool_calls": asked,
        "usage": usage or {"input": 1000, "output": 50, "cached": 300, "cache_write": 200},
    }


def bash(command, **more):
    return ("Bash", {"command": command, "description": "d", **more})


DONE = {"text": "Done.", "usage": {"input": 1200, "output": 70, "cached": 1000}}
OVERLOADED = {"rules": [{"turn": {"error": {"status": 529, "message": "Overloaded"}}}]}
HELPER = [
    {
        "user_contains": "SUBTASK",
        "tool_contains": "below",
        "turn": {"text": "Below.", "usage": {"input": 411, "output": 41}},
    },
    {"user_contains": "SUBTASK", "turn": calls(bash("echo below"), text="I look.", input=311, output=31)},
]


@pytest.fixture
def model(monkeypatch, watching):
    """Start a scripted model for Claude Code."""
    for name in list(os.environ):
        if name.startswith(("ANTHROPIC_", "CLAUDE", "AWS_", "GOOGLE_", "VERTEX_", "MCP_")) or name.lower().endswith(
            "_proxy"
        ):
            monkeypatch.delenv(name)
    started = []

    def start(turns):
        started.append(ScriptedServer(turns if isinstance(turns, dict) else list(turns)).start())
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture
def options(tmp_path):
    def make(server, env=None, **given):
        (tmp_path / "work").mkdir(exist_ok=True)
        (tmp_path / "home").mkdir(exist_ok=True)
        (tmp_path / "work" / "note.txt").write_text("a note\n")
        return sdk.ClaudeAgentOptions(**{
            "cli_path": str(PROGRAM), "cwd": str(tmp_path / "work"), "model": MODEL, "setting_sources": [],
            "allowed_tools": ["Bash", "Read", "Task"], **given, "env": {
                "HOME": str(tmp_path / "home"), "ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": "none",
                "DISABLE_TELEMETRY": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1",
                "HTTPS_PROXY": NOWHERE, "HTTP_PROXY": NOWHERE, "NO_PROXY": "127.0.0.1", **(env or {}),
            },
        })  # fmt: skip

    return make


async def all_of(messages):
    return [message async for message in messages]


@pytest.fixture
def ask(model, options):
    """Ask once; gives the server and the messages, the exception that they ended on included."""

    def ask(turns, **given):
        server, found = model(turns), []

        async def main():
            try:
                async for message in sdk.query(prompt="Please look", options=options(server, **given)):
                    found.append(message)  # noqa: PERF401 - kept when an exception ends it
            except Exception as error:  # noqa: BLE001 - it is what the caller gets
                found.append(error)

        with warnings.catch_warnings():
            asyncio.run(main())
        return server, found

    return ask


def sold(server):
    """What the model sold, an answer a row."""
    turns = [request.turn for request in server.requests if request.turn is not None and request.turn.answers]
    return sorted((turn.usage.input, turn.usage.cached, turn.usage.cache_write, turn.usage.output) for turn in turns)


def told(seen):
    """What our spans say that the model sold."""
    rows = []
    for span in seen.chat:
        said = span.attributes
        if "agent.error.class" not in said:
            cache = [said.get(f"gen_ai.usage.cache_{what}.input_tokens", 0) for what in ("read", "creation")]
            rows.append((said["gen_ai.usage.input_tokens"], *cache, said["gen_ai.usage.output_tokens"]))
    return sorted(rows)


def tools(seen):
    return [(s.attributes["gen_ai.tool.name"], s.attributes.get("agent.error.class")) for s in seen.execute_tool]


def test_a_run_its_steps_its_tools_and_what_they_cost(ask, seen, tmp_path):
    note = str(tmp_path / "work" / "note.txt")
    server, messages = ask(
        [calls(bash("sleep 0.3; echo hello"), text="I look."), calls(("Read", {"file_path": note})), DONE]
    )
    result = messages[-1]
    run = seen.agent(model_calls=3, tool_calls=2)
    assert told(seen) == sold(server)
    assert {span.attributes["agent.usage.source"] for span in seen.chat} == {"provider"}
    assert [span.attributes["agent.step.number"] for span in seen.chat] == [1, 2, 3]
    assert [span.attributes["gen_ai.response.finish_reasons"][0] for span in seen.chat] == [
        "tool_use",
        "tool_use",
        "end_turn",
    ]
    assert run.attributes["session.id"] == result.session_id
    shell, read = seen.execute_tool
    assert tools(seen) == [("Bash", None), ("Read", None)]
    assert shell.attributes["agent.tool.duration"] >= 0.3
    assert shell.attributes["agent.step.number"] == 1
    assert read.attributes["gen_ai.tool.call.id"].startswith("toolu_")
    (account,) = [run for run in ledger if run.name == "claude"]
    assert float(account.cost) == pytest.approx(result.total_cost_usd)


def test_the_program_sees_what_it_saw_without_us(model, options, seen):
    def kinds(**given):
        messages = asyncio.run(
            all_of(sdk.query(prompt="x", options=options(model([calls(bash("true")), DONE]), **given)))
        )
        return [(type(message).__name__, getattr(message, "subtype", None)) for message in messages]

    assert kinds() == [
        ("SystemMessage", "init"), ("AssistantMessage", None), ("UserMessage", None), ("AssistantMessage", None),
        ("ResultMessage", "success"),
    ]  # fmt: skip
    assert ("StreamEvent", None) in kinds(include_partial_messages=True)


def test_a_client_of_several_requests(model, options, seen):
    server = model([calls(bash("echo one")), DONE, DONE])

    async def main():
        async with sdk.ClaudeSDKClient(options(server)) as client:
            for prompt in ("one", "two"):
                await client.query(prompt)
                await all_of(client.receive_response())

    asyncio.run(main())
    assert [run.attributes["agent.run.model_calls"] for run in seen.invoke_agent] == [2, 1]
    assert len({run.attributes["session.id"] for run in seen.invoke_agent}) == 1
    assert told(seen) == sold(server)


def test_a_session_that_is_resumed(model, options, seen):
    server = model([DONE] * 2)

    async def main():
        first = await all_of(sdk.query(prompt="one", options=options(server)))
        await all_of(sdk.query(prompt="two", options=options(server, resume=first[-1].session_id)))

    asyncio.run(main())
    assert [run.attributes["agent.run.model_calls"] for run in seen.invoke_agent] == [1, 1]
    assert len({run.attributes["session.id"] for run in seen.invoke_agent}) == 1
    assert told(seen) == sold(server)


def test_a_subagent_that_is_waited_for(model, options, seen):
    task = (
        "Task",
        {"description": "d", "prompt": "SUBTASK go", "subagent_type": "general-purpose", "run_in_background": False},
    )
    server = model({"rules": [{**HELPER[0], "tool_contains": None}], "turns": [calls(task), DONE]})
    asyncio.run(all_of(sdk.query(prompt="Please look", options=options(server))))
    sub, run = seen.invoke_agent
    assert told(seen) == sold(server)
    inside = [call for call in seen.chat if call.attributes["agent.run.id"] == sub.attributes["agent.run.id"]]
    assert [call.attributes["gen_ai.usage.output_tokens"] for call in inside] == [41]
    assert run.attributes["agent.run.model_calls"] == 3


def test_tools_of_this_process(ask, seen):
    @sdk.tool("look", "The weather", {"city": str})
    async def look(args):
        return {"content": [{"type": "text", "text": f"rain in {args['city']}"}]}

    @sdk.tool("late", "Never", {"city": str})
    async def late(args):
        raise TimeoutError(args["city"])

    names = ["mcp__weather__look", "mcp__weather__late"]
    server, _ = ask(
        [calls(*((name, {"city": "Bergen"}) for name in names), input=10, output=5), DONE], allowed_tools=names,
        mcp_servers={"weather": sdk.create_sdk_mcp_server("weather", tools=[look, late])},
    )  # fmt: skip
    seen.agent(tool_calls=2)
    assert sorted(tools(seen)) == [("mcp__weather__late", "timeout"), ("mcp__weather__look", None)]
    assert all("agent.tool.inferred" not in span.attributes for span in seen.execute_tool)
    asked = [call for request in server.requests for call in str(request.body).split("'") if call.startswith("toolu_")]
    assert {span.attributes["gen_ai.tool.call.id"] for span in seen.execute_tool} == set(asked)


SERVER = """
import sys
try:
    from mcp.server import MCPServer as Server
except ImportError:
    from mcp.server.fastmcp import FastMCP as Server
server = Server("sums")
@server.tool()
def add(a: int, b: int) -> int:
    return a + b
@server.tool()
def fail(a: int) -> int:
    raise ValueError("no")
server.run()
"""


def test_tools_of_another_process(ask, seen, tmp_path):
    program = tmp_path / "server.py"
    program.write_text(SERVER)
    server, _ = ask(
        [calls(("mcp__sums__add", {"a": 1, "b": 2}), input=9, output=5), calls(("mcp__sums__fail", {"a": 1}), input=9, output=5), DONE],
        mcp_servers={"sums": {"type": "stdio", "command": sys.executable, "args": [str(program)]}},
        allowed_tools=["mcp__sums__add", "mcp__sums__fail"],
    )  # fmt: skip
    seen.agent(model_calls=3, tool_calls=2)
    assert tools(seen) == [("mcp__sums__add", None), ("mcp__sums__fail", "error_payload")]
    assert told(seen) == sold(server)


def test_a_subagent(model, options, seen):
    task = ("Task", {"description": "d", "prompt": "SUBTASK go", "subagent_type": "general-purpose"})
    server = model({"rules": HELPER, "turns": [calls(task, text="I delegate."), DONE, DONE, DONE]})
    messages = asyncio.run(all_of(sdk.query(prompt="Please look", options=options(server))))
    sub, run = sorted(seen.invoke_agent, key=lambda span: span.name, reverse=True)
    assert sub.name == "invoke_agent general-purpose"
    assert sub.attributes["agent.run.parent_id"] == run.attributes["agent.run.id"]
    assert sub.attributes["agent.run.stop_reason"] == run.attributes["agent.run.stop_reason"] == "completed"
    inside = [
        s for s in [*seen.chat, *seen.execute_tool] if s.attributes["agent.run.id"] == sub.attributes["agent.run.id"]
    ]
    assert sorted(span.name for span in inside) == [f"chat {MODEL}", f"chat {MODEL}", "execute_tool Bash"]
    assert told(seen) == sold(server)
    assert run.attributes["agent.run.model_calls"] == len(sold(server))
    (account,) = [run for run in ledger if run.name == "claude"]
    assert float(account.cost) == pytest.approx(messages[-1].total_cost_usd)


@pytest.mark.parametrize(
    ("tool", "kind"),
    [
        (("Write", {"file_path": "new.txt", "content": "x"}), "denied"),
        (("Nope", {"a": 1}), "unknown_tool"),
        (("Read", {"nope": 1}), "invalid_arguments"),
        (("Read", {"file_path": "missing.txt"}), "not_found"),
        (bash("sleep 20", timeout=500), "timeout"),
        (bash("exit 3"), "error_payload"),
    ],
)
def test_how_a_tool_fails(ask, seen, tool, kind):
    ask([calls(tool), DONE])
    seen.agent()
    assert tools(seen) == [(tool[0], kind)]


def test_a_hook_that_refuses(ask, seen):
    async def refuse(given, tool_use_id, context):
        return {
            "hookSpecificOutput": {
                "hookEventName": "PreToolUse",
                "permissionDecision": "deny",
                "permissionDecisionReason": "no",
            }
        }

    ask([calls(bash("echo x")), DONE], hooks={"PreToolUse": [sdk.HookMatcher(matcher="Bash", hooks=[refuse])]})
    seen.agent()
    assert tools(seen) == [("Bash", "denied")]


def test_a_callback_that_refuses_for_good(model, options, seen):
    async def refuse(name, given, context):
        return sdk.PermissionResultDeny(message="no way", interrupt=True)

    server = model([calls(("Write", {"file_path": "new.txt", "content": "x"})), DONE])

    async def main():
        async with sdk.ClaudeSDKClient(options(server, can_use_tool=refuse)) as client:
            await client.query("Write it")
            await all_of(client.receive_response())

    asyncio.run(main())
    seen.agent(model_calls=1, reason="denied")


@pytest.mark.parametrize(
    ("turns", "given", "reason"),
    [
        ([calls(bash("true"))] * 4, {"max_turns": 2}, "max_steps"),
        ([calls(bash("true"), input=100_000, output=50_000), DONE], {"max_budget_usd": 0.05}, "budget_exceeded"),
        ([{"text": "cut", "finish": "length", "usage": {"input": 10, "output": 5}}] * 8, {}, "max_tokens"),
        ([{"text": "no", "finish": "content_filter", "usage": {"input": 10, "output": 5}}] * 4, {}, "content_filter"),
    ],
)
def test_how_a_run_ends(ask, seen, turns, given, reason):
    server, messages = ask(turns, **given)
    assert isinstance(messages[-1], Exception)
    (run,) = seen.invoke_agent
    assert run.attributes["agent.run.stop_reason"] == reason
    assert run.attributes["agent.run.model_calls"] == len(sold(server))
    assert told(seen) == sold(server)


@pytest.mark.parametrize(
    ("status", "message", "error", "attempts"),
    [
        (529, "Overloaded", "upstream_error", 2), (429, "slow down", "rate_limited", 2),
        (401, "invalid x-api-key", "auth", 2),
        (400, "prompt is too long: 250000 tokens > 200000 maximum", "context_length", 1),
    ],
)  # fmt: skip
def test_a_model_that_fails(ask, seen, status, message, error, attempts):
    server, messages = ask(
        {"rules": [{"turn": {"error": {"status": status, "message": message}}}]}, env={"CLAUDE_CODE_MAX_RETRIES": "1"}
    )
    assert isinstance(messages[-1], Exception)
    run = seen.agent(model_calls=1, tool_calls=0, reason="model_error")
    assert seen.chat[0].attributes["agent.error.class"] == run.attributes["agent.error.class"] == error
    assert seen.chat[0].attributes.get("agent.retry.attempts", 1) == attempts == len(server.requests)


def test_a_model_that_recovers(ask, seen):
    server, _ = ask([{"error": {"status": 529, "message": "Overloaded"}}, DONE])
    seen.agent(model_calls=1, tool_calls=0)
    assert seen.chat[0].attributes["agent.retry.attempts"] == 2
    assert told(seen) == sold(server)


def test_a_model_that_stands_in(ask, seen):
    turns = {
        "rules": [{"model": "claude-opus-4-5", "turn": {"error": {"status": 529, "message": "Overloaded"}}}],
        "turns": [DONE],
    }
    server, _ = ask(turns, model="claude-opus-4-5", fallback_model=MODEL)
    failed, answered = seen.chat
    assert (failed.attributes["gen_ai.request.model"], failed.attributes["agent.error.class"]) == (
        "claude-opus-4-5",
        "upstream_error",
    )
    assert failed.attributes["agent.retry.attempts"] == len(server.requests) - 1
    assert answered.attributes["agent.fallback.for"] == "claude-opus-4-5"
    assert told(seen) == sold(server)


def test_an_interrupted_tool(model, options, seen, tmp_path):
    server, began = model([calls(bash("touch began; sleep 20")), DONE]), tmp_path / "work" / "began"

    async def main():
        async with sdk.ClaudeSDKClient(options(server)) as client:
            await client.query("Sleep")
            async for message in client.receive_messages():
                if isinstance(message, sdk.AssistantMessage):
                    while not began.exists():  # noqa: ASYNC110 - another process makes it
                        await asyncio.sleep(0.02)
                    await client.interrupt()
                    break
            await all_of(client.receive_response())
            await client.query("Go on")
            await all_of(client.receive_response())

    asyncio.run(main())
    assert [run.attributes["agent.run.stop_reason"] for run in seen.invoke_agent] == ["cancelled", "completed"]
    assert tools(seen) == [("Bash", "cancelled")]
    assert told(seen) == sold(server)


def test_who_leaves_early(model, options, seen):
    server = model([calls(bash("sleep 20")), DONE])

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # the SDK closes one generator twice then
        async for message in sdk.query(prompt="x", options=options(server)):
            if isinstance(message, sdk.AssistantMessage):
                break

    asyncio.run(main())
    seen.agent(model_calls=1, tool_calls=0, reason="cancelled")


def test_a_task_that_is_cancelled(model, options, seen):
    server, began = model([calls(bash("sleep 20")), DONE]), asyncio.Event()

    async def read():
        async for message in sdk.query(prompt="x", options=options(server)):
            if isinstance(message, sdk.AssistantMessage):
                began.set()

    async def main():
        task = asyncio.ensure_future(read())
        await began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    seen.agent(model_calls=1, tool_calls=0, reason="cancelled")


def test_its_own_telemetry_hangs_below_ours(model, options, seen, examples_sink):
    env = {
        "CLAUDE_CODE_ENABLE_TELEMETRY": "1", "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1", "DISABLE_TELEMETRY": "0",
        "OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json",
        "OTEL_EXPORTER_OTLP_ENDPOINT": examples_sink.url, "CLAUDE_CODE_OTEL_SHUTDOWN_TIMEOUT_MS": "5000",
    }  # fmt: skip
    asyncio.run(
        all_of(sdk.query(prompt="x", options=options(model([calls(bash("echo $TRACEPARENT")), DONE]), env=env)))
    )
    run = seen.agent()
    bodies = [json.loads(body) for path, body in examples_sink.bodies if path.endswith("traces")]
    theirs = [span for body in bodies for r in body["resourceSpans"] for s in r["scopeSpans"] for span in s["spans"]]
    assert theirs, "Claude Code makes spans of its own when it is told to"
    assert {span["traceId"] for span in theirs} == {f"{run.context.trace_id:032x}"}
    assert f"{run.context.span_id:016x}" in {span.get("parentSpanId") for span in theirs}
    priced = [
        a["key"]
        for span in theirs
        for a in span["attributes"]
        if "cost" in a["key"] or a["key"].startswith("gen_ai.usage")
    ]
    assert priced == [], "tokens and prices in the convention's spelling are ours alone"


@pytest.fixture
def examples_sink(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).resolve().parents[2] / "examples")
    from otlp_sink import OtlpSink

    with OtlpSink() as sink:
        yield sink
