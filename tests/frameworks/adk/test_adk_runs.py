"""Google ADK: a run, its calls, and ADK's own spans, which are completed or are ours."""

from __future__ import annotations

import pytest

pytest.importorskip("google.adk", reason="google-adk is not installed")
from google.adk.tools import BaseTool, FunctionTool
from google.genai import types
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from spanledger import runs
from spanledger.config import Settings
from spanledger.frameworks import watch_frameworks
from spanledger.instrument import instrument

pytestmark = pytest.mark.filterwarnings("ignore")
DONE = "It rains in Bergen."


def look(city: str) -> str:
    """The weather of a city."""
    return f"rain in {city}"


@pytest.fixture
def asks(calls):
    return calls("look", city="Bergen")


@pytest.mark.parametrize("version", ["1", "2"])
def test_an_agent_is_one_run(seen, adk, agent, asks, monkeypatch, version):
    monkeypatch.setenv("ADK_TELEMETRY_SCHEMA_VERSION_OPT_IN", version)
    events = adk.ask(agent("weather", asks, DONE, tools=[look]))
    assert events[-1].content.parts[0].text == DONE
    run = seen.agent()
    assert run.name == "invoke_agent weather"
    assert run.parent is None
    assert run.attributes["user.id"] == "u"
    assert run.attributes["gen_ai.agent.description"] == "Knows the weather."  # from ADK
    theirs = [*seen.generate_content, *seen.execute_tool]
    assert {span.instrumentation_scope.name for span in theirs} == {"gcp.vertex.agent"}
    assert len({span.context.trace_id for span in seen._spans()}) == 1
    assert {span.name for span in seen._spans()} & {"invocation", "invoke_workflow weather"} == set()
    assert seen.execute_tool[0].attributes["gen_ai.tool.call.id"]


def test_a_function_of_ours_is_one_call(seen, adk, agent, asks, ours):
    adk.ask(agent("weather", asks, DONE, tools=[ours]))
    seen.agent()


def test_a_tool_of_any_class_is_a_call(seen, adk, agent, asks):
    class Look(BaseTool):
        def _get_declaration(self):
            where = types.Schema(type="OBJECT", properties={"city": types.Schema(type="STRING")})
            return types.FunctionDeclaration(name=self.name, description=self.description, parameters=where)

        async def run_async(self, *, args, tool_context):
            return look(**args)

    adk.ask(agent("weather", asks, DONE, tools=[Look(name="look", description="The weather of a city.")]))
    seen.agent()
    assert seen.execute_tool[0].attributes["agent.tool.status"] == "success"


def test_a_call_that_somebody_is_to_confirm_interrupts(seen, adk, agent, asks):
    adk.ask(agent("weather", asks, DONE, tools=[FunctionTool(look, require_confirmation=True)]))
    assert [run.attributes["agent.run.stop_reason"] for run in seen.invoke_agent] == ["interrupted"]


def test_spans_that_go_to_another_backend_stay_there_and_whole(adk, agent_of, asks):
    """ADK's provider is the process's; ours is another one."""
    mine, theirs = InMemorySpanExporter(), InMemorySpanExporter()
    other, processor = TracerProvider(), SimpleSpanProcessor(theirs)
    other.add_span_processor(SimpleSpanProcessor(mine))
    trace.get_tracer_provider().add_span_processor(processor)
    runs.use_provider(other)
    with instrument(Settings(), tracer_provider=other), watch_frameworks():
        adk.ask(agent_of("weather", asks, DONE, tools=[look]))
    processor.shutdown()
    (run,) = [span for span in mine.get_finished_spans() if "agent.run.status" in span.attributes]
    assert (run.name, run.attributes["agent.run.model_calls"]) == ("invoke_agent weather", 2)
    names = [span.name for span in theirs.get_finished_spans()]
    assert (names.count("invoke_agent weather"), names.count("invoke_workflow weather")) == (1, 1)


def test_what_is_undone_is_gone(exporter, adk, agent_of, asks, provider):
    with watch_frameworks():
        pass
    adk.ask(agent_of("weather", asks, DONE, tools=[look]))
    names = [span.name for span in exporter.get_finished_spans()]
    assert {"invoke_workflow weather", "invoke_agent weather"} <= {*names}
    assert not [span for span in exporter.get_finished_spans() if "agent.run.id" in span.attributes]
