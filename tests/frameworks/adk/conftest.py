"""What tests of Google ADK share: the process's provider, a runner, and agents with a model each."""

from __future__ import annotations

import asyncio
import gc
import logging

import pytest
from opentelemetry import trace

from spanledger.config import Settings
from spanledger.frameworks import watch_frameworks
from spanledger.instrument import Brakes, instrument
from spanledger.limits import Limits
from spanledger.testing import ScriptedServer
from spanledger.testing._script import Script
from spanledger.testing.scenario import Failure, Scenario, Turn


@pytest.fixture(scope="session", autouse=True)
def _global():
    """Its tracers are those of the process's provider."""
    from opentelemetry.sdk.trace import TracerProvider

    if not isinstance(trace.get_tracer_provider(), TracerProvider):
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


@pytest.fixture
def engine(provider):
    with instrument(Settings(), tracer_provider=provider) as instrumentation:
        yield instrumentation.engine


@pytest.fixture
def watching(engine):
    with watch_frameworks() as watching:
        yield watching
        assert watching.missing == {}


@pytest.fixture
def limit(engine):
    """Put limits at the door."""
    put = []

    def start(**given):
        put.append(Brakes(engine, Limits(**given)))
        return put[-1].limits

    yield start
    for brakes in put:
        brakes.off()


@pytest.fixture(autouse=True)
def _clean(caplog):
    """Nothing that is attached is detached elsewhere, and every generator can be closed."""
    with caplog.at_level(logging.ERROR):
        yield
        gc.collect()
    assert "Failed to detach context" not in caplog.text
    assert "already running" not in caplog.text


class Adk:
    """A runner in memory, and sessions of the user ``u``."""

    def runner(self, agent):
        from google.adk.runners import InMemoryRunner

        return InMemoryRunner(agent, app_name="a")

    async def session(self, runner):
        return (await runner.session_service.create_session(app_name="a", user_id="u")).id

    def asked(self, text="Weather?"):
        from google.genai import types

        return types.Content(role="user", parts=[types.Part(text=text)])

    def stream(self, runner, session, text="Weather?", **more):
        return runner.run_async(user_id="u", session_id=session, new_message=self.asked(text), **more)

    def ask(self, agent, *texts, **more):
        """The events of one invocation for each of *texts*, of one session."""

        async def main():
            runner = self.runner(agent)
            session = await self.session(runner)
            said = texts or ("Weather?",)
            return [event for text in said async for event in self.stream(runner, session, text, **more)]

        return asyncio.run(main())


@pytest.fixture
def adk():
    return Adk()


class Said(Script):
    """What each agent's model says, in order: a model is known by its name."""

    def __init__(self):
        super().__init__(Scenario())
        self.turns = {}

    def next(self, asked):
        with self._lock:
            self._number += 1
            left = self.turns[asked.model]
            return (left.pop(0) if left else Turn(error=Failure(status=400, message="nothing left"))), self._number


@pytest.fixture
def agent_of(monkeypatch):
    """Make an agent with a model of its own, which says *turns* in order."""
    from google.adk.agents import LlmAgent

    with ScriptedServer([]) as server:
        server.script = Said()
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)
        monkeypatch.setenv("GOOGLE_API_KEY", "k")

        def make(name, *turns, **more):
            server.script.turns[f"gemini-{name}"] = [*Scenario.load(turns).turns]
            return LlmAgent(name=name, model=f"gemini-{name}", description=f"Knows the {name}.", **more)

        yield make


@pytest.fixture
def agent(watching, agent_of):
    """The same, watched."""
    return agent_of


@pytest.fixture
def calls():
    """A turn that calls a tool."""
    return lambda name, **arguments: {"tool_calls": [{"name": name, "arguments": arguments}]}


@pytest.fixture
def transfers(calls):
    """A turn that hands over."""
    return lambda name: calls("transfer_to_agent", agent_name=name)


@pytest.fixture
def shape(seen):
    """Our runs: name, stop reason, steps, model calls, tool calls, in the order in which they ended."""

    def look():
        runs = [span for span in seen.invoke_agent if "agent.run.status" in span.attributes]
        keys = ("stop_reason", "steps", "model_calls", "tool_calls")
        return [(s.attributes["gen_ai.agent.name"], *(s.attributes[f"agent.run.{k}"] for k in keys)) for s in runs]

    return look
