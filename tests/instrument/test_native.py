"""A client's own span is the call's: one span, complete, whichever client form asks and however the call ends."""

from __future__ import annotations

import asyncio
import os
from contextlib import nullcontext
from dataclasses import replace

import anthropic
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import StatusCode

import spanledger
from clients import MESSAGE, MESSAGE_ASK, MESSAGE_EVENTS, Answers
from spanledger import runs
from spanledger.budget import Budget
from spanledger.config import Settings
from spanledger.instrument import Brakes, instrument
from spanledger.ledger import ledger
from spanledger.limits import Limits
from spanledger.providers.anthropic import ADAPTER
from wires import Pieces, http_client, httpx, library_of

NATIVE = "com.anthropic.sdk.python"
BUSY = (429, {"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}})
CACHED = {**MESSAGE, "usage": {**MESSAGE["usage"], "cache_read_input_tokens": 30, "cache_creation_input_tokens": 5}}
no_native = pytest.mark.skipif(not hasattr(anthropic.Anthropic, "open_telemetry"), reason="this version makes no spans")


@pytest.fixture
def answers():
    return Answers([CACHED])


@pytest.fixture(params=[False, True], ids=["quiet", "content"])
def content(request):
    return request.param


@pytest.fixture
def watching(provider, content):
    with instrument(Settings(content="span_only" if content else "no_content"), tracer_provider=provider) as made:
        yield made


def client(answers, provider, asynchronous=False, **options):
    wire = http_client(answers, library_of("anthropic._base_client"), asynchronous)
    kind = anthropic.AsyncAnthropic if asynchronous else anthropic.Anthropic
    telemetry = {"tracer_provider": provider}
    return kind(
        api_key="k",
        base_url="http://anthropic.test",
        http_client=wire,
        max_retries=0,
        open_telemetry=telemetry,
        **options,
    )


def whole(c):
    return c.messages.create(**MESSAGE_ASK)


def raw(c):
    return c.messages.with_raw_response.create(**MESSAGE_ASK).parse()


def stream(c):
    return list(c.messages.create(**MESSAGE_ASK, stream=True))


def helper(c):
    with c.messages.stream(**MESSAGE_ASK) as events:
        return list(events)


def raw_stream(c):
    with c.messages.with_streaming_response.create(**MESSAGE_ASK, stream=True) as answer:
        return list(answer.parse())


async def whole_later(c):
    return await c.messages.create(**MESSAGE_ASK)


async def stream_later(c):
    return [event async for event in await c.messages.create(**MESSAGE_ASK, stream=True)]


async def helper_later(c):
    async with c.messages.stream(**MESSAGE_ASK) as events:
        return [event async for event in events]


FORMS = (whole, raw, stream, helper, raw_stream, whole_later, stream_later, helper_later)


def do(form, answers, provider):
    asynchronous = form.__name__.endswith("_later")
    made = client(answers, provider, asynchronous)
    return asyncio.run(form(made)) if asynchronous else form(made)


def of_the_call(spans):
    (span,) = [span for span in spans() if not span.name.startswith("invoke_agent")]
    return span


@no_native
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_it_has_all_that_a_span_of_ours_has(form, answers, watching, provider, spans, content):
    streamed = "stream" in form.__name__ or "helper" in form.__name__
    if streamed:
        answers.queue = [list(MESSAGE_EVENTS)]
    with spanledger.run("a") as run:
        do(form, answers, provider)
    span = of_the_call(spans)
    said = span.attributes
    assert span.instrumentation_scope.name == NATIVE
    assert (said["agent.run.id"], said["agent.step.id"]) == (run.id, f"{run.id}.1")
    assert said["gen_ai.response.finish_reasons"] == ("end_turn",)
    assert said["gen_ai.usage.input_tokens"] == run.usage.input == (9 if streamed else 44)
    assert said["gen_ai.usage.output_tokens"] == run.usage.output
    assert (said.get("gen_ai.usage.cache_read.input_tokens"), said.get("gen_ai.usage.cache_write.input_tokens")) == (
        (None, None) if streamed else (30, 5)
    )
    assert said["gen_ai.response.model"] == MESSAGE["model"]
    assert said["agent.usage.source"] == "provider"
    assert span.status.status_code is StatusCode.OK
    assert ("gen_ai.output.messages" in said, "gen_ai.input.messages" in said) == (content, content)
    assert not content or "Hello" in said["gen_ai.output.messages"]
    assert ledger.get(run.id).model_calls == 1
    assert span.start_time < span.end_time < next(s for s in spans() if s.name == "invoke_agent a").end_time


@no_native
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_a_failure_is_on_it(form, answers, watching, provider, spans):
    answers.queue = [BUSY]
    with pytest.raises(anthropic.RateLimitError), spanledger.run("a"):
        do(form, answers, provider)
    span = of_the_call(spans)
    assert (span.instrumentation_scope.name, span.status.status_code) == (NATIVE, StatusCode.ERROR)
    assert (span.attributes["agent.error.class"], span.attributes["error.type"]) == ("rate_limited", "rate_limit_error")


@no_native
@pytest.mark.parametrize("form", [stream, helper, stream_later, helper_later], ids=lambda form: form.__name__)
def test_a_stream_that_breaks_is_one_failed_span(form, answers, watching, provider, spans):
    answers.queue = [Pieces(list(MESSAGE_EVENTS)[:2], httpx.ReadError("gone"))]
    with pytest.raises(Exception, match="gone|onnection"), spanledger.run("a"):
        do(form, answers, provider)
    said = of_the_call(spans).attributes
    assert (said["agent.stream.end"], said["agent.error.class"]) == ("error", "connection")


@no_native
def test_a_stream_that_is_left_is_ended(answers, watching, provider, spans):
    answers.queue = [list(MESSAGE_EVENTS)]
    with spanledger.run("a"):
        for _ in client(answers, provider).messages.create(**MESSAGE_ASK, stream=True):
            break
    said = of_the_call(spans).attributes
    assert said["agent.stream.end"] in ("closed", "abandoned")


@no_native
def test_a_request_that_the_client_makes_no_span_for_has_ours(answers, watching, provider, spans):
    made = client(answers, provider)
    made.post("/v1/messages", body=dict(MESSAGE_ASK), cast_to=anthropic.types.Message)
    span = of_the_call(spans)
    assert span.instrumentation_scope.name == "spanledger"
    assert span.attributes["gen_ai.usage.input_tokens"] == 44


@no_native
def test_a_call_that_a_limit_denies_has_a_span(answers, watching, provider, spans):
    brakes = Brakes(watching.engine, Limits([Budget(tokens=1, action="stop")]))
    try:
        with pytest.raises(spanledger.LimitExceeded), spanledger.run("a"):
            whole(client(answers, provider))
    finally:
        brakes.off()
    assert of_the_call(spans).attributes["agent.decision.outcome"] == "stop"
    assert not answers.requests


@no_native
def test_a_span_that_goes_to_another_backend_is_not_ours_to_adopt(answers, watching, spans):
    whole(client(answers, TracerProvider()))
    assert of_the_call(spans).instrumentation_scope.name == "spanledger"


@no_native
def test_it_is_as_it_was_when_nobody_watches(answers, provider, spans):
    with instrument(Settings(), tracer_provider=provider):
        pass
    whole(client(answers, provider))
    (span,) = spans()
    assert not [name for name in span.attributes if name.startswith("agent.")]


@no_native
@pytest.mark.parametrize("beside", [False, True])
def test_a_version_that_begins_its_spans_elsewhere_is_kept_silent_so_that_a_call_has_one(
    answers, provider, spans, monkeypatch, beside
):
    moved = replace(ADAPTER, voices=("anthropic._base_client:moved_away",))
    monkeypatch.setenv("ANTHROPIC_OPEN_TELEMETRY", "true")
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    wire = http_client(answers, library_of("anthropic._base_client"), False)
    peer = provider.get_tracer("peer").start_as_current_span if beside else lambda *_, **__: nullcontext()
    asked = {"gen_ai.operation.name": "chat", "gen_ai.request.model": MESSAGE["model"]}
    with instrument(Settings(native_spans=True), tracer_provider=provider, adapters=[moved]):
        made = anthropic.Anthropic(api_key="k", base_url="http://anthropic.test", http_client=wire, max_retries=0)
        with peer("chat", kind=trace.SpanKind.CLIENT, attributes=asked):
            whole(made)
        assert os.environ["ANTHROPIC_OPEN_TELEMETRY"] == "false"
    span = of_the_call(spans)
    assert span.instrumentation_scope.name == ("peer" if beside else "spanledger")
    assert span.attributes["gen_ai.usage.input_tokens"] == 44
    assert os.environ["ANTHROPIC_OPEN_TELEMETRY"] == "true"  # as the user has it


# --- xAI, whose tracers are made when it is imported -------------------------------------------------------------------


@pytest.fixture
def xai(provider, monkeypatch):
    """xAI's client, imported before us: it has tracers."""
    chat = pytest.importorskip("xai_sdk.sync.chat")
    aio = pytest.importorskip("xai_sdk.aio.chat")
    for module in (chat, aio):
        monkeypatch.setattr(module, "tracer", provider.get_tracer("xai"))
    from odd_clients import ODD_CASES

    return next(case for case in ODD_CASES if case.name == "xai")


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("native", [False, True])
def test_xai_imported_before_us_is_one_complete_span(xai, provider, spans, native, streams, asynchronous):
    answers = Answers([list(xai.events) if streams else xai.answer])
    settings = Settings(native_spans=native, content="span_only")

    async def later(made):
        if streams:
            return [each async for each in xai.stream(made)]
        return await xai.call(made)

    with instrument(settings, tracer_provider=provider), spanledger.run("a") as run:
        made = xai.client(answers, asynchronous)
        if asynchronous:
            asyncio.run(later(made))
        else:
            list(xai.stream(made)) if streams else xai.call(made)
    span = of_the_call(spans)
    said = span.attributes
    assert span.instrumentation_scope.name == ("xai" if native else "spanledger")
    assert said["agent.run.id"] == run.id
    assert said["gen_ai.usage.input_tokens"] == run.usage.input == 9
    assert said["agent.usage.source"] == "provider"
    assert "Hello there" in said["gen_ai.output.messages"]
    assert "XAI_SDK_DISABLE_TRACING" not in os.environ
    import xai_sdk.sync.chat

    assert xai_sdk.sync.chat.tracer.__class__.__name__ == "Tracer"  # it is put back


def test_no_context_is_left_behind(xai, provider):
    before = trace.get_current_span()
    with instrument(Settings(native_spans=True), tracer_provider=provider):
        xai.call(xai.client(Answers([xai.answer]), False))
    assert trace.get_current_span() is before
    assert runs.attempts() is None
