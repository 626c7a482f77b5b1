"""AutoGen: agents, teams, tools."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("autogen_agentchat", reason="autogen-agentchat is not installed")
pytest.importorskip("autogen_ext.models.openai", reason="autogen-ext[openai] is not installed")
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import HandoffTermination
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_ext.models.openai import OpenAIChatCompletionClient

import spanledger

pytestmark = pytest.mark.filterwarnings("ignore")


async def look(city: str) -> str:
    """The weather of a city."""
    return f"rain in {city}"


def agent(server, *tools):
    llm = OpenAIChatCompletionClient(model="gpt-4o-mini", base_url=f"{server.url}/v1", api_key="k")
    return AssistantAgent("weather", model_client=llm, tools=list(tools or (look,)), reflect_on_tool_use=True)


@pytest.mark.parametrize("stream", [False, True])
def test_an_agent_is_one_run(model, seen, native, stream):
    server = model()

    async def main():
        if stream:
            return [part async for part in agent(server).run_stream(task="Weather in Bergen?")]
        return await agent(server).run(task="Weather in Bergen?")

    asyncio.run(main())
    run = seen.agent()
    assert run.name == "invoke_agent weather"
    assert seen.execute_tool[0].attributes["gen_ai.tool.description"] or not native


def test_a_tool_of_ours_is_one_call(model, seen, native):
    server = model()
    asyncio.run(agent(server, spanledger.tool("look", version="2")(look)).run(task="Weather in Bergen?"))
    seen.agent()
    assert seen.execute_tool[0].attributes["agent.tool.version"] == "2"


def test_a_tool_that_fails_is_seen_behind_what_the_model_is_told(model, seen, native):
    async def broken(city: str) -> str:
        """The weather of a city."""
        raise TimeoutError(city)

    server = model([{"tool_calls": [{"name": "broken", "arguments": {"city": "Bergen"}}]}, "Sorry."])
    asyncio.run(agent(server, broken).run(task="Weather in Bergen?"))
    seen.agent()
    assert seen.execute_tool[0].attributes["agent.error.class"] == "timeout"


def test_a_team_is_one_run(model, seen):
    server = model()

    async def main():
        team = RoundRobinGroupChat([agent(server)], max_turns=1)
        return await team.run(task="Weather in Bergen?")

    asyncio.run(main())
    seen.agent(reason="max_steps")  # so it says itself


def test_a_function_of_ours_is_one_call(model, seen, ours):
    asyncio.run(agent(model(), ours).run(task="Weather in Bergen?"))
    seen.agent()


def test_a_handoff_out_of_the_team_interrupts(model, seen):
    server = model([{"tool_calls": [{"name": "transfer_to_user", "arguments": {}}]}])
    llm = OpenAIChatCompletionClient(model="gpt-4o-mini", base_url=f"{server.url}/v1", api_key="k")
    weather = AssistantAgent("weather", model_client=llm, handoffs=["user"])

    async def main():
        team = RoundRobinGroupChat([weather], termination_condition=HandoffTermination("user"))
        return await team.run(task="Weather in Bergen?")

    asyncio.run(main())
    (run,) = [span for span in seen.invoke_agent if "agent.run.status" in span.attributes]
    assert run.attributes["agent.run.stop_reason"] == "interrupted"
