"""MCP, client and server, over stdio and in memory: one tool call, which knows its run on the other side."""

from __future__ import annotations

import asyncio
import json
import sys
import textwrap
import warnings

import pytest

pytest.importorskip("mcp", reason="mcp is not installed")
from importlib.metadata import version

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from pydantic import AnyUrl

import spanledger
from spanledger.frameworks._scopes import FrameworkTool
from spanledger.runs import decorate

pytestmark = pytest.mark.filterwarnings("ignore")
NEW = int(version("mcp").split(".")[0]) > 1
SERVER = """
    import json, sys
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
    path = sys.argv[1]
    class Lines(SpanExporter):
        def export(self, spans):
            with open(path, "a") as file:
                for s in spans:
                    file.write(json.dumps({
                        "name": s.name, "scope": s.instrumentation_scope.name, "attributes": dict(s.attributes),
                        "trace": s.context.trace_id, "parent": s.parent.span_id if s.parent else None,
                        "ok": s.status.is_ok or s.status.is_unset}, default=str) + "\\n")
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(Lines()))
    trace.set_tracer_provider(provider)
    from spanledger.frameworks import watch_frameworks
    watching = watch_frameworks()
    try:
        from mcp.server.mcpserver import MCPServer as Server
    except ImportError:
        from mcp.server.fastmcp import FastMCP as Server
    import spanledger
    server = Server("weather")
    @server.tool()
    @spanledger.tool("look", version="7")
    def look(city: str) -> str:
        return f"rain in {city}"
    @server.tool()
    def broken(city: str) -> str:
        raise ValueError(city)
    server.run()
"""


@pytest.fixture
def ask(tmp_path, watching):
    """Call tools of a server in a process of its own; gives results and what the server's spans say."""
    program, lines = tmp_path / "server.py", tmp_path / "spans.jsonl"
    program.write_text(textwrap.dedent(SERVER))

    def ask(*calls, run="agent", **options):
        async def main():
            parameters = StdioServerParameters(
                command=sys.executable, args=[str(program), str(lines)], env={"PYTHONPATH": "src"}
            )
            async with stdio_client(parameters) as streams, ClientSession(*streams) as session:
                await session.initialize()
                with spanledger.run(run, session_id="s1", user_id="u1") as active:
                    results = [await session.call_tool(name, {"city": "Bergen"}, **options) for name in calls]
                return active, results

        active, results = asyncio.run(main())
        served = [json.loads(line) for line in lines.read_text().splitlines()]
        return active, results, [s for s in served if s["attributes"].get("gen_ai.operation.name") == "execute_tool"]

    return ask


def test_a_call_is_one_tool_call_on_either_side(ask, seen):
    run, _, served = ask("look")
    (call,) = seen.execute_tool
    said = call.attributes
    assert said["gen_ai.tool.name"] == "look"
    assert said["agent.run.id"] == run.id
    assert said["agent.tool.status"] == "success"
    assert run.tool_calls == 1
    (there,) = served
    assert there["attributes"]["agent.run.id"] == run.id
    assert there["attributes"]["session.id"] == "s1"
    assert "user.id" not in there["attributes"]
    assert there["trace"] == call.context.trace_id
    assert there["parent"] == call.context.span_id
    assert there["attributes"]["agent.tool.version"] == "7"
    assert there["scope"] == ("mcp-python-sdk" if NEW else "spanledger")
    if NEW:
        assert said["mcp.method.name"] == "tools/call"
    for name in ("agent.tool.call.arguments.hash", "agent.tool.call.result.hash"):
        assert said[name]
        assert there["attributes"][name]


def test_is_error_is_a_failure(ask, seen):
    run, results, served = ask("broken")
    assert getattr(results[0], "isError", getattr(results[0], "is_error", None))
    (call,) = seen.execute_tool
    assert call.attributes["agent.error.class"] == "error_payload"
    assert not call.status.is_ok
    assert not call.status.is_unset
    assert served[0]["attributes"]["agent.tool.status"] == "error"
    assert not served[0]["ok"]
    assert run.tool_calls == 1


def test_no_second_client_span_for_a_tool_call(ask, spans, native):
    ask("look", "look")
    assert len([s for s in spans() if "tools/call" in s.name or s.name.startswith("execute_tool")]) == 2


def test_what_the_user_says_in_meta_stays(ask, seen):
    ask("look", meta={"traceparent": "mine"})
    assert len(seen.execute_tool) == 1


@pytest.mark.parametrize("framework", [False, True])
def test_in_one_process_it_is_one_span(watching, seen, spans, native, framework):
    if NEW:
        from mcp import Client
        from mcp.server.mcpserver import MCPServer as Server
    else:
        from mcp.server.fastmcp import FastMCP as Server
        from mcp.shared.memory import create_connected_server_and_client_session

    server = Server("weather")

    @server.tool()
    @spanledger.tool("look", version="7")
    def look(city: str) -> str:
        return f"rain in {city}"

    async def main():
        manager = Client(server) if NEW else create_connected_server_and_client_session(server._mcp_server)
        async with manager as client:
            with spanledger.run("agent") as run:
                asked = decorate(client.call_tool, lambda *_: FrameworkTool("look", {"city": "Bergen"}))
                await (asked if framework else client.call_tool)("look", {"city": "Bergen"})
        return run

    run = asyncio.run(main())
    assert run.tool_calls == 1
    (call,) = seen.execute_tool
    assert call.attributes["agent.tool.version"] == "7"
    assert call.attributes["agent.tool.call.result.hash"]
    assert not [span for span in spans() if "tools/call" in span.name]


OTHERS = """
    import json, sys
    from opentelemetry import baggage, trace
    path = sys.argv[1]
    from spanledger.frameworks import watch_frameworks
    watching = watch_frameworks()
    try:
        from mcp.server.mcpserver import MCPServer as Server
    except ImportError:
        from mcp.server.fastmcp import FastMCP as Server
    server = Server("notes")
    def told(what):
        with open(path, "a") as file:
            span = trace.get_current_span().get_span_context()
            file.write(json.dumps({"what": what, "trace": span.trace_id, **baggage.get_all()}) + "\\n")
        return what
    @server.resource("note://one")
    def one() -> str:
        return told("resource")
    @server.prompt()
    def ask() -> str:
        return told("prompt")
    server.run()
"""


def test_what_is_no_tool_call_knows_its_run_too(tmp_path, watching, seen):
    program, lines = tmp_path / "server.py", tmp_path / "told.jsonl"
    program.write_text(textwrap.dedent(OTHERS))

    async def main():
        parameters = StdioServerParameters(
            command=sys.executable, args=[str(program), str(lines)], env={"PYTHONPATH": "src"}
        )
        async with stdio_client(parameters) as streams, ClientSession(*streams) as session:
            await session.initialize()
            with spanledger.run("agent", session_id="s1", user_id="u1") as run:
                listed = await session.list_tools()  # no parameters of its own
                read = await session.read_resource("note://one" if NEW else AnyUrl("note://one"))
                got = await session.get_prompt("ask")
            return run, listed, read, got

    run, listed, read, got = asyncio.run(main())
    assert (listed.tools, read.contents[0].text, got.messages[0].content.text) == ([], "resource", "prompt")
    (root,) = seen.invoke_agent
    for line in map(json.loads, lines.read_text().splitlines()):
        assert (line["agent.run.id"], line["session.id"]) == (run.id, "s1")
        assert "user.id" not in line
        assert line["trace"] == root.context.trace_id
    assert run.tool_calls == 0


@pytest.mark.skipif(NEW, reason="version 2 writes it where it sends")
def test_the_users_request_is_left_as_it_is(watching):
    from mcp import types

    from spanledger.frameworks.mcp import _with_meta

    meta = types.RequestParams.Meta(traceparent="mine", progressToken=7)
    asked = types.ClientRequest(types.ListToolsRequest(params=types.PaginatedRequestParams(cursor="c", _meta=meta)))
    before = asked.model_dump()
    sent = _with_meta(asked, {"traceparent": "ours", "baggage": "a=b"}).model_dump(by_alias=True, exclude_none=True)
    assert sent["params"] == {"cursor": "c", "_meta": {"traceparent": "mine", "progressToken": 7, "baggage": "a=b"}}
    assert asked.model_dump() == before
    for empty in (types.PingRequest(), types.ListToolsRequest(), types.ListRootsRequest()):
        kind = types.ServerRequest if empty.method == "roots/list" else types.ClientRequest
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            said = _with_meta(kind(empty), {"baggage": "a=b"}).model_dump(by_alias=True, exclude_none=True, mode="json")
        assert said["params"] == {"_meta": {"baggage": "a=b"}}
