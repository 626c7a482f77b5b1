"""LangChain and LangGraph: graphs, tools, interrupts, parallel nodes."""

from __future__ import annotations

import asyncio
import operator
from typing import Annotated, TypedDict

import pytest

pytest.importorskip("langgraph", reason="langgraph is not installed")
pytest.importorskip("langchain_openai", reason="langchain-openai is not installed")
from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

import spanledger

pytestmark = pytest.mark.filterwarnings("ignore")
ASK = {"messages": [{"role": "user", "content": "Weather in Bergen?"}]}


@tool
def look(city: str) -> str:
    """The weather of a city."""
    return f"rain in {city}"


@tool
def broken(city: str) -> str:
    """The weather of a city."""
    raise TimeoutError(city)


def agent(tools=(look,), **options):
    return create_agent(ChatOpenAI(model="gpt-4o-mini"), list(tools), name="weather", **options)


def test_an_agent_is_one_run(model, seen):
    model()
    assert agent().invoke(ASK)["messages"][-1].content == "It rains in Bergen."
    run = seen.agent()
    assert run.name == "invoke_agent weather"
    (look_span,) = seen.execute_tool
    assert look_span.attributes["gen_ai.tool.name"] == "look"
    assert look_span.attributes["agent.step.number"] == 1
    assert [span.attributes["agent.step.number"] for span in seen.chat] == [1, 2]


@pytest.mark.parametrize("how", ["ainvoke", "astream", "stream"])
def test_in_every_form(model, seen, how):
    model()

    async def asynchronously():
        if how == "ainvoke":
            await agent().ainvoke(ASK)
        else:
            [part async for part in agent().astream(ASK, stream_mode="updates")]

    if how == "stream":
        list(agent().stream(ASK))
    else:
        asyncio.run(asynchronously())
    seen.agent()


def test_a_stream_that_is_left_leaves_no_context(model, seen):
    from opentelemetry import context

    model()
    before = context.get_current()
    for _ in agent().stream(ASK, stream_mode="updates"):
        assert context.get_current() is before
        break
    assert context.get_current() is before


def test_a_tool_of_ours_is_one_call(model, seen):
    @tool("look")
    @spanledger.tool("look", version="2")
    def ours(city: str) -> str:
        """The weather of a city."""
        return f"rain in {city}"

    model()
    agent([ours]).invoke(ASK)
    seen.agent()
    assert seen.execute_tool[0].attributes["agent.tool.version"] == "2"


def test_a_tool_that_fails_says_why(model, seen):
    model([{"tool_calls": [{"name": "broken", "arguments": {"city": "Bergen"}}]}])
    with pytest.raises(TimeoutError):
        agent([broken]).invoke(ASK)
    run = seen.agent(model_calls=1, reason="tool_timeout")
    assert seen.execute_tool[0].attributes["agent.error.class"] == "timeout"
    assert run.attributes["agent.run.status"] == "timeout"


def test_an_interrupt_is_no_error(model, seen):
    @tool("look")
    def asks(city: str) -> str:
        """The weather of a city."""
        return f"{interrupt('really?')} in {city}"

    model()
    graph = agent([asks], checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "t1"}}
    assert "__interrupt__" in graph.invoke(ASK, config)
    (run,) = seen.invoke_agent
    assert run.attributes["agent.run.stop_reason"] == "interrupted"
    assert run.attributes["session.id"] == "t1"
    assert not [span for span in (run, *seen.execute_tool) if not span.status.is_unset]
    graph.invoke(Command(resume="sun"), config)
    assert seen.invoke_agent[1].attributes["agent.run.stop_reason"] == "completed"


def test_too_many_steps(model, seen):
    from langgraph.errors import GraphRecursionError

    again = {"tool_calls": [{"name": "look", "arguments": {"city": "Bergen"}}]}
    model([again] * 9)
    with pytest.raises(GraphRecursionError):
        agent().invoke(ASK, {"recursion_limit": 5})
    assert seen.invoke_agent[0].attributes["agent.run.stop_reason"] == "max_steps"


class State(TypedDict):
    said: Annotated[list[str], operator.add]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_parallel_nodes_keep_their_parents(model, seen, asynchronous):
    model(["one", "two", "three"])
    llm = ChatOpenAI(model="gpt-4o-mini")

    def node(name):
        def sync(state):
            with spanledger.tool(name):
                return {"said": [llm.invoke(name).content]}

        async def asyn(state):
            with spanledger.tool(name):
                return {"said": [(await llm.ainvoke(name)).content]}

        return asyn if asynchronous else sync

    graph = StateGraph(State)
    for name in ("a", "b", "c"):
        graph.add_node(name, node(name))
        graph.add_edge(START, name)
        graph.add_edge(name, END)
    compiled = graph.compile(name="fan")
    asyncio.run(compiled.ainvoke({"said": []})) if asynchronous else compiled.invoke({"said": []})
    run = seen.agent(model_calls=3, tool_calls=3)
    assert {span.parent.span_id for span in seen.execute_tool} == {run.context.span_id}
    assert {span.parent.span_id for span in seen.chat} == {span.context.span_id for span in seen.execute_tool}


def test_a_function_of_ours_is_one_call(model, seen, ours):
    model()
    agent([ours]).invoke(ASK)
    seen.agent()
