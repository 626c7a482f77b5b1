"""The context protocol of OpenTelemetry's GenAI utilities, with the real package, in both directions."""

from __future__ import annotations

import openai
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

import spanledger
from clients import CHAT, CHAT_ASK, CHAT_EVENTS, CHAT_USAGE
from spanledger import runs
from spanledger.config import Settings
from spanledger.instrument import instrument
from wires import Answers, httpx

handler = pytest.importorskip("opentelemetry.util.genai.handler")

UNTOLD = {key: value for key, value in CHAT.items() if key != "usage"}
EMBEDDED = {
    "object": "list", "model": "text-embedding-3-small", "usage": {"prompt_tokens": 3, "total_tokens": 3},
    "data": [{"object": "embedding", "index": 0, "embedding": [0.1]}],
}  # fmt: skip


@pytest.fixture
def reader():
    return InMemoryMetricReader()


@pytest.fixture
def theirs(provider, reader):
    """Another instrumentation, built on the package."""
    return handler.TelemetryHandler(tracer_provider=provider, meter_provider=MeterProvider([reader]))


@pytest.fixture
def watching(provider):
    with instrument(Settings(), tracer_provider=provider) as made:
        yield made


class Inside(Answers):
    """A transport in which another instrumentation is at work: it begins a call of its own and learns its usage."""

    def __init__(self, begin, queue):
        super().__init__(queue)
        self.begin = begin

    def __call__(self, request):
        self.begin()
        return super().__call__(request)


def client(answers):
    transport = httpx.MockTransport(answers)
    return openai.OpenAI(
        api_key="k", base_url="http://openai.test/v1", max_retries=0, http_client=httpx.Client(transport=transport)
    )


def only(spans):
    (span,) = [span for span in spans() if not span.name.startswith("invoke_agent")]
    return span


# --- around them -----------------------------------------------------------------------------------------------------


def test_who_stands_inside_makes_no_span_and_tells_what_our_answer_did_not_say(theirs, watching, spans):
    def begin():
        with theirs.inference("openai", request_model="gpt-4o-mini") as call:
            call.response_id, call.input_tokens, call.output_tokens, call.finish_reasons = "r1", 12, 5, ["stop"]

    with spanledger.run("a") as run:
        client(Inside(begin, [UNTOLD])).chat.completions.create(**CHAT_ASK)
    span = only(spans)
    assert span.instrumentation_scope.name == "spanledger"
    assert (run.usage.input, run.usage.output, run.usage.unknown) == (12, 5, 0)
    assert span.attributes["gen_ai.usage.input_tokens"] == 12
    assert span.attributes["gen_ai.response.id"] == CHAT["id"]  # our own answer said that


def test_our_own_answer_goes_before_what_they_say(theirs, watching, spans):
    def begin():
        with theirs.inference("openai", request_model="gpt-4o-mini") as call:
            call.input_tokens, call.output_tokens = 999, 999

    client(Inside(begin, [CHAT])).chat.completions.create(**CHAT_ASK)
    assert only(spans).attributes["gen_ai.usage.input_tokens"] == CHAT_USAGE["prompt_tokens"]


def test_an_embedding_inside_of_ours_is_one_span(theirs, watching, spans):
    def begin():
        with theirs.embedding("openai", request_model="text-embedding-3-small"):
            pass

    client(Inside(begin, [EMBEDDED])).embeddings.create(
        model="text-embedding-3-small", input="Hi", encoding_format="float"
    )
    assert only(spans).attributes["gen_ai.operation.name"] == "embeddings"


# --- inside of them --------------------------------------------------------------------------------------------------


def counted(reader):
    """The tokens that their metrics count, by kind."""
    points = [
        point for data in (reader.get_metrics_data().resource_metrics or ()) for scope in data.scope_metrics
        for metric in scope.metrics if metric.name == "gen_ai.client.token.usage" for point in metric.data.data_points
    ]  # fmt: skip
    return {point.attributes["gen_ai.token.type"]: point.sum for point in points}


@pytest.mark.parametrize("stream", [False, True])
def test_their_span_and_their_metrics_have_what_we_know(theirs, watching, spans, reader, stream):
    ask = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
    with spanledger.run("a") as run, theirs.inference("openai", request_model="gpt-4o-mini"):
        answer = client(Answers([list(CHAT_EVENTS) if stream else CHAT])).chat.completions.create(**CHAT_ASK, **ask)
        if stream:
            list(answer)
    said = only(spans).attributes
    assert said["agent.run.id"] == run.id
    assert said["gen_ai.response.id"] == CHAT["id"]
    assert said["gen_ai.response.finish_reasons"] == ("stop",)
    assert (said["gen_ai.usage.input_tokens"], run.usage.input) == (9, 9)
    assert counted(reader) == {"input": 9, "output": 4}


def test_an_embedding_inside_of_theirs_is_one_span(theirs, watching, spans, reader):
    with theirs.embedding("openai", request_model="text-embedding-3-small"):
        client(Answers([EMBEDDED])).embeddings.create(
            model="text-embedding-3-small", input="Hi", encoding_format="float"
        )
    said = only(spans).attributes
    assert said["gen_ai.operation.name"] == "embeddings"
    assert said["gen_ai.usage.input_tokens"] == 3
    assert counted(reader) == {"input": 3}


@pytest.mark.parametrize("kind", ["inference", "embedding"])
def test_a_call_that_they_do_not_sample_has_no_span_of_ours(exporter, reader, kind):
    provider = TracerProvider(sampler=ALWAYS_OFF)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    ours = TracerProvider()
    ours.add_span_processor(SimpleSpanProcessor(exporter))
    theirs = handler.TelemetryHandler(tracer_provider=provider)
    made = client(Answers([CHAT if kind == "inference" else EMBEDDED]))
    with instrument(Settings(), tracer_provider=ours), getattr(theirs, kind)("openai", request_model="m"):
        if kind == "inference":
            made.chat.completions.create(**CHAT_ASK)
        else:
            made.embeddings.create(model="m", input="Hi", encoding_format="float")
    assert not exporter.get_finished_spans()
    runs.use_provider(None)
