"""What tests of frameworks share: a scripted model, everything watched, and a look at the spans by operation."""

from __future__ import annotations

import importlib
import sys
from contextlib import suppress

import pytest
from opentelemetry import trace

import spanledger
from spanledger.config import Settings
from spanledger.frameworks import watch_frameworks
from spanledger.instrument import instrument
from spanledger.instrument._tools import watch_tools
from spanledger.patching import Patches
from spanledger.testing import ScriptedServer

AGENT = ({"tool_calls": [{"name": "look", "arguments": {"city": "Bergen"}}]}, "It rains in Bergen.")
"""The model asks for one tool, and answers."""


@pytest.fixture
def watching(provider):
    with instrument(Settings(), tracer_provider=provider), watch_frameworks() as watching:
        yield watching
        assert watching.missing == {}


@pytest.fixture(params=[False, True], ids=["quiet", "native"])
def native(request, provider, monkeypatch):
    """Whether the framework's own telemetry is on: it is told to make spans, or finds the process's provider."""
    if request.param:
        monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
        with suppress(ImportError):  # version 1 has none
            monkeypatch.setattr("mcp.shared._otel._tracer", provider.get_tracer("mcp-python-sdk"))
    return request.param


TOOL = '''
def look(city: str) -> str:
    """The weather of a city.

    Args:
        city: Where.
    """
    seen.append(city)
    return f"rain in {city}"

seen = []
'''


@pytest.fixture(params=["decorated", "named"])
def ours(request, tmp_path, monkeypatch):
    """A plain function that is a tool of ours: decorated, or named in SPANLEDGER_TOOLS.  It runs once."""
    (tmp_path / "weather_tools.py").write_text(TOOL)
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("weather_tools", None)
    patches = Patches()
    if request.param == "named":
        watch_tools(("weather_tools:look",), patches)
    module = importlib.import_module("weather_tools")
    yield module.look if request.param == "named" else spanledger.tool(module.look)
    patches.undo()
    del sys.modules["weather_tools"]
    assert module.seen == ["Bergen"]


@pytest.fixture
def model(watching, monkeypatch):
    """Start a scripted model; the environment points OpenAI's clients at it."""
    started = []

    def start(turns=AGENT):
        server = ScriptedServer(turns if isinstance(turns, dict) else list(turns)).start()
        started.append(server)
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        monkeypatch.setenv("OPENAI_API_BASE", f"{server.url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)
        monkeypatch.setenv("GOOGLE_API_KEY", "k")
        return server

    yield start
    for server in started:
        server.close()


class Seen:
    """The finished spans of this test, by operation."""

    def __init__(self, spans):
        self._spans = spans

    def __getattr__(self, operation):
        return [span for span in self._spans() if span.attributes.get("gen_ai.operation.name") == operation]

    def agent(self, model_calls=2, tool_calls=1, reason="completed"):
        """The one run there is, after a look that all of it hangs together."""
        (run,) = self.invoke_agent
        said = run.attributes
        assert said["agent.run.stop_reason"] == reason
        assert (said["agent.run.model_calls"], said["agent.run.tool_calls"]) == (model_calls, tool_calls)
        chats = [*self.chat, *self.generate_content]
        assert (len(chats), len(self.execute_tool)) == (model_calls, tool_calls)
        mine = [*chats, *self.execute_tool]
        assert {span.attributes["agent.run.id"] for span in mine} == {said["agent.run.id"]}
        assert {span.context.trace_id for span in mine} == {run.context.trace_id}
        assert all(span.parent is not None for span in mine)
        return run


@pytest.fixture
def seen(spans):
    return Seen(spans)
