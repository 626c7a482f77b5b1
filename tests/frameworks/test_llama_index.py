"""LlamaIndex: runs and tools."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("llama_index.core", reason="llama-index is not installed")
pytest.importorskip("llama_index.llms.openai", reason="llama-index-llms-openai is not installed")
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.llms.openai import OpenAI

import spanledger

pytestmark = pytest.mark.filterwarnings("ignore")


def look(city: str) -> str:
    """The weather of a city."""
    return f"rain in {city}"


def broken(city: str) -> str:
    """The weather of a city."""
    raise TimeoutError(city)


def ask(server, tool=look):
    llm = OpenAI(model="gpt-4o-mini", api_base=f"{server.url}/v1", api_key="k", max_retries=0)

    async def main():
        agent = FunctionAgent(name="weather", description="d", tools=[tool], llm=llm)
        return str(await agent.run("Weather in Bergen?"))

    return asyncio.run(main())


def test_a_run_is_one_run(model, seen):
    assert "rains" in ask(model())
    run = seen.agent()
    assert run.name == "invoke_agent weather"


def test_a_tool_of_ours_is_one_call(model, seen):
    ask(model(), spanledger.tool(version="2")(look))
    seen.agent()
    assert seen.execute_tool[0].attributes["agent.tool.version"] == "2"


def test_a_tool_that_fails_is_seen_behind_what_the_model_is_told(model, seen):
    ask(model([{"tool_calls": [{"name": "broken", "arguments": {"city": "Bergen"}}]}, "Sorry."]), broken)
    seen.agent()
    assert seen.execute_tool[0].attributes["agent.error.class"] == "timeout"


def test_a_function_of_ours_is_one_call(model, seen, ours):
    ask(model(), ours)
    seen.agent()
