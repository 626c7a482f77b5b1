"""Google ADK: agents that hand over to others, stand in workflows, or are tools: one invocation is one run."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("google.adk", reason="google-adk is not installed")
from google.adk.agents import LoopAgent, ParallelAgent, SequentialAgent
from google.adk.tools import AgentTool
from google.adk.tools.exit_loop_tool import exit_loop

pytestmark = pytest.mark.filterwarnings("ignore")


def look(city: str) -> str:
    """The weather of a city."""
    return f"rain in {city}"


def whole(seen, tools):
    """A look that all spans are one trace, no call has two spans, and all are placed in the run there is."""
    (run,) = [span for span in seen.invoke_agent if "agent.run.status" in span.attributes]
    said = run.attributes
    mine = [*seen.generate_content, *seen.chat, *seen.execute_tool]
    assert sorted(span.attributes["gen_ai.tool.name"] for span in seen.execute_tool) == sorted(tools)
    assert len(mine) == said["agent.run.model_calls"] + len(tools)
    assert said["agent.run.tool_calls"] == len(tools)
    assert {span.attributes["agent.run.id"] for span in mine} == {said["agent.run.id"]}
    assert {span.context.trace_id for span in seen._spans()} == {run.context.trace_id}
    ids = {span.context.span_id for span in seen._spans()}
    assert all(span.parent.span_id in ids for span in seen._spans() if span is not run)
    return run


def steps(spans):
    return sorted(span.attributes["agent.step.number"] for span in spans)


def test_a_handoff_stays_in_the_run(seen, adk, agent, shape, transfers, calls):
    weather = agent("weather", calls("look", city="Bergen"), "It rains in Bergen.", tools=[look])
    events = adk.ask(agent("front", transfers("weather"), sub_agents=[weather]))
    assert events[-1].content.parts[0].text == "It rains in Bergen."
    assert shape() == [("front", "completed", 3, 3, 2)]
    run = whole(seen, ["transfer_to_agent", "look"])
    assert steps(seen.generate_content) == [1, 2, 3]
    assert run.attributes["user.id"] == "u"
    assert run.attributes["session.id"] == run.attributes["gen_ai.conversation.id"]
    names = [span.attributes["gen_ai.agent.name"] for span in seen.invoke_agent]
    assert sorted(names) == ["front", "weather"]  # the second one is ADK's, of the agent inside


def test_a_handoff_there_and_back_stays_in_the_run(seen, adk, agent, shape, transfers):
    weather = agent("weather", transfers("front"))
    adk.ask(agent("front", transfers("weather"), "Rain, they say.", sub_agents=[weather]))
    assert shape() == [("front", "completed", 3, 3, 2)]
    whole(seen, ["transfer_to_agent", "transfer_to_agent"])
    assert steps(seen.generate_content) == [1, 2, 3]


def test_the_next_message_is_a_run_of_the_session_whoever_answers_it(seen, adk, agent, shape, transfers):
    weather = agent("weather", "Rain.", "Rain again.")
    adk.ask(agent("front", transfers("weather"), sub_agents=[weather]), "Weather?", "And tomorrow?")
    assert shape() == [("front", "completed", 2, 2, 1), ("front", "completed", 1, 1, 0)]
    runs = [span for span in seen.invoke_agent if "agent.run.status" in span.attributes]
    assert len({run.attributes["session.id"] for run in runs}) == 1
    assert len({run.context.trace_id for run in runs}) == 2


def test_agents_in_sequence_are_one_run(seen, adk, agent, shape, calls):
    weather = agent("weather", calls("look", city="Bergen"), "It rains.", tools=[look])
    adk.ask(SequentialAgent(name="day", sub_agents=[weather, agent("coat", "Take a coat.")]))
    assert shape() == [("day", "completed", 3, 3, 1)]
    whole(seen, ["look"])


def test_agents_side_by_side_are_one_run_and_keep_their_parents(seen, adk, agent, shape, calls):
    there = [agent(city, calls("look", city=city), f"Rain in {city}.", tools=[look]) for city in ("bergen", "oslo")]
    adk.ask(ParallelAgent(name="cities", sub_agents=there))
    assert shape() == [("cities", "completed", 4, 4, 2)]
    whole(seen, ["look", "look"])
    above = {span.context.span_id: span for span in seen._spans()}
    for span in [*seen.generate_content, *seen.execute_tool]:
        parent = above[span.parent.span_id]
        while parent.attributes.get("gen_ai.operation.name") != "invoke_agent":
            parent = above[parent.parent.span_id]
        assert parent.attributes["gen_ai.agent.name"] == span.attributes["gen_ai.agent.name"]


def test_a_loop_is_one_run(seen, adk, agent, shape, calls):
    critic = agent("critic", "Ask again.", calls("exit_loop"), tools=[exit_loop])
    adk.ask(LoopAgent(name="until", max_iterations=5, sub_agents=[agent("weather", "Rain.", "Rain."), critic]))
    assert shape() == [("until", "completed", 4, 4, 1)]
    whole(seen, ["exit_loop"])


@pytest.mark.parametrize("how", ["tool", "sub_agent"])
def test_an_agent_that_is_a_tool_is_a_run_inside_of_the_call(seen, adk, agent, shape, calls, how):
    more = {"mode": "single_turn"} if how == "sub_agent" else {}
    weather = agent("weather", calls("look", city="Bergen"), "It rains.", tools=[look], **more)
    given = {"sub_agents": [weather]} if how == "sub_agent" else {"tools": [AgentTool(weather)]}
    adk.ask(agent("front", calls("weather", request="Bergen?"), "Rain.", **given))
    assert shape() == [("weather", "completed", 2, 2, 1), ("front", "completed", 2, 4, 2)]
    inner, outer = seen.invoke_agent
    assert inner.attributes["agent.run.parent_id"] == outer.attributes["agent.run.id"]
    for name in ("session.id", "gen_ai.conversation.id", "user.id"):
        assert inner.attributes[name] == outer.attributes[name]
    (tool,) = [span for span in seen.execute_tool if span.attributes["gen_ai.tool.name"] == "weather"]
    assert inner.parent.span_id == tool.context.span_id
    assert tool.attributes["agent.run.id"] == outer.attributes["agent.run.id"]
    (below,) = [span for span in seen.execute_tool if span.attributes["gen_ai.tool.name"] == "look"]
    assert below.attributes["agent.run.id"] == inner.attributes["agent.run.id"]


def test_a_task_that_is_delegated_stays_in_the_run(seen, adk, agent, shape, calls):
    weather = agent("weather", calls("finish_task", result="It rains."), mode="task")
    adk.ask(agent("front", calls("weather", request="Bergen?"), "Rain.", sub_agents=[weather]))
    assert shape() == [("front", "completed", 3, 3, 2)]
    whole(seen, ["weather", "finish_task"])


def test_tools_side_by_side_are_one_call_each(seen, adk, agent, shape):
    cities = [{"name": "look", "arguments": {"city": city}} for city in ("Bergen", "Oslo")]
    adk.ask(agent("weather", {"tool_calls": cities}, "Rain and rain.", tools=[look]))
    assert shape() == [("weather", "completed", 2, 2, 2)]
    whole(seen, ["look", "look"])


@pytest.mark.parametrize("workflow", [False, True])
def test_an_agent_without_a_runner_is_a_run(seen, adk, agent, shape, workflow):
    asked = agent("weather", "It rains.")
    asked = SequentialAgent(name="day", sub_agents=[asked, agent("coat", "Take one.")]) if workflow else asked

    async def main():
        runner = adk.runner(asked)
        sessions = {"app_name": "a", "user_id": "u"}
        session = await runner.session_service.get_session(**sessions, session_id=await adk.session(runner))
        context = runner._new_invocation_context(session, new_message=adk.asked())
        return session.id, [event async for event in asked.run_async(context)]

    session, events = asyncio.run(main())
    assert events[-1].content.parts[0].text == ("Take one." if workflow else "It rains.")
    assert shape() == [("day", "completed", 2, 2, 0)] if workflow else [("weather", "completed", 1, 1, 0)]
    run = whole(seen, [])
    assert (run.attributes["session.id"], run.attributes["user.id"]) == (session, "u")


def test_the_runner_that_does_not_await_is_one_run(seen, adk, agent, shape, calls):
    runner = adk.runner(agent("weather", calls("look", city="Bergen"), "It rains.", tools=[look]))
    session = asyncio.run(adk.session(runner))
    assert list(runner.run(user_id="u", session_id=session, new_message=adk.asked()))
    assert shape() == [("weather", "completed", 2, 2, 1)]
    whole(seen, ["look"])
