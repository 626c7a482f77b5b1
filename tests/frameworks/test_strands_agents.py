"""Strands: graphs and swarms of agents are one run."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext

import pytest

pytest.importorskip("strands", reason="strands-agents is not installed")
import itertools

from opentelemetry import trace
from strands import Agent, tool
from strands.models.openai import OpenAIModel
from strands.multiagent import GraphBuilder, Swarm

pytestmark = pytest.mark.filterwarnings("ignore")


@tool
def look(city: str) -> str:
    """The weather of a city."""
    return f"rain in {city}"


@pytest.fixture(autouse=True)
def _spans_of_strands(provider, monkeypatch):
    monkeypatch.setattr("strands.telemetry.tracer._tracer_instance", None, raising=False)
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)


@pytest.fixture
def agent(model):
    """Make an agent with a model of its own, which says *turns* in order."""

    def make(name, *turns, **more):
        url = f"{model(turns).url}/v1"
        llm = OpenAIModel(client_args={"api_key": "k", "base_url": url, "max_retries": 0}, model_id="gpt-4o-mini")
        return Agent(model=llm, name=name, callback_handler=None, **more)

    return make


def call(name, **arguments):
    return {"tool_calls": [{"name": name, "arguments": arguments}]}


def over(name):
    return call("handoff_to_agent", agent_name=name, message="Over to you.")


def graph(*agents, **more):
    builder = GraphBuilder()
    nodes = [builder.add_node(one, getattr(one, "name", "inner")) for one in agents]
    for one, other in itertools.pairwise(nodes):
        builder.add_edge(one, other)
    builder.set_graph_id("team")
    for name, value in more.items():
        getattr(builder, name)(value)
    return builder.build()


def runs_of(seen):
    keys = ("stop_reason", "model_calls", "tool_calls")
    runs = [span for span in seen.invoke_agent if "agent.run.status" in span.attributes]
    return [(s.attributes["gen_ai.agent.name"], *(s.attributes[f"agent.run.{k}"] for k in keys)) for s in runs]


def test_a_swarm_is_one_run(seen, agent):
    front = agent("front", over("weather"), "Over.")
    weather = agent("weather", call("look", city="Bergen"), "It rains.", tools=[look])
    Swarm([front, weather], id="team")("Weather?")
    assert runs_of(seen) == [("team", "completed", 4, 2)]
    assert len({span.context.trace_id for span in seen._spans()}) == 1
    mine = {span.attributes["agent.run.id"] for span in [*seen.chat, *seen.execute_tool]}
    assert mine == {seen.invoke_agent[-1].attributes["agent.run.id"]}
    assert len(seen.execute_tool) == 2
    assert not seen.invoke_swarm


@pytest.mark.parametrize("how", ["call", "stream"])
def test_a_graph_is_one_run(seen, agent, how):
    team = graph(agent("weather", call("look", city="Bergen"), "It rains.", tools=[look]), agent("coat", "Yes."))
    if how == "call":
        team("Weather?")
    else:

        async def read():
            return [event async for event in team.stream_async("Weather?")]

        asyncio.run(read())
    assert runs_of(seen) == [("team", "completed", 3, 1)]
    assert not seen.invoke_graph


def test_a_swarm_in_a_graph_stays_in_the_run(seen, agent):
    inner = Swarm([agent("weather", "It rains.")], id="inner")
    graph(inner, agent("coat", "Yes."))("Weather?")
    assert runs_of(seen) == [("team", "completed", 2, 0)]
    assert len(seen.invoke_swarm) == 1


def test_a_swarm_that_goes_round_and_round(seen, agent):
    one, two = agent("one", *[over("two"), "Over."] * 5), agent("two", *[over("one"), "Over."] * 5)
    Swarm([one, two], id="team", max_handoffs=3)("Weather?")
    assert [run[:2] for run in runs_of(seen)] == [("team", "max_steps")]


@pytest.mark.parametrize("kind", ["swarm", "graph"])
def test_a_model_that_fails_ends_the_run(seen, agent, kind):
    fails = agent("weather", {"error": {"status": 400}})
    with nullcontext() if kind == "swarm" else pytest.raises(Exception, match="scripted failure"):
        (Swarm([fails], id="team") if kind == "swarm" else graph(fails))("Weather?")
    assert [run[:2] for run in runs_of(seen)] == [("team", "model_error")]


def test_an_agent_that_asks_interrupts_the_run(seen, agent):
    @tool(context=True)
    def look(city: str, tool_context) -> str:
        """The weather of a city."""
        return tool_context.interrupt("sure", reason="?")

    result = graph(agent("weather", call("look", city="Bergen"), "It rains.", tools=[look]))("Weather?")
    assert result.interrupts
    assert [run[:2] for run in runs_of(seen)] == [("team", "interrupted")]


def test_an_agent_that_is_a_tool_is_a_run_inside_of_the_call(seen, agent):
    weather = agent("weather", call("look", city="Bergen"), "It rains.", tools=[look])
    graph(agent("front", call("weather", input="Bergen?"), "Rain.", tools=[weather]))("Weather?")
    assert runs_of(seen) == [("weather", "completed", 2, 1), ("team", "completed", 4, 2)]
