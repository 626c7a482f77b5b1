"""smolagents: runs and tools."""

from __future__ import annotations

import pytest

pytest.importorskip("smolagents", reason="smolagents is not installed")
from smolagents import AgentError, OpenAIServerModel, ToolCallingAgent, tool

pytestmark = pytest.mark.filterwarnings("ignore")


@tool
def look(city: str) -> str:
    """The weather of a city.

    Args:
        city: Where.
    """
    return f"rain in {city}"


LOOK = {"tool_calls": [{"name": "look", "arguments": {"city": "Bergen"}}]}
ANSWER = {"tool_calls": [{"name": "final_answer", "arguments": {"answer": "It rains in Bergen."}}]}


def agent(server, *tools, **options):
    model = OpenAIServerModel(model_id="gpt-4o-mini", api_base=f"{server.url}/v1", api_key="k")
    return ToolCallingAgent(tools=list(tools or (look,)), model=model, name="weather", description="d", verbosity_level=0, **options)


@pytest.mark.parametrize("stream", [False, True])
def test_a_run_is_one_run(model, seen, stream):
    server = model([LOOK, ANSWER])
    result = agent(server).run("Weather?", stream=stream)
    if stream:
        list(result)
    run = seen.agent()
    assert run.name == "invoke_agent weather"


def test_too_many_steps(model, seen):
    server = model([LOOK, LOOK, "It rains."])
    agent(server, max_steps=2).run("Weather?")
    (run,) = seen.invoke_agent
    assert run.attributes["agent.run.stop_reason"] == "max_steps"


def test_a_function_of_ours_is_one_call(model, seen, ours):
    agent(model([LOOK, ANSWER]), tool(ours)).run("Weather?")
    seen.agent()


def test_one_that_is_stopped(model, seen):
    server = model([LOOK, LOOK, LOOK])
    stopped = agent(server, step_callbacks=[lambda step, agent: agent.interrupt()])
    with pytest.raises(AgentError):
        stopped.run("Weather?")
    (run,) = seen.invoke_agent
    assert run.attributes["agent.run.stop_reason"] == "cancelled"
