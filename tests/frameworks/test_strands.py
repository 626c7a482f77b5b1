"""Strands: its own spans, completed."""

from __future__ import annotations

import pytest

pytest.importorskip("strands", reason="strands-agents is not installed")
from opentelemetry import trace
from strands import Agent, tool
from strands.models.openai import OpenAIModel

pytestmark = pytest.mark.filterwarnings("ignore")


@tool
def look(city: str) -> str:
    """The weather of a city."""
    return f"rain in {city}"


@tool
def broken(city: str) -> str:
    """The weather of a city."""
    raise TimeoutError(city)


@pytest.fixture(autouse=True)
def _spans_of_strands(provider, monkeypatch):
    monkeypatch.setattr("strands.telemetry.tracer._tracer_instance", None, raising=False)
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)


def agent(server, *tools):
    llm = OpenAIModel(client_args={"api_key": "k", "base_url": f"{server.url}/v1"}, model_id="gpt-4o-mini")
    return Agent(model=llm, tools=list(tools), name="weather", callback_handler=None)


def test_its_spans_are_the_runs(model, seen):
    assert "rains" in str(agent(model(), look)("Weather?"))
    run = seen.agent()
    assert run.instrumentation_scope.name.startswith("strands")
    assert seen.execute_tool[0].instrumentation_scope.name.startswith("strands")
    assert {span.attributes["agent.usage.source"] for span in seen.chat} == {"provider"}


def test_a_tool_that_fails(model, seen):
    server = model([{"tool_calls": [{"name": "broken", "arguments": {"city": "Bergen"}}]}, "Sorry."])
    agent(server, broken)("Weather?")
    seen.agent()
    assert seen.execute_tool[0].attributes["agent.tool.status"] == "error"


def test_a_function_of_ours_is_one_call(model, seen, ours):
    agent(model(), tool(ours))("Weather?")
    seen.agent()


def test_a_tool_that_asks_somebody_interrupts(model, seen):
    @tool(context=True)
    def look(city: str, tool_context) -> str:
        """The weather of a city."""
        return tool_context.interrupt("really", reason=city)

    assert agent(model(), look)("Weather?").stop_reason == "interrupt"
    seen.agent(model_calls=1, reason="interrupted")


def test_too_many_turns(model, seen):
    again = {"tool_calls": [{"name": "look", "arguments": {"city": "Bergen"}}]}
    agent(model([again] * 5), look)("Weather?", limits={"turns": 2})
    seen.agent(tool_calls=2, reason="max_steps")
