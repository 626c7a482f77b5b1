"""OpenAI Agents SDK: runs, tools, hand-offs, streams, stop reasons."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("agents", reason="openai-agents is not installed")
from agents import Agent, OpenAIResponsesModel, Runner, function_tool, set_tracing_disabled
from agents.exceptions import MaxTurnsExceeded
from openai import AsyncOpenAI

import spanledger

pytestmark = pytest.mark.filterwarnings("ignore")
AGAIN = {"tool_calls": [{"name": "look", "arguments": {"city": "Bergen"}}]}
set_tracing_disabled(True)


@function_tool
def look(city: str) -> str:
    """The weather of a city."""
    return f"rain in {city}"


@function_tool
def broken(city: str) -> str:
    """The weather of a city."""
    raise TimeoutError(city)


def llm():
    """A model with a client of its own: the shared one stays with the first event loop."""
    return OpenAIResponsesModel(model="gpt-4o-mini", openai_client=AsyncOpenAI())


def agent(*tools):
    return Agent(name="weather", model=llm(), tools=list(tools or (look,)))


@pytest.mark.parametrize("how", ["run", "run_sync", "run_streamed"])
def test_a_run_is_one_run(model, seen, how):
    model()

    async def run():
        if how == "run":
            return (await Runner.run(agent(), "Weather?")).final_output
        result = Runner.run_streamed(agent(), "Weather?")
        [event async for event in result.stream_events()]
        return result.final_output

    said = Runner.run_sync(agent(), "Weather?").final_output if how == "run_sync" else asyncio.run(run())
    assert said == "It rains in Bergen."
    run_span = seen.agent()
    assert run_span.name == "invoke_agent weather"
    (tool_span,) = seen.execute_tool
    assert tool_span.attributes["gen_ai.tool.name"] == "look"
    assert tool_span.attributes["gen_ai.tool.call.id"]


def test_a_tool_of_ours_is_one_call(model, seen):
    @function_tool(name_override="look")
    @spanledger.tool("look", version="2")
    def ours(city: str) -> str:
        """The weather of a city."""
        return f"rain in {city}"

    model()
    asyncio.run(Runner.run(agent(ours), "Weather?"))
    seen.agent()
    assert seen.execute_tool[0].attributes["agent.tool.version"] == "2"


def test_a_tool_that_fails_is_seen_behind_what_the_model_is_told(model, seen):
    model([{"tool_calls": [{"name": "broken", "arguments": {"city": "Bergen"}}]}, "Sorry."])
    asyncio.run(Runner.run(agent(broken), "Weather?"))
    seen.agent()
    assert seen.execute_tool[0].attributes["agent.error.class"] == "timeout"
    assert seen.execute_tool[0].attributes["agent.tool.status"] == "error"


@pytest.mark.parametrize("streamed", [False, True])
def test_too_many_turns(model, seen, streamed):
    model([AGAIN] * 9)

    async def run():
        if streamed:
            result = Runner.run_streamed(agent(), "Weather?", max_turns=2)
            [event async for event in result.stream_events()]
        else:
            await Runner.run(agent(), "Weather?", max_turns=2)

    with pytest.raises(MaxTurnsExceeded):
        asyncio.run(run())
    seen.agent(tool_calls=2, reason="max_steps")


def test_a_handoff_stays_in_the_run(model, seen):
    model([{"tool_calls": [{"name": "transfer_to_weather", "arguments": {}}]}, "It rains in Bergen."])
    front = Agent(name="front", model=llm(), handoffs=[agent()])
    assert asyncio.run(Runner.run(front, "Weather?")).final_output == "It rains in Bergen."
    (run,) = seen.invoke_agent
    assert run.attributes["agent.run.model_calls"] == 2


def test_a_tool_that_waits_for_approval_interrupts(model, seen):
    @function_tool(name_override="look", needs_approval=True)
    def ours(city: str) -> str:
        """The weather of a city."""
        return f"rain in {city}"

    model()
    asyncio.run(Runner.run(agent(ours), "Weather?"))
    assert seen.invoke_agent[0].attributes["agent.run.stop_reason"] == "interrupted"


def test_a_function_of_ours_is_one_call(model, seen, ours):
    model()
    asyncio.run(Runner.run(agent(function_tool(ours)), "Weather?"))
    seen.agent()


@pytest.mark.parametrize("streamed", [False, True])
def test_an_agent_that_is_a_tool_is_a_run_inside_of_the_call(model, seen, streamed):
    def own(*turns):
        return OpenAIResponsesModel(
            model="gpt-4o-mini", openai_client=AsyncOpenAI(base_url=f"{model(turns).url}/v1", api_key="k")
        )

    weather = Agent(name="weather", model=own(AGAIN, "It rains."), tools=[look])
    asks = {"tool_calls": [{"name": "ask", "arguments": {"input": "Bergen?"}}]}
    front = Agent(name="front", model=own(asks, "Rain."), tools=[weather.as_tool("ask", "Ask.")])

    async def run():
        if not streamed:
            return await Runner.run(front, "Rain?")
        result = Runner.run_streamed(front, "Rain?")
        return [event async for event in result.stream_events()]

    asyncio.run(run())
    inner, outer = seen.invoke_agent
    assert [run.attributes["agent.run.model_calls"] for run in (inner, outer)] == [2, 4]
    (tool,) = [span for span in seen.execute_tool if span.attributes["gen_ai.tool.name"] == "ask"]
    assert (inner.parent.span_id, tool.parent.span_id) == (tool.context.span_id, outer.context.span_id)
