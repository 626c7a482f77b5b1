"""AutoGen: agents, teams, tools."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("autogen_agentchat", reason="autogen-agentchat is not installed")
pytest.importorskip("autogen_ext.models.openai", reason="autogen-ext[openai] is not installed")
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_ext.models.openai import OpenAIChatCompletionClient

pytestmark = pytest.mark.filterwarnings("ignore")


async def look(city: str) -> str:
    """The weather of a city."""
    return f"rain in {city}"


def agent(server):
    llm = OpenAIChatCompletionClient(model="gpt-4o-mini", base_url=f"{server.url}/v1", api_key="k")
    return AssistantAgent("weather", model_client=llm, tools=[look], reflect_on_tool_use=True)


def test_an_agent_is_one_run(model, seen):
    server = model()
    asyncio.run(agent(server).run(task="Weather in Bergen?"))
    run = seen.agent()
    assert run.name == "invoke_agent weather"


def test_a_team_is_one_run(model, seen):
    server = model()

    async def main():
        team = RoundRobinGroupChat([agent(server)], max_turns=1)
        return await team.run(task="Weather in Bergen?")

    asyncio.run(main())
    seen.agent()
