"""smolagents: runs and tools."""

from __future__ import annotations

import pytest

pytest.importorskip("smolagents", reason="smolagents is not installed")
from smolagents import AgentError, CodeAgent, OpenAIServerModel, ToolCallingAgent, tool

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
    return ToolCallingAgent(
        tools=list(tools or (look,)), model=model, name="weather", description="d", verbosity_level=0, **options
    )


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


@pytest.mark.parametrize("how", ["tools", "code"])
def test_an_agent_that_is_managed_is_a_run_inside_of_a_call(model, seen, how):
    asked = {"tool_calls": [{"name": "weather", "arguments": {"task": "Bergen?"}}]}
    code = 'Ask.\n<code>\nfinal_answer(weather(task="Bergen?"))\n</code>'
    weather = agent(model([LOOK, ANSWER]))
    llm = OpenAIServerModel(
        model_id="gpt-4o-mini", api_base=f"{model([asked, ANSWER] if how == 'tools' else [code]).url}/v1", api_key="k"
    )
    kind = ToolCallingAgent if how == "tools" else CodeAgent
    kind(tools=[], model=llm, managed_agents=[weather], name="front", description="d", verbosity_level=0).run("Rain?")
    inner, outer = seen.invoke_agent
    assert [run.attributes["gen_ai.agent.name"] for run in (inner, outer)] == ["weather", "front"]
    assert inner.attributes["agent.run.parent_id"] == outer.attributes["agent.run.id"]
    look, weather = seen.execute_tool
    assert [span.attributes["gen_ai.tool.name"] for span in (look, weather)] == ["look", "weather"]
    assert (inner.parent.span_id, weather.parent.span_id) == (weather.context.span_id, outer.context.span_id)
    assert (inner.attributes["agent.run.tool_calls"], outer.attributes["agent.run.tool_calls"]) == (1, 2)
