"""Google ADK: its own spans, completed."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("google.adk", reason="google-adk is not installed")
from google.adk.agents import LlmAgent
from google.adk.runners import InMemoryRunner
from google.adk.tools import FunctionTool
from google.genai import types
from opentelemetry import trace

pytestmark = pytest.mark.filterwarnings("ignore")


def look(city: str) -> str:
    """The weather of a city."""
    return f"rain in {city}"


@pytest.fixture(scope="module", autouse=True)
def _global():
    """Its tracers are those of the process's provider."""
    from opentelemetry.sdk.trace import TracerProvider

    trace.set_tracer_provider(TracerProvider())


@pytest.fixture
def provider(exporter):
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    from spanledger import runs

    provider = trace.get_tracer_provider()
    processor = SimpleSpanProcessor(exporter)
    provider.add_span_processor(processor)
    runs.use_provider(provider)
    yield provider
    many = provider._active_span_processor
    many._span_processors = tuple(p for p in many._span_processors if p is not processor)


def ask(*tools, agent=None):
    async def main():
        asked = agent or LlmAgent(name="weather", model="gemini-2.5-flash", tools=list(tools))
        runner = InMemoryRunner(asked, app_name="a")
        session = await runner.session_service.create_session(app_name="a", user_id="u")
        said = types.Content(role="user", parts=[types.Part(text="Weather?")])
        return [event async for event in runner.run_async(user_id="u", session_id=session.id, new_message=said)]

    return asyncio.run(main())


def test_an_agent_is_one_run(model, seen):
    model()
    events = ask(look)
    assert "rains" in events[-1].content.parts[0].text
    run = seen.agent()
    assert run.instrumentation_scope.name.startswith("gcp.vertex.agent")
    assert run.attributes["user.id"] == "u"


def test_a_function_of_ours_is_one_call(model, seen, ours):
    model()
    ask(ours)
    seen.agent()


def test_a_call_that_somebody_is_to_confirm_interrupts(model, seen):
    model()
    ask(FunctionTool(look, require_confirmation=True))
    assert [run.attributes["agent.run.stop_reason"] for run in seen.invoke_agent] == ["interrupted"]


def test_a_handoff_is_a_second_run_of_the_trace_and_the_session(model, seen):
    model({
        "turns": [{"tool_calls": [{"name": "transfer_to_agent", "arguments": {"agent_name": "weather"}}]}],
        "rules": [{"model": "gemini-2.5-pro", "turn": {"text": "It rains in Bergen."}}],
    })  # fmt: skip
    weather = LlmAgent(name="weather", model="gemini-2.5-pro", description="Knows the weather.")
    ask(agent=LlmAgent(name="front", model="gemini-2.5-flash", sub_agents=[weather]))
    front, weather = seen.invoke_agent
    assert [run.attributes["gen_ai.agent.name"] for run in (front, weather)] == ["front", "weather"]
    assert [run.attributes["agent.run.model_calls"] for run in (front, weather)] == [1, 1]
    assert front.context.trace_id == weather.context.trace_id
    assert front.attributes["session.id"] == weather.attributes["session.id"]
