"""CrewAI: agents that delegate, agents alone, crews that stream, flows."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("crewai", reason="crewai is not installed")
from crewai import LLM, Agent, Crew, Flow, Task
from crewai.flow.flow import listen, start
from crewai.tools import tool

pytestmark = pytest.mark.filterwarnings("ignore")


@tool("Look out")
def look(city: str) -> str:
    """The weather of a city."""
    return f"rain in {city}"


@pytest.fixture
def agent(model, monkeypatch):
    """Make an agent with a model of its own, which says *turns* in order."""
    monkeypatch.setenv("CREWAI_DISABLE_TELEMETRY", "true")

    def make(role, *turns, **more):
        llm = LLM(model="openai/gpt-4o-mini", base_url=f"{model(turns).url}/v1", api_key="k")
        return Agent(role=role, goal="tell", backstory="knows", llm=llm, **more)

    return make


def crew(*agents, **more):
    task = Task(description="Weather?", expected_output="weather", agent=agents[0])
    return Crew(name="crew", agents=list(agents), tasks=[task], **more)


def call(name, **arguments):
    return {"tool_calls": [{"name": name, "arguments": arguments}]}


def runs_of(seen):
    keys = ("stop_reason", "model_calls", "tool_calls")
    said = [span.attributes for span in seen.invoke_agent]
    return [(one["gen_ai.agent.name"], *(one[f"agent.run.{key}"] for key in keys)) for one in said]


def test_a_delegation_is_one_call_under_the_name_that_the_model_gave(seen, agent):
    asked = call("delegate_work_to_coworker", task="Look.", context="Rain?", coworker="weather")
    crew(agent("front", asked, "It rains.", allow_delegation=True), agent("weather", "Rain.")).kickoff()
    assert runs_of(seen) == [("crew", "completed", 3, 1)]
    assert [span.attributes["gen_ai.tool.name"] for span in seen.execute_tool] == ["delegate_work_to_coworker"]


@pytest.mark.parametrize("how", ["kickoff", "kickoff_async", "in a loop"])
def test_an_agent_alone_is_a_run(seen, agent, how):
    alone = agent("weather", call("look_out", city="Bergen"), "It rains.", tools=[look])

    async def ask():
        asked = alone.kickoff_async("Weather?") if how == "kickoff_async" else alone.kickoff("Weather?")
        return await asked

    said = alone.kickoff("Weather?") if how == "kickoff" else asyncio.run(ask())
    assert said.raw == "It rains."
    assert seen.agent().attributes["gen_ai.agent.name"] == "weather"


def test_a_crew_that_streams_is_one_run(seen, agent):
    stream = crew(agent("weather", "It rains."), stream=True).kickoff()
    list(stream)
    assert stream.result.raw == "It rains."
    assert runs_of(seen) == [("crew", "completed", 1, 0)]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_flow_is_a_run_and_its_crews_are_runs_inside(seen, agent, asynchronous):
    weather, coat = agent("weather", "It rains."), agent("coat", "Take one.")

    class Day(Flow):
        @start()
        def first(self):
            return crew(weather).kickoff().raw

        @listen(first)
        def then(self, said):
            return coat.kickoff(said).raw

    said = asyncio.run(Day().kickoff_async()) if asynchronous else Day().kickoff()
    assert said == "Take one."
    assert runs_of(seen) == [("crew", "completed", 1, 0), ("coat", "completed", 1, 0), ("Day", "completed", 2, 0)]
    *inner, outer = seen.invoke_agent
    assert {run.attributes["agent.run.parent_id"] for run in inner} == {outer.attributes["agent.run.id"]}
    assert {span.context.trace_id for span in seen._spans()} == {outer.context.trace_id}


def test_a_flow_that_fails(watching, seen):
    class Day(Flow):
        @start()
        def first(self):
            raise TimeoutError

    with pytest.raises(TimeoutError):
        Day().kickoff()
    assert [run[:2] for run in runs_of(seen)] == [("Day", "timeout")]
