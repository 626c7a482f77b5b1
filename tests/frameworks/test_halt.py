"""
The practice, inside frameworks: an agent plans with a cheap model, and its tool writes with a dear one.

It halts at $0.50 or 15 steps, whichever comes first, whatever the framework does with the exception in a tool.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from decimal import Decimal

import pytest

import spanledger
from spanledger import setup
from spanledger.budget import Budget
from spanledger.errors import BudgetExceeded
from spanledger.testing import ScriptedServer

openai = pytest.importorskip("openai", reason="openai is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")
PLANNER, GENERATOR = "gpt-4o-mini", "gpt-4o"
PLAN, TEXT = Decimal("0.00021"), Decimal("0.07")  # 1,000 in, 100 out; 20,000 in, 2,000 out
SCENARIO = {
    "rules": [
        {"model": PLANNER, "turn": {
            "tool_calls": [{"name": "write", "arguments": {"topic": "rain"}}], "usage": {"input": 1000, "output": 100},
        }},
        {"model": GENERATOR, "turn": {"text": "It rains.", "usage": {"input": 20_000, "output": 2000}}},
    ]
}  # fmt: skip


@pytest.fixture
def server(monkeypatch):
    with ScriptedServer(SCENARIO) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        yield server


@pytest.fixture
def configure(provider):
    yield lambda **settings: spanledger.configure(tracer_provider=provider, journal_off=True, **settings)
    while setup._now:
        setup._now.pop().shutdown()


def write(topic: str) -> str:
    """Write about a topic."""
    with openai.OpenAI(max_retries=0) as client:
        request = {"model": GENERATOR, "messages": [{"role": "user", "content": "wo " * 20_000}], "max_tokens": 2000}
        return client.chat.completions.create(**request).choices[0].message.content


async def openai_agents(how):
    pytest.importorskip("agents", reason="openai-agents is not installed")
    from agents import Agent, ModelSettings, OpenAIResponsesModel, Runner, function_tool, set_tracing_disabled

    set_tracing_disabled(True)
    async with openai.AsyncOpenAI(max_retries=0) as client:
        model = OpenAIResponsesModel(model=PLANNER, openai_client=client)
        agent = Agent(
            name="writer", model=model, tools=[function_tool(write)], model_settings=ModelSettings(max_tokens=100)
        )
        if how == "plain":
            await Runner.run(agent, "Rain?", max_turns=200)
        else:
            result = Runner.run_streamed(agent, "Rain?", max_turns=200)
            [event async for event in result.stream_events()]


async def langgraph(how):
    pytest.importorskip("langgraph", reason="langgraph is not installed")
    pytest.importorskip("langchain_openai", reason="langchain-openai is not installed")
    from langchain.agents import create_agent
    from langchain_core.tools import tool
    from langchain_openai import ChatOpenAI

    httpx = getattr(openai._base_client, "httpx2", None) or openai._base_client.httpx
    model = ChatOpenAI(
        model=PLANNER, max_retries=0, max_tokens=100, streaming=how == "stream", stream_usage=True,
        http_async_client=httpx.AsyncClient(),  # the shared one stays with the first event loop
    )  # fmt: skip
    agent = create_agent(model, [tool(write)], name="writer")
    ask, config = {"messages": [{"role": "user", "content": "Rain?"}]}, {"recursion_limit": 500}
    if how == "plain":
        await agent.ainvoke(ask, config)
    else:
        [part async for part in agent.astream(ask, config, stream_mode="messages")]


def langgraph_now(how):
    pytest.importorskip("langgraph", reason="langgraph is not installed")
    pytest.importorskip("langchain_openai", reason="langchain-openai is not installed")
    from langchain.agents import create_agent
    from langchain_core.tools import tool
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(model=PLANNER, max_retries=0, max_tokens=100, streaming=how == "stream", stream_usage=True)
    agent = create_agent(model, [tool(write)], name="writer")
    ask, config = {"messages": [{"role": "user", "content": "Rain?"}]}, {"recursion_limit": 500}
    agent.invoke(ask, config) if how == "plain" else list(agent.stream(ask, config, stream_mode="messages"))


def _pydantic_agent():
    pytest.importorskip("pydantic_ai", reason="pydantic-ai is not installed")
    from pydantic_ai import Agent, UsageLimits

    agent = Agent(f"openai-chat:{PLANNER}", name="writer", tools=[write], model_settings={"max_tokens": 100})
    return agent, UsageLimits(request_limit=None)


async def pydantic_ai(how):
    agent, limits = _pydantic_agent()
    if how == "plain":
        await agent.run("Rain?", usage_limits=limits)
    else:
        async with agent.run_stream("Rain?", usage_limits=limits) as result:
            await result.get_output()


def pydantic_ai_now(how):
    agent, limits = _pydantic_agent()
    if how == "plain":
        agent.run_sync("Rain?", usage_limits=limits)
    else:
        agent.run_stream_sync("Rain?", usage_limits=limits).get_output()


def openai_agents_now(how):
    pytest.importorskip("agents", reason="openai-agents is not installed")
    from agents import Agent, OpenAIResponsesModel, Runner, function_tool, set_tracing_disabled

    set_tracing_disabled(True)
    if how == "stream":
        pytest.skip("OpenAI Agents has no synchronous stream")
    model = OpenAIResponsesModel(model=PLANNER, openai_client=openai.AsyncOpenAI(max_retries=0))
    Runner.run_sync(Agent(name="writer", model=model, tools=[function_tool(write)]), "Rain?", max_turns=200)


FORMS = {
    "openai_agents": (openai_agents_now, openai_agents), "langgraph": (langgraph_now, langgraph),
    "pydantic_ai": (pydantic_ai_now, pydantic_ai),
}  # fmt: skip


def drive(framework, how, asynchronous):
    sync, asyn = FORMS[framework]
    with pytest.raises(BudgetExceeded) as stopped:
        asyncio.run(asyn(how)) if asynchronous else sync(how)
    return stopped.value


@pytest.mark.parametrize("limit", ["usd", "steps"])
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("how", ["plain", "stream"])
@pytest.mark.parametrize("framework", FORMS)
def test_halts_at_half_a_dollar_or_fifteen_steps(configure, server, seen, framework, how, asynchronous, limit):
    configure(budgets=[Budget(usd="0.50" if limit == "usd" else 50, steps=15, action="stop")])
    stopped = drive(framework, how, asynchronous)
    (run,) = seen.invoke_agent
    asked = Counter(request.body["model"] for request in server.requests)
    if limit == "usd":
        assert (stopped.limit, run.attributes["agent.run.stop_reason"]) == ("usd", "budget_exceeded")
        assert Decimal("0.40") < asked[PLANNER] * PLAN + asked[GENERATOR] * TEXT <= Decimal("0.50")
        assert asked[PLANNER] < 15
    else:
        assert (stopped.limit, stopped.step) == ("steps", 16)
        assert run.attributes["agent.run.stop_reason"] == "max_steps"
        assert asked == {PLANNER: 15, GENERATOR: 15}
