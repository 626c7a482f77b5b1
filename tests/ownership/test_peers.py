"""One call, one span, one price, whoever else traces here and whoever came first."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import sys
import warnings

import anthropic
import openai
import pytest

import spanledger
from spanledger import runs
from spanledger.config import Settings
from spanledger.instrument import instrument
from spanledger.ledger import ledger
from spanledger.testing import ScriptedServer, Turn

PEERS = {
    "official": ("opentelemetry.instrumentation.genai.openai", "opentelemetry.instrumentation.genai.anthropic"),
    "openinference": ("openinference.instrumentation.openai", "openinference.instrumentation.anthropic"),
    "openllmetry": ("opentelemetry.instrumentation.openai.v1", "opentelemetry.instrumentation.anthropic"),
    "logfire": ("logfire", "logfire"),
}
CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}]}
MESSAGE = {"model": "claude-haiku-4-5", "max_tokens": 64, "messages": [{"role": "user", "content": "Hi"}]}


def here(peer):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return [importlib.import_module(module) for module in PEERS[peer]]
        except Exception:  # noqa: BLE001 - not installed, or broken on this version of OpenTelemetry
            return None


INSTALLED = [name for name in PEERS if here(name)]
if not INSTALLED:
    pytest.skip(f"none of {', '.join(PEERS)} is installed", allow_module_level=True)


@pytest.fixture(scope="module", params=INSTALLED)
def peer(request):
    return request.param


RESOURCES = (
    "openai.resources.chat.completions.completions", "openai.resources.responses.responses", "openai.resources.completions",
    "openai.resources.embeddings", "anthropic.resources.messages.messages", "anthropic.resources.beta.messages.messages",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _nothing_left():
    """Some leave wrappers behind, or put methods where there were none; clients load their parts when they are used."""
    for module in RESOURCES:
        importlib.import_module(module)
    kinds = list({
        kind for name, module in list(sys.modules.items())
        if name.split(".")[0] in ("openai", "anthropic") and ("resources" in name or "client" in name)
        for kind in list(vars(module).values())
        if isinstance(kind, type) and kind.__module__.split(".")[0] in ("openai", "anthropic")
    })  # fmt: skip
    before = [dict(vars(kind)) for kind in kinds]
    yield
    for kind, was in zip(kinds, before, strict=True):
        for name, value in list(vars(kind).items()):
            if name not in was:
                delattr(kind, name)
            elif value is not was[name] and not name.startswith("__"):
                setattr(kind, name, was[name])


@contextlib.contextmanager
def tracing(peer, provider):
    """The other instrumentation, on."""
    if peer == "logfire":
        import logfire

        made = logfire.configure(send_to_logfire=False, console=False, local=True)
        made.config._tracer_provider.set_provider(provider)
        with made.instrument_openai(), made.instrument_anthropic():
            yield
        return
    instrumentors = []
    for module, name in zip(PEERS[peer], ("OpenAIInstrumentor", "AnthropicInstrumentor"), strict=True):
        instrumentors.append(getattr(importlib.import_module(module.removesuffix(".v1")), name)())
        instrumentors[-1].instrument(tracer_provider=provider, skip_dep_check=True)
    try:
        yield
    finally:
        for instrumentor in instrumentors:
            instrumentor.uninstrument()


@pytest.fixture(params=["they first", "we first"])
def both(request, peer, provider):
    with contextlib.ExitStack() as stack:
        if request.param == "they first":
            stack.enter_context(tracing(peer, provider))
        stack.enter_context(instrument(Settings(), tracer_provider=provider))
        if request.param == "we first":
            stack.enter_context(tracing(peer, provider))
        yield


@pytest.fixture
def server():
    with ScriptedServer([Turn(text="Hello there")] * 4) as made:
        yield made


def openai_of(server):
    return openai.OpenAI(api_key="k", base_url=f"{server.url}/v1", max_retries=0)


def anthropic_of(server):
    return anthropic.Anthropic(api_key="k", base_url=server.url, max_retries=0)


def speaking(server, asynchronous=False):
    """An Anthropic client that makes spans of its own, as it does by default where nobody silences it."""
    kind = anthropic.AsyncAnthropic if asynchronous else anthropic.Anthropic
    if not hasattr(kind, "open_telemetry"):
        pytest.skip("this version makes no spans")
    options = {"tracer_provider": runs.provider()}
    return kind(api_key="k", base_url=server.url, max_retries=0, open_telemetry=options)


def helper(client):
    with client.messages.stream(**MESSAGE) as stream:
        return list(stream)


CALLS = {
    "chat": (openai_of, lambda c: c.chat.completions.create(**CHAT)),
    "chat stream": (
        openai_of,
        lambda c: list(c.chat.completions.create(**CHAT, stream=True, stream_options={"include_usage": True})),
    ),
    "chat raw": (openai_of, lambda c: c.chat.completions.with_raw_response.create(**CHAT).parse()),
    "responses": (openai_of, lambda c: c.responses.create(model="gpt-4o-mini", input="Hi")),
    "responses stream": (openai_of, lambda c: list(c.responses.create(model="gpt-4o-mini", input="Hi", stream=True))),
    "messages": (anthropic_of, lambda c: c.messages.create(**MESSAGE)),
    "messages stream": (anthropic_of, lambda c: list(c.messages.create(**MESSAGE, stream=True))),
    "messages helper": (anthropic_of, helper),
}


for _how in ("messages", "messages stream", "messages helper"):
    CALLS[f"native {_how}"] = (speaking, CALLS[_how][1])


async def asynchronous(server, how):
    if how == "chat":
        async with openai.AsyncOpenAI(api_key="k", base_url=f"{server.url}/v1") as client:
            await client.chat.completions.create(**CHAT)
    elif how == "chat stream":
        async with openai.AsyncOpenAI(api_key="k", base_url=f"{server.url}/v1") as client:
            options = {"stream": True, "stream_options": {"include_usage": True}}
            [chunk async for chunk in await client.chat.completions.create(**CHAT, **options)]
    elif how == "native messages":
        async with speaking(server, True) as client:
            await client.messages.create(**MESSAGE)
    elif how == "native messages stream":
        async with speaking(server, True) as client:
            [event async for event in await client.messages.create(**MESSAGE, stream=True)]
    elif how == "messages":
        async with anthropic.AsyncAnthropic(api_key="k", base_url=server.url) as client:
            await client.messages.create(**MESSAGE)
    else:
        async with anthropic.AsyncAnthropic(api_key="k", base_url=server.url) as client:
            [event async for event in await client.messages.create(**MESSAGE, stream=True)]


def of_calls(spans):
    """The spans that stand for a model call, in whichever dialect."""
    found = []
    for span in spans():
        said = span.attributes
        kind = said.get("openinference.span.kind") or said.get("gen_ai.operation.name")
        if kind in ("LLM", "chat", "text_completion") and said.get("logfire.span_type") != "log":
            found.append(span)
    return found


ENDED_EARLY = {("logfire", how) for how in ("chat stream", "responses stream", "messages stream", "messages helper")}
"""Logfire's span ends when the stream begins."""


def check(spans, run):
    (span,) = of_calls(spans)
    said = span.attributes
    assert said["agent.run.id"] == run.id
    assert said["agent.step.number"] == 1
    assert (run.steps, run.usage.unknown) == (1, 0)
    assert run.usage.input > 0
    assert ledger.get(run.id).model_calls == 1
    return said


@pytest.mark.parametrize("how", CALLS)
def test_one_call_is_one_span(both, peer, server, spans, how):
    client, call = CALLS[how]
    with client(server) as made, spanledger.run("agent") as run:
        call(made)
    said = check(spans, run)
    if (peer, how.removeprefix("native ")) in ENDED_EARLY:
        return
    assert said["gen_ai.usage.input_tokens"] == run.usage.input
    if (peer, how) != ("official", "responses stream"):  # its span ends on the last event but one
        assert said["agent.usage.source"] == "provider"


ASYNCHRONOUS = ("chat", "chat stream", "messages", "messages stream", "native messages", "native messages stream")


@pytest.mark.parametrize("how", ASYNCHRONOUS)
def test_one_asynchronous_call_is_one_span(both, peer, server, spans, how):
    with spanledger.run("agent") as run:
        asyncio.run(asynchronous(server, how))
    check(spans, run)


def test_a_call_outside_any_run_is_one_span_that_carries_its_run(both, server, spans):
    with openai_of(server) as client:
        client.chat.completions.create(**CHAT)
    (span,) = of_calls(spans)
    assert span.attributes["agent.run.stop_reason"] == "completed"
    assert not ledger.going_on()


def test_an_agent_loop_that_nobody_opened_is_one_run_without_a_span_of_ours(both, provider, spans):
    tools = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}]
    turns = [{"tool_calls": [{"name": "look"}]}, "Done"]
    with ScriptedServer(turns) as server, openai_of(server) as client:
        answer = client.chat.completions.create(**CHAT, tools=tools).choices[0].message
        result = {"role": "tool", "tool_call_id": answer.tool_calls[0].id, "content": "seen"}
        messages = [*CHAT["messages"], answer.model_dump(exclude_none=True), result]
        client.chat.completions.create(model="gpt-4o-mini", messages=messages, tools=tools)
    first, last = of_calls(spans)
    assert first.attributes["agent.run.id"] == last.attributes["agent.run.id"]
    assert [s.attributes["agent.step.number"] for s in (first, last)] == [1, 2]
    assert last.attributes["agent.run.stop_reason"] == "completed"
    assert "agent.run.stop_reason" not in first.attributes
    assert (last.attributes["agent.run.model_calls"], last.attributes["agent.run.tool_calls"]) == (2, 1)
    assert not [span for span in spans() if span.name.startswith("invoke_agent")]
    assert not runs._implicit._open
