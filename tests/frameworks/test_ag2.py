"""AG2: turns, tools, its own telemetry, what waits for somebody."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("ag2", reason="ag2 is not installed")
pytest.importorskip("openai", reason="openai is not installed")
from ag2 import Agent
from ag2.annotations import Context
from ag2.config import OpenAIConfig
from ag2.exceptions import HumanInputNotProvidedError
from ag2.middleware.builtin.telemetry import TelemetryMiddleware

import spanledger

pytestmark = pytest.mark.filterwarnings("ignore")


def look(city: str) -> str:
    """The weather of a city."""
    return f"rain in {city}"


def broken(city: str) -> str:
    """The weather of a city."""
    raise TimeoutError(city)


def agent(server, *tools, **options):
    config = OpenAIConfig(
        model="gpt-4o-mini", base_url=f"{server.url}/v1", api_key="k", streaming=options.pop("streaming", False)
    )
    return Agent("weather", config=config, tools=list(tools or (look,)), **options)


@pytest.mark.parametrize("streaming", [False, True])
def test_a_turn_is_one_run(model, seen, streaming):
    reply = asyncio.run(agent(model(), streaming=streaming).ask("Weather in Bergen?"))
    assert reply.body == "It rains in Bergen."
    run = seen.agent()
    assert run.name == "invoke_agent weather"
    (look_span,) = seen.execute_tool
    assert look_span.attributes["gen_ai.tool.name"] == "look"
    assert look_span.attributes["gen_ai.tool.call.id"]
    assert look_span.attributes["agent.step.number"] == 1
    assert [span.attributes["agent.step.number"] for span in seen.chat] == [1, 2]


def test_a_conversation_is_one_session(model, seen):
    server = model(["one", "two"])

    async def main():
        reply = await agent(server).ask("Weather?")
        await reply.ask("And tomorrow?")

    asyncio.run(main())
    first, second = seen.invoke_agent
    assert first.attributes["session.id"] == second.attributes["session.id"]
    assert first.attributes["agent.run.id"] != second.attributes["agent.run.id"]


def test_a_turn_that_is_watched_while_it_runs(model, seen):
    async def main():
        async with agent(model()).run("Weather?") as run:
            run.start()
            return (await run.result()).body

    assert asyncio.run(main()) == "It rains in Bergen."
    seen.agent()


def test_a_tool_of_ours_is_one_call(model, seen):
    asyncio.run(agent(model(), spanledger.tool(version="2")(look)).ask("Weather?"))
    seen.agent()
    assert seen.execute_tool[0].attributes["agent.tool.version"] == "2"


def test_a_tool_that_fails_is_seen_behind_what_the_model_is_told(model, seen):
    server = model([{"tool_calls": [{"name": "broken", "arguments": {"city": "Bergen"}}]}, "Sorry."])
    asyncio.run(agent(server, broken).ask("Weather?"))
    seen.agent()
    assert seen.execute_tool[0].attributes["agent.error.class"] == "timeout"


def test_a_model_that_fails_ends_the_run(model, seen):
    server = model([{"error": {"status": 400}}])
    with pytest.raises(Exception, match="400"):
        asyncio.run(agent(server).ask("Weather?"))
    seen.agent(model_calls=1, tool_calls=0, reason="model_error")


def test_nobody_to_ask_is_an_interrupt(model, seen):
    async def asks(city: str, context: Context) -> str:
        """The weather of a city."""
        return await context.input("really?")

    asks.__name__ = "look"
    with pytest.raises(HumanInputNotProvidedError):
        asyncio.run(agent(model(), asks).ask("Weather?"))
    (run,) = seen.invoke_agent
    assert run.attributes["agent.run.stop_reason"] == "interrupted"
    assert run.status.is_unset
    assert seen.execute_tool[0].status.is_unset


def test_an_agent_as_a_tool_is_a_run_in_the_run(model, seen):
    asks = {"tool_calls": [{"name": "task_inner", "arguments": {"objective": "look outside"}}]}
    server = model({
        "turns": [asks, "It rains in Bergen."],
        "rules": [{"user_contains": "look outside", "turn": {"text": "It rains."}}],
    })  # fmt: skip
    config = OpenAIConfig(model="gpt-4o-mini", base_url=f"{server.url}/v1", api_key="k")
    inner = Agent("inner", config=config)
    asyncio.run(Agent("outer", config=config, tools=[inner.as_tool(description="knows the weather")]).ask("Weather?"))
    within, outer = seen.invoke_agent
    assert (within.name, outer.name) == ("invoke_agent inner", "invoke_agent outer")
    assert within.attributes["agent.run.parent_id"] == outer.attributes["agent.run.id"]
    assert outer.attributes["agent.run.model_calls"] == 3
    assert len(seen.execute_tool) == 1


def test_its_telemetry_is_the_same_run(model, seen, spans, provider):
    server = model()
    middleware = [TelemetryMiddleware(tracer_provider=provider, agent_name="weather", provider_name="openai")]
    asyncio.run(agent(server, middleware=middleware).ask("Weather?"))
    run = seen.agent()
    assert run.attributes["gen_ai.provider.name"] == "openai"
    assert {span.attributes["agent.usage.source"] for span in seen.chat} == {"provider"}
    assert {span.instrumentation_scope.name for span in [*seen.chat, *seen.execute_tool]} != {"spanledger"}
    assert len([span for span in spans() if "agent.run.id" in span.attributes]) == 4


def test_a_function_of_ours_is_one_call(model, seen, ours):
    asyncio.run(agent(model(), ours).ask("Weather?"))
    seen.agent()
