"""AutoGen: agents that hand over, teams in teams, agents in tools."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("autogen_agentchat", reason="autogen-agentchat is not installed")
pytest.importorskip("autogen_ext.models.openai", reason="autogen-ext[openai] is not installed")
from autogen_agentchat.agents import AssistantAgent, SocietyOfMindAgent
from autogen_agentchat.conditions import TextMentionTermination
from autogen_agentchat.teams import RoundRobinGroupChat, Swarm
from autogen_agentchat.tools import AgentTool
from autogen_ext.models.openai import OpenAIChatCompletionClient

pytestmark = pytest.mark.filterwarnings("ignore")
END = TextMentionTermination("TERMINATE")


@pytest.fixture
def llm(model):
    """A model of its own for each agent, which says *turns* in order."""

    def make(*turns):
        return OpenAIChatCompletionClient(model="gpt-4o-mini", base_url=f"{model(turns).url}/v1", api_key="k")

    return make


def call(name, **arguments):
    return {"tool_calls": [{"name": name, "arguments": arguments}]}


def runs_of(seen):
    keys = ("stop_reason", "model_calls", "tool_calls")
    said = [span.attributes for span in seen.invoke_agent if "agent.run.status" in span.attributes]
    return [(one["gen_ai.agent.name"], *(one[f"agent.run.{key}"] for key in keys)) for one in said]


def test_a_handoff_there_and_back_stays_in_the_run(seen, llm, native):
    front = AssistantAgent("front", llm(call("transfer_to_weather"), "TERMINATE"), handoffs=["weather"])
    weather = AssistantAgent("weather", llm(call("transfer_to_front")), handoffs=["front"])
    asyncio.run(Swarm([front, weather], name="team", termination_condition=END).run(task="Weather?"))
    assert runs_of(seen) == [("team", "completed", 3, 2)]


def test_a_team_in_a_team_stays_in_the_run(seen, llm, native):
    inner = RoundRobinGroupChat([AssistantAgent("weather", llm("It rains."))], max_turns=1)
    mind = SocietyOfMindAgent("mind", team=inner, model_client=llm("Rain. TERMINATE"))
    asyncio.run(RoundRobinGroupChat([mind], name="team", termination_condition=END).run(task="Weather?"))
    assert runs_of(seen) == [("team", "completed", 2, 0)]


@pytest.mark.parametrize("stream", [False, True])
def test_an_agent_that_is_a_tool_is_a_run_inside_of_the_call(seen, llm, native, stream):
    weather = AssistantAgent("weather", llm("It rains."), description="Knows.")
    front = AssistantAgent("front", llm(call("weather", task="Bergen?"), "Rain."), tools=[AgentTool(weather)])

    async def main():
        if stream:
            return [event async for event in front.run_stream(task="Weather?")]
        return await front.run(task="Weather?")

    asyncio.run(main())
    assert runs_of(seen) == [("weather", "completed", 1, 0), ("front", "completed", 2, 1)]
    inner, outer = [span for span in seen.invoke_agent if "agent.run.status" in span.attributes]
    (tool,) = seen.execute_tool
    assert (tool.attributes["gen_ai.tool.name"], tool.attributes["agent.tool.status"]) == ("weather", "success")
    assert (inner.parent.span_id, tool.parent.span_id) == (tool.context.span_id, outer.context.span_id)
