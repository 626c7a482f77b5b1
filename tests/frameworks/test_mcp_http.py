"""MCP over streamable HTTP on loopback: run, step and baggage in ``_meta`` and in the headers, both ways."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import textwrap
import urllib.request

import pytest

pytest.importorskip("mcp", reason="mcp is not installed")
from importlib.metadata import version

from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

import spanledger

pytestmark = pytest.mark.filterwarnings("ignore")
NEW = int(version("mcp").split(".")[0]) > 1
SERVER = """
    import json, socket, sys
    import uvicorn
    from opentelemetry import baggage, trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
    path = sys.argv[1]
    def write(**line):
        with open(path, "a") as file:
            file.write(json.dumps(line, default=str) + "\\n")
    class Lines(SpanExporter):
        def export(self, spans):
            for s in spans:
                write(span=s.name, attributes=dict(s.attributes), trace=format(s.context.trace_id, "032x"),
                      parent=format(s.parent.span_id, "016x") if s.parent else None)
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(Lines()))
    trace.set_tracer_provider(provider)
    if "watched" in sys.argv:
        from spanledger.frameworks import watch_frameworks
        watching = watch_frameworks()
    options = {"stateless_http": True, "json_response": True}
    try:
        from mcp.server.mcpserver import MCPServer
        server = MCPServer("weather")
        app = lambda: server.streamable_http_app(**options)
    except ImportError:
        from mcp.server.fastmcp import FastMCP
        server = FastMCP("weather", **options)
        app = server.streamable_http_app
    @server.tool()
    def look(city: str) -> str:
        return f"run {baggage.get_baggage('agent.run.id')}"
    inner = app()
    async def logged(scope, receive, send):
        if scope["type"] == "http":
            write(headers={k.decode(): v.decode() for k, v in scope["headers"]})
        await inner(scope, receive, send)
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    print(listening.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(logged, log_level="error")).run(sockets=[listening])
"""


class Server:
    """A server in a process of its own; `lines` is what it saw and what its spans say."""

    def __init__(self, folder, *more):
        program, self._lines = folder / "server.py", folder / "lines.jsonl"
        program.write_text(textwrap.dedent(SERVER))
        command = [sys.executable, str(program), str(self._lines), *more]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": "src"})
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}/mcp"

    def lines(self, kind):
        found = [json.loads(line) for line in self._lines.read_text().splitlines()]
        return [line for line in found if kind in line]

    def called(self):
        """The headers of the requests that carried something."""
        return [line["headers"] for line in self.lines("headers") if "baggage" in line["headers"]]

    def tool_spans(self):
        spans = self.lines("span")
        return [s for s in spans if s["attributes"].get("gen_ai.operation.name") == "execute_tool"]


@pytest.fixture
def server(tmp_path):
    """Start servers; *more* are their arguments."""
    started = []

    def start(*more):
        started.append(Server(tmp_path, *more))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()
        one.process.stdout.close()


async def _ask(url, what):
    async with streamable_http_client(url) as streams, ClientSession(*streams[:2]) as session:
        await session.initialize()
        with spanledger.run("agent", session_id="s1", user_id="u1") as run:
            return run, await what(session)


def _look(session):
    return session.call_tool("look", {"city": "Bergen"})


def test_a_call_carries_its_run_in_meta_and_in_headers(watching, server, seen):
    there = server("watched")
    run, result = asyncio.run(_ask(there.url, _look))
    assert result.content[0].text == f"run {run.id}"
    (call,) = seen.execute_tool
    headers = there.called()[0]  # version 2 asks for the tools' schemas after it
    assert f"agent.run.id={run.id}" in headers["baggage"]
    assert "session.id=s1" in headers["baggage"]
    assert "u1" not in headers["baggage"]
    assert headers["traceparent"].split("-")[1:3] == [f"{call.context.trace_id:032x}", f"{call.context.span_id:016x}"]
    (served,) = there.tool_spans()
    assert served["attributes"]["agent.run.id"] == run.id
    assert served["attributes"]["session.id"] == "s1"
    assert (served["trace"], served["parent"]) == (f"{call.context.trace_id:032x}", f"{call.context.span_id:016x}")


def test_headers_reach_a_server_that_knows_nothing_of_us(watching, server):
    there = server()
    run, _ = asyncio.run(_ask(there.url, _look))
    headers = there.called()[0]  # version 2 asks for the tools' schemas after it
    assert f"agent.run.id={run.id}" in headers["baggage"]


def test_other_requests_carry_it_too(watching, server):
    there = server("watched")
    run, _ = asyncio.run(_ask(there.url, lambda session: session.list_tools()))
    (headers,) = there.called()
    assert f"agent.run.id={run.id}" in headers["baggage"]
    if NEW:  # version 1 makes no span of it
        (served,) = [s for s in there.lines("span") if s["span"] == "tools/list"]
        assert served["attributes"]["agent.run.id"] == run.id


def test_outside_of_a_run_nothing_is_added(watching, server):
    there = server()

    async def main():
        async with streamable_http_client(there.url) as streams, ClientSession(*streams[:2]) as session:
            await session.initialize()

    asyncio.run(main())
    assert there.called() == []


def test_a_server_reads_the_headers_where_meta_says_nothing(server):
    there = server("watched")
    run, trace, span = "1" * 32, "2" * 32, "3" * 16
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
    }  # fmt: skip
    params = {"name": "look", "arguments": {"city": "Bergen"}, **({"_meta": meta} if NEW else {})}
    headers = {
        "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": "2026-07-28" if NEW else "2025-06-18", "Mcp-Method": "tools/call", "Mcp-Name": "look",
        "traceparent": f"00-{trace}-{span}-01", "baggage": f"agent.run.id={run},agent.step.id={run}.4,session.id=s2",
    }  # fmt: skip
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
    with urllib.request.urlopen(urllib.request.Request(there.url, body, headers)) as answer:
        assert json.load(answer)["result"]["content"][0]["text"] == f"run {run}"
    (served,) = there.tool_spans()
    said = served["attributes"]
    assert (said["agent.run.id"], said["agent.step.id"], said["session.id"]) == (run, f"{run}.4", "s2")
    assert (served["trace"], served["parent"]) == (trace, span)
