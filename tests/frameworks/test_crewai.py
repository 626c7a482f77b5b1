"""CrewAI: runs and tools."""

from __future__ import annotations

import pytest

pytest.importorskip("crewai", reason="crewai is not installed")
from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool

pytestmark = pytest.mark.filterwarnings("ignore")


@tool("look")
def look(city: str) -> str:
    """The weather of a city."""
    return f"rain in {city}"


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
    for name in ("CREWAI_DISABLE_TELEMETRY", "OTEL_SDK_DISABLED_FOR_CREWAI", "CREWAI_TRACING_ENABLED"):
        monkeypatch.setenv(name, "false" if "TRACING" in name else "true")


def crew(server, *tools):
    llm = LLM(model="openai/gpt-4o-mini", base_url=f"{server.url}/v1", api_key="k")
    agent = Agent(
        role="forecaster", goal="tell", backstory="knows", tools=list(tools or (look,)), llm=llm, verbose=False
    )
    task = Task(description="Weather in Bergen?", expected_output="weather", agent=agent)
    return Crew(name="weather", agents=[agent], tasks=[task], verbose=False)


def test_a_crew_is_one_run(model, seen):
    server = model()
    assert "rains" in str(crew(server).kickoff())
    run = seen.agent()
    assert run.name == "invoke_agent weather"
    assert seen.execute_tool[0].attributes["gen_ai.tool.name"] == "look"


def test_a_function_of_ours_is_one_call(model, seen, ours):
    crew(model(), tool("look")(ours)).kickoff()
    seen.agent()
