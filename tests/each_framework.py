"""One agent of each framework, in a process of its own: which spans come out, whoever comes first, told to or not."""

from __future__ import annotations

import asyncio
import json
import sys
from importlib.util import find_spec

TURNS = [{"tool_calls": [{"name": "look", "arguments": {"city": "Bergen"}}]}, "It rains in Bergen."]
FINAL = [TURNS[0], {"tool_calls": [{"name": "final_answer", "arguments": {"answer": "It rains."}}]}]


def look(city: str) -> str:
    """The weather of a city.

    Args:
        city: Where.
    """
    return f"rain in {city}"


def ag2(url, *, telemetry):
    from ag2 import Agent
    from ag2.config import OpenAIConfig
    from ag2.middleware.builtin.telemetry import TelemetryMiddleware

    config = OpenAIConfig(model="gpt-4o-mini", base_url=url, api_key="k")
    middleware = [TelemetryMiddleware(agent_name="weather")] if telemetry else []
    agent = Agent("weather", config=config, tools=[look], middleware=middleware)
    return lambda: asyncio.run(agent.ask("Weather?"))


def autogen(url, *, telemetry):
    from autogen_agentchat.agents import AssistantAgent
    from autogen_ext.models.openai import OpenAIChatCompletionClient

    llm = OpenAIChatCompletionClient(model="gpt-4o-mini", base_url=url, api_key="k")
    agent = AssistantAgent("weather", model_client=llm, tools=[look], reflect_on_tool_use=True)
    return lambda: asyncio.run(agent.run(task="Weather?"))


def crewai(url, *, telemetry):
    from crewai import LLM, Agent, Crew, Task
    from crewai.tools import tool

    llm = LLM(model="openai/gpt-4o-mini", base_url=url, api_key="k")
    agent = Agent(role="forecaster", goal="tell", backstory="knows", tools=[tool("look")(look)], llm=llm)
    task = Task(description="Weather?", expected_output="weather", agent=agent)
    return Crew(name="weather", agents=[agent], tasks=[task]).kickoff


def google_adk(url, *, telemetry):
    import os

    from google.adk.agents import LlmAgent
    from google.adk.runners import InMemoryRunner
    from google.genai import types

    os.environ.update(GOOGLE_GEMINI_BASE_URL=url.removesuffix("/v1"), GOOGLE_API_KEY="k")
    runner = InMemoryRunner(LlmAgent(name="weather", model="gemini-2.5-flash", tools=[look]), app_name="a")

    async def main():
        session = await runner.session_service.create_session(app_name="a", user_id="u")
        said = types.Content(role="user", parts=[types.Part(text="Weather?")])
        return [event async for event in runner.run_async(user_id="u", session_id=session.id, new_message=said)]

    return lambda: asyncio.run(main())


def langgraph(url, *, telemetry):
    from langchain.agents import create_agent
    from langchain_openai import ChatOpenAI

    agent = create_agent(ChatOpenAI(model="gpt-4o-mini", base_url=url, api_key="k"), [look], name="weather")
    return lambda: agent.invoke({"messages": [{"role": "user", "content": "Weather?"}]})


def llama_index(url, *, telemetry):
    from llama_index.core.agent.workflow import FunctionAgent
    from llama_index.llms.openai import OpenAI

    llm = OpenAI(model="gpt-4o-mini", api_base=url, api_key="k")
    agent = FunctionAgent(name="weather", description="d", tools=[look], llm=llm)

    async def main():
        return await agent.run("Weather?")

    return lambda: asyncio.run(main())


def openai_agents(url, *, telemetry):
    from agents import Agent, OpenAIResponsesModel, Runner, function_tool, set_tracing_disabled
    from openai import AsyncOpenAI

    set_tracing_disabled(True)
    model = OpenAIResponsesModel(model="gpt-4o-mini", openai_client=AsyncOpenAI(base_url=url, api_key="k"))
    agent = Agent(name="weather", model=model, tools=[function_tool(look)])
    return lambda: Runner.run_sync(agent, "Weather?")


def pydantic_ai(url, *, telemetry):
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    Agent.instrument_all(telemetry)
    model = OpenAIChatModel("gpt-4o-mini", provider=OpenAIProvider(base_url=url, api_key="k"))
    agent = Agent(model, name="weather", tools=[look])
    return lambda: agent.run_sync("Weather?")


def smolagents(url, *, telemetry):
    from smolagents import OpenAIServerModel, ToolCallingAgent, tool

    model = OpenAIServerModel(model_id="gpt-4o-mini", api_base=url, api_key="k")
    agent = ToolCallingAgent(tools=[tool(look)], model=model, name="weather", description="d", verbosity_level=0)
    return lambda: agent.run("Weather?")


def strands(url, *, telemetry):
    from strands import Agent, tool
    from strands.models.openai import OpenAIModel

    llm = OpenAIModel(client_args={"api_key": "k", "base_url": url}, model_id="gpt-4o-mini")
    agent = Agent(model=llm, tools=[tool(look)], name="weather", callback_handler=None)
    return lambda: agent("Weather?")


ALL = {
    ag2: "ag2", autogen: "autogen_agentchat", crewai: "crewai", google_adk: "google.adk", langgraph: "langchain_openai",
    llama_index: "llama_index.llms", openai_agents: "agents", pydantic_ai: "pydantic_ai", smolagents: "smolagents",
    strands: "strands",
}  # fmt: skip
"""Each, and the module without which it is not installed."""


def installed(name):
    try:
        return find_spec(ALL[globals()[name]]) is not None
    except ImportError:
        return False


def main(name, order, telemetry):
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    import spanledger
    from spanledger.testing import ScriptedServer

    exporter, build, told = InMemorySpanExporter(), globals()[name], telemetry == "telemetry"

    def configure():
        if told:  # the provider is the process's
            return spanledger.configure(exporters=[exporter], journal_off=True)
        provider = TracerProvider()
        made = spanledger.configure(tracer_provider=provider, journal_off=True)
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        return made

    with ScriptedServer(FINAL if name == "smolagents" else TURNS) as server:
        made = configure() if order == "ours-first" else None
        go = build(f"{server.url}/v1", telemetry=told)
        made = made or configure()
        go()
    made.force_flush()
    spans = [
        {"name": s.name, "scope": s.instrumentation_scope.name, **s.attributes} for s in exporter.get_finished_spans()
    ]
    print("\n" + json.dumps(spans, default=str))


if __name__ == "__main__":
    main(*sys.argv[1:])
