"""LangGraph: graphs of agents: hand-offs, graphs in graphs, agents in tools."""

from __future__ import annotations

from typing import Annotated

import pytest

pytest.importorskip("langgraph", reason="langgraph is not installed")
pytest.importorskip("langchain_openai", reason="langchain-openai is not installed")
from langchain.agents import create_agent
from langchain_core.messages import ToolMessage
from langchain_core.tools import InjectedToolCallId, tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import InjectedState
from langgraph.types import Command, interrupt

import spanledger

pytestmark = pytest.mark.filterwarnings("ignore")
ASK = {"messages": [{"role": "user", "content": "Weather in Bergen?"}]}


@tool
def look(city: str) -> str:
    """The weather of a city."""
    return f"rain in {city}"


def over(name):
    """A tool that hands over to the agent *name* of the graph around."""

    @tool(f"to_{name}")
    def transfer(state: Annotated[dict, InjectedState], call_id: Annotated[str, InjectedToolCallId]) -> Command:
        """Hand over."""
        said = ToolMessage("Over to you.", tool_call_id=call_id, name=f"to_{name}")
        return Command(goto=name, graph=Command.PARENT, update={"messages": [*state["messages"], said]})

    return transfer


def agent(name, *tools, **options):
    return create_agent(ChatOpenAI(model="gpt-4o-mini"), list(tools), name=name, **options)


def team(*agents, **options):
    graph = StateGraph(MessagesState)
    for one in agents:
        graph.add_node(one.name, one)
    graph.add_edge(START, agents[0].name)
    return graph.compile(name="team", **options)


def call(name, **arguments):
    return {"tool_calls": [{"name": name, "arguments": arguments}]}


@pytest.mark.parametrize("how", ["invoke", "ainvoke", "stream"])
async def test_a_handoff_there_and_back_stays_in_the_run(model, seen, how):
    model([call("to_weather"), call("look", city="Bergen"), call("to_front"), "It rains."])
    graph = team(agent("front", over("weather")), agent("weather", look, over("front")))
    if how == "ainvoke":
        await graph.ainvoke(ASK)
    else:
        list(graph.stream(ASK, subgraphs=True)) if how == "stream" else graph.invoke(ASK)
    run = seen.agent(model_calls=4, tool_calls=3)
    assert (run.attributes["gen_ai.agent.name"], run.attributes["agent.run.steps"]) == ("team", 4)
    assert [span.attributes["agent.tool.status"] for span in seen.execute_tool] == ["success"] * 3


def test_an_agent_in_a_node_that_asks_interrupts_the_run(model, seen):
    @tool("look")
    def asks(city: str) -> str:
        """The weather of a city."""
        return f"{interrupt('really?')} in {city}"

    model([call("look", city="Bergen"), "It rains."])
    graph = team(agent("weather", asks), checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "t1"}}
    assert "__interrupt__" in graph.invoke(ASK, config)
    graph.invoke(Command(resume="sun"), config)
    said = [(run.attributes["agent.run.stop_reason"], run.attributes["session.id"]) for run in seen.invoke_agent]
    assert said == [("interrupted", "t1"), ("completed", "t1")]


def test_an_agent_in_a_tool_is_a_run_in_the_run(model, seen):
    @tool("ask")
    def ask(question: str) -> str:
        """Ask about the weather."""
        return (
            agent("weather", look).invoke({"messages": [{"role": "user", "content": question}]})["messages"][-1].content
        )

    model({
        "rules": [
            {"user_contains": "Oslo", "tool_contains": "rain in", "turn": {"text": "Rain."}},
            {"user_contains": "Oslo", "turn": call("look", city="Oslo")},
        ],
        "turns": [call("ask", question="Oslo?"), "It rains."],
    })  # fmt: skip
    team(agent("front", ask)).invoke(ASK)
    inner, outer = seen.invoke_agent
    assert [run.attributes["gen_ai.agent.name"] for run in (inner, outer)] == ["weather", "team"]
    assert inner.attributes["agent.run.parent_id"] == outer.attributes["agent.run.id"]
    assert [run.attributes["agent.run.model_calls"] for run in (inner, outer)] == [2, 4]


def test_a_run_between_has_graphs_of_its_own(model, seen):
    model(["It rains.", "It rains."])

    def node(state):
        with spanledger.run("between"):
            return agent("weather").invoke(state)

    graph = StateGraph(MessagesState)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    graph.compile(name="team").invoke(ASK)
    assert [run.attributes["gen_ai.agent.name"] for run in seen.invoke_agent] == ["weather", "between", "team"]
