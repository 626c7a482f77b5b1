"""Captured spans are all and only those of the block; the fixture watches the real clients."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import openai
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from spanledger import run, runs, tool
from spanledger.testing import Call, ScriptedServer, Turn, capture_spans


@tool
def weather(city):
    return f"12 degrees in {city}"


def loop(server):
    """An agent's turn: a call, a tool, a call."""
    client = openai.OpenAI(api_key="k", base_url=f"{server.url}/v1")
    messages = [{"role": "user", "content": "weather?"}]
    asked = client.chat.completions.create(model="gpt-4o-mini", messages=messages, tools=[]).choices[0].message
    call = asked.tool_calls[0]
    messages.append(asked.model_dump(exclude_none=True))
    messages.append({"role": "tool", "tool_call_id": call.id, "content": weather(city="Köln")})
    return client.chat.completions.create(model="gpt-4o-mini", messages=messages).choices[0].message.content


def test_the_fixture_watches_clients_and_tools(spanledger_spans):
    script = [Turn(tool_calls=(Call(name="weather", arguments={"city": "Köln"}),)), "12 degrees"]
    with ScriptedServer(script) as server, run("forecast"):
        assert loop(server) == "12 degrees"
    agent = spanledger_spans.one("invoke_agent", agent_run_stop_reason="completed")
    assert agent.name == "invoke_agent forecast"
    assert len(spanledger_spans.of("chat")) == 2
    assert spanledger_spans.one("execute_tool", gen_ai_tool_name="weather").attributes["agent.tool.status"] == "success"
    assert len(spanledger_spans.under(agent)) == 3
    with pytest.raises(AssertionError, match=r"2 spans of 'chat'.*there are Spans\(\["):
        spanledger_spans.one("chat")


def test_nothing_is_captured_before_or_after():
    provider = TracerProvider()
    tracer = provider.get_tracer("t")
    tracer.start_span("before").end()
    with capture_spans(provider) as spans:
        tracer.start_span("inside").end()
        with capture_spans(provider) as inner:
            tracer.start_span("deeper").end()
    tracer.start_span("after").end()
    assert [span.name for span in spans] == ["inside", "deeper"]
    assert [span.name for span in inner] == ["deeper"]
    assert len(spans[:1]) == 1


def test_a_provider_gets_one_processor_however_often_it_is_captured():
    provider = TracerProvider()
    for _ in range(5):
        with capture_spans(provider):
            pass
    assert len(provider._active_span_processor._span_processors) == 1


def test_what_spanledger_uses_is_captured_and_kept():
    provider = TracerProvider()
    runs.use_provider(provider)
    with capture_spans() as spans, run("mine"):
        pass
    assert [span.name for span in spans] == ["invoke_agent mine"]
    assert runs.provider() is provider


def test_without_an_sdk_a_private_provider_serves():
    before = trace.get_tracer_provider()
    assert not isinstance(before, TracerProvider), "tests set no global provider"
    with capture_spans() as spans, run("mine"):
        trace.get_tracer("others").start_span("unseen").end()
    assert [span.name for span in spans] == ["invoke_agent mine"]
    assert runs.provider() is before
    with run("unseen"):
        pass
    assert len(spans) == 1


def test_spans_of_others_carry_the_run():
    provider = TracerProvider()
    with capture_spans(provider) as spans, run("mine") as mine:
        provider.get_tracer("others").start_span("query").end()
    assert spans[0].attributes["agent.run.id"] == mine.id


def test_the_plugin_imports_nothing_of_weight():
    """It is loaded into every test run of the environment, also into those that have nothing to do with us."""
    script = """
        import sys
        import pytest
        before = set(sys.modules)
        import spanledger.pytest_plugin
        print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["spanledger"]


def test_pytest_imports_our_modules_as_they_are():
    """A plugin's package is parsed anew else, here by several threads at once, which not every Python can."""
    ours = [module for name, module in sys.modules.items() if name.startswith("spanledger.") and "plugin" not in name]
    assert ours
    assert {type(module.__spec__.loader).__name__ for module in ours} == {"SourceFileLoader"}
