"""Pydantic AI: runs, tools, streams, deferred calls."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("pydantic_ai", reason="pydantic-ai is not installed")
from pydantic_ai import Agent, CallDeferred, DeferredToolRequests, UsageLimitExceeded, UsageLimits
from pydantic_ai.models.instrumented import InstrumentationSettings

import spanledger

pytestmark = pytest.mark.filterwarnings("ignore")


def look(city: str) -> str:
    """The weather of a city."""
    return f"rain in {city}"


def agent(*tools):
    return Agent("openai-chat:gpt-4o-mini", name="weather", tools=list(tools or (look,)))


@pytest.fixture(autouse=True)
def _telemetry(native, provider, monkeypatch):
    if native:
        monkeypatch.setattr(Agent, "_instrument_default", InstrumentationSettings(tracer_provider=provider))


@pytest.mark.parametrize("how", ["run", "run_sync", "run_stream", "iter"])
def test_a_run_is_one_run(model, seen, how, native):
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
    theirs = [span for span in [*seen.chat, *seen.execute_tool] if span.instrumentation_scope.name == "pydantic-ai"]
    assert len(theirs) == (3 if native else 0)
    assert {span.attributes["agent.usage.source"] for span in seen.chat} == {"provider"}
    assert ("gen_ai.agent.call.id" in run_span.attributes) == native


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


def test_a_call_that_waits_for_somebody_interrupts(model, seen):
    def look(city: str) -> str:
        """The weather of a city."""
        raise CallDeferred

    model()
    waiting = Agent("openai-chat:gpt-4o-mini", name="weather", tools=[look], output_type=[str, DeferredToolRequests])
    assert waiting.run_sync("Weather?").output.calls
    seen.agent(model_calls=1, reason="interrupted")
    assert seen.execute_tool[0].status.is_unset


def test_an_agent_in_a_tool_is_a_run_in_the_run(model, seen):
    async def look(city: str) -> str:
        """The weather of a city."""
        return (await Agent("openai-chat:gpt-4o-mini", name="inner").run("look outside")).output

    model({
        "turns": [{"tool_calls": [{"name": "look", "arguments": {"city": "Bergen"}}]}, "It rains in Bergen."],
        "rules": [{"user_contains": "look outside", "turn": {"text": "It rains."}}],
    })  # fmt: skip
    agent(look).run_sync("Weather?")
    within, outer = seen.invoke_agent
    assert (within.name, outer.name) == ("invoke_agent inner", "invoke_agent weather")
    assert within.attributes["agent.run.parent_id"] == outer.attributes["agent.run.id"]
    assert within.parent.span_id == seen.execute_tool[0].context.span_id


def test_a_function_of_ours_is_one_call(model, seen, ours):
    model()
    agent(ours).run_sync("Weather?")
    seen.agent()
