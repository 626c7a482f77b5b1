"""LangSmith's OpenTelemetry export beside us: it has spans of its own for our calls, and each call has one price."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap

import pytest

pytest.importorskip("langsmith", reason="langsmith is not installed")
pytest.importorskip("langgraph", reason="langgraph is not installed")
pytest.importorskip("langchain_openai", reason="langchain-openai is not installed")

PROGRAM = """
    import json, sys
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    exporter = InMemorySpanExporter()
    def ours():
        import spanledger
        return spanledger.configure(exporters=[exporter], journal_off=True)
    def theirs():
        global create_agent, ChatOpenAI, get_client
        from langchain.agents import create_agent
        from langchain_openai import ChatOpenAI
        from langchain_core.tracers.langchain import get_client
    made = [part() for part in ((ours, theirs) if sys.argv[1] == "first" else (theirs, ours))]
    from spanledger.testing import ScriptedServer
    def look(city: str) -> str:
        "The weather of a city."
        return f"rain in {city}"
    with ScriptedServer([{"tool_calls": [{"name": "look", "arguments": {"city": "Bergen"}}]}, "It rains."]) as server:
        model = ChatOpenAI(model="gpt-4o-mini", base_url=f"{server.url}/v1", api_key="k")
        create_agent(model, [look], name="weather").invoke({"messages": [{"role": "user", "content": "Weather?"}]})
        get_client().flush()
    next(part for part in made if part is not None).force_flush()
    print(json.dumps([[s.instrumentation_scope.name, dict(s.attributes)] for s in exporter.get_finished_spans()], default=str))
"""


@pytest.mark.parametrize("order", ["first", "last"])
def test_each_call_has_one_price(order, tmp_path):
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("LANGSMITH", "LANGCHAIN"))},
        "PYTHONPATH": "src", "LANGSMITH_TRACING": "true", "LANGSMITH_OTEL_ENABLED": "true", "LANGSMITH_API_KEY": "k",
        "LANGSMITH_OTEL_ONLY": "true", "LANGSMITH_ENDPOINT": "http://127.0.0.1:9",
    }  # fmt: skip
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(PROGRAM))
    done = subprocess.run(
        [sys.executable, str(program), order], env=environment, capture_output=True, text=True, check=True
    )
    spans = [(scope, said) for scope, said in json.loads(done.stdout) if said.get("gen_ai.operation.name") == "chat"]
    ours = [said for scope, said in spans if scope == "spanledger"]
    theirs = [said for scope, said in spans if scope == "langsmith"]
    assert (len(ours), len(theirs)) == (2, 2)
    assert {said["agent.cost.status"] for said in ours} == {"priced"}
    assert {said["agent.cost.status"] for said in theirs} == {"counted_in_child"}
    assert not any("gen_ai.usage.cost.amount" in said for said in theirs)
