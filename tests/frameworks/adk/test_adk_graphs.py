"""Google ADK 2: graphs of agents and functions."""

from __future__ import annotations

import pytest

pytest.importorskip("google.adk.workflow", reason="google-adk 2 is not installed")
from google.adk.tools import FunctionTool
from google.adk.tools._node_tool import NodeTool
from google.adk.workflow import START, Workflow
from pydantic import BaseModel

pytestmark = pytest.mark.filterwarnings("ignore")


class Asked(BaseModel):
    city: str


def look(city: str) -> str:
    """The weather of a city."""
    return f"rain in {city}"


def graph(agent, calls, **more):
    weather = agent("weather", calls("look", city="Bergen"), "It rains.", tools=[FunctionTool(look)])

    def note(node_input: str) -> str:
        return f"{node_input} Says who?"

    return Workflow(name="day", edges=[(START, weather, note, agent("coat", "Take one."))], **more)


def runs_of(seen):
    return [span for span in seen.invoke_agent if "agent.run.status" in span.attributes]


def test_a_graph_is_one_run(seen, adk, agent, shape, calls):
    adk.ask(graph(agent, calls))
    assert shape() == [("day", "completed", 3, 3, 1)]
    (run,) = runs_of(seen)
    assert {span.attributes["agent.run.id"] for span in seen.generate_content} == {run.attributes["agent.run.id"]}
    assert len({span.context.trace_id for span in seen._spans()}) == 1


def test_a_graph_in_a_graph_stays_in_the_run(seen, adk, agent, shape, calls):
    adk.ask(Workflow(name="week", edges=[(START, graph(agent, calls))]))
    assert shape() == [("week", "completed", 3, 3, 1)]
    assert [span.attributes["gen_ai.workflow.name"] for span in seen.invoke_workflow] == ["day"]


def test_a_graph_that_is_a_tool(seen, adk, agent, shape, calls):
    tool = NodeTool(graph(agent, calls, input_schema=Asked))
    adk.ask(agent("front", calls("day", city="Bergen"), "Rain.", tools=[tool]))
    assert shape() == [("day", "completed", 3, 3, 1), ("front", "completed", 2, 5, 2)]
    inner, outer = runs_of(seen)
    assert inner.attributes["agent.run.parent_id"] == outer.attributes["agent.run.id"]
    assert inner.attributes["session.id"] == outer.attributes["session.id"]
    (tool,) = [span for span in seen.execute_tool if span.attributes["gen_ai.tool.name"] == "day"]
    assert inner.parent.span_id == tool.context.span_id
    assert not seen.invoke_workflow
    assert len({span.context.trace_id for span in seen._spans()}) == 1
