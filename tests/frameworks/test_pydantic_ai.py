"""Pydantic AI: runs, tools, streams, deferred calls."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("pydantic_ai", reason="pydantic-ai is not installed")
from pydantic_ai import Agent, UsageLimitExceeded, UsageLimits

import spanledger

pytestmark = pytest.mark.filterwarnings("ignore")


def look(city: str) -> str:
    """The weather of a city."""
    return f"rain in {city}"


def agent(*tools):
    return Agent("openai-chat:gpt-4o-mini", name="weather", tools=list(tools or (look,)))


@pytest.mark.parametrize("how", ["run", "run_sync", "run_stream", "iter"])
def test_a_run_is_one_run(model, seen, how):
    model()

    async def run():
        if how == "run":
            await agent().run("Weather?")
        elif how == "run_stream":
            async with agent().run_stream("Weather?") as result:
                await result.get_output()
        else:
            async with agent().iter("Weather?") as steps:
                [node async for node in steps]

    agent().run_sync("Weather?") if how == "run_sync" else asyncio.run(run())
    run_span = seen.agent()
    assert run_span.name == "invoke_agent weather"
    assert seen.execute_tool[0].attributes["gen_ai.tool.call.id"]


def test_a_tool_of_ours_is_one_call(model, seen):
    model()
    agent(spanledger.tool(version="2")(look)).run_sync("Weather?")
    seen.agent()
    assert seen.execute_tool[0].attributes["agent.tool.version"] == "2"


def test_a_tool_that_fails_ends_the_run(model, seen):
    def broken(city: str) -> str:
        raise TimeoutError(city)

    model([{"tool_calls": [{"name": "broken", "arguments": {"city": "Bergen"}}]}])
    with pytest.raises(TimeoutError):
        agent(broken).run_sync("Weather?")
    seen.agent(model_calls=1, reason="tool_timeout")


def test_limits_of_the_framework(model, seen):
    model()
    with pytest.raises(UsageLimitExceeded):
        agent().run_sync("Weather?", usage_limits=UsageLimits(request_limit=1))
    seen.agent(model_calls=1, reason="budget_exceeded")
