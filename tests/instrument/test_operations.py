"""What costs money and is no chat: each is one call with its provider, model, duration and status, and says that it is unpriced."""

from __future__ import annotations

import importlib
import json
import warnings
from io import BytesIO

import pytest

from clients import clients
from driving import only, run
from more_clients import ONCE, bedrock, cohere, huggingface, mistral, ollama, openrouter, stainless
from spanledger.config import Settings
from spanledger.instrument import instrument
from spanledger.pipeline.steps import default_pipeline
from wires import Answers

USED = {"prompt_tokens": 3, "total_tokens": 3}
VECTOR = {
    "object": "list",
    "model": "m",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.1]}],
    "usage": USED,
}
PICTURE = {"created": 1, "data": [{"b64_json": "aGk="}]}
TEXT = {"text": "Hi"}
JOB = {"id": "b1", "object": "batch", "endpoint": "/v1/chat/completions", "input_file_id": "f", "completion_window": "24h",
       "status": "validating", "created_at": 1}  # fmt: skip
RANKED = {"id": "r1", "object": "rerank", "model": "m", "results": [{"index": 0, "relevance_score": 0.5, "document": {"text": "b"}}],
          "choices": [], "usage": None, "data": [{"index": 0, "relevance_score": 0.5}]}  # fmt: skip
SOUND = b"RIFF"


def known(name):
    return lambda answers, asynchronous: clients(answers)[name][asynchronous]


def google(answers, asynchronous):
    made = clients(answers)["gemini"][0]
    return made.aio if asynchronous else made


def of_mistral(answers, asynchronous):
    made = mistral(answers, asynchronous).made
    return Form(made, "_async" if asynchronous else "")


def of_openrouter(answers, asynchronous):
    return Form(openrouter(answers, asynchronous).made, "_async" if asynchronous else "")


class Form:
    """A client whose asynchronous methods have a name of their own."""

    def __init__(self, made, ending):
        self._made, self._ending = made, ending

    def __call__(self, path, **ask):
        found = self._made
        for name in (path + self._ending).split("."):
            found = getattr(found, name)
        return found(**ask)


def litellm(answers, asynchronous):
    package = importlib.import_module("litellm")
    client = clients(answers)["openai"][asynchronous]
    where = {"client": client, "api_key": "k", "api_base": "http://openai.test/v1"}
    return lambda name, **ask: getattr(package, f"a{name}" if asynchronous else name)(**ask, **where)


def sound():
    return ("a.wav", BytesIO(SOUND))


A, G, T = known("openai"), stainless("groq", "Groq", "groq"), stainless("together", "Together", "together")
F, P = stainless("fireworks", "Fireworks", "fireworks"), stainless("perplexity", "Perplexity", "perplexity")
BATCHED = {"id": "mb", "type": "message_batch", "processing_status": "in_progress", "created_at": "2026-01-01T00:00:00Z", "expires_at": "2026-01-02T00:00:00Z",
           "request_counts": {"processing": 1, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0}}  # fmt: skip
MISTRAL_JOB = {"id": "j", "input_files": [], "endpoint": "/v1/chat/completions", "errors": [], "status": "QUEUED", "created_at": 1, "total_requests": 0,
               "completed_requests": 0, "succeeded_requests": 0, "failed_requests": 0, "model": "m"}  # fmt: skip

# package, client, call, answer, provider, operation, model
CALLS = {
    "openai embeddings": ("openai", A, lambda c: c.embeddings.create(model="m", input="a", encoding_format="float"), VECTOR, "openai", "embeddings", "m"),
    "openai moderation": ("openai", A, lambda c: c.moderations.create(model="m", input="a"), {"id": "x", "model": "m", "results": []}, "openai", "moderation", "m"),
    "openai image": ("openai", A, lambda c: c.images.generate(model="m", prompt="a"), PICTURE, "openai", "image_generation", "m"),
    "openai image edit": ("openai", A, lambda c: c.images.edit(model="m", prompt="a", image=("a.png", b"x")), PICTURE, "openai", "image_generation", "m"),
    "openai speech": ("openai", A, lambda c: c.audio.speech.create(model="m", voice="alloy", input="a"), SOUND, "openai", "speech", "m"),
    "openai transcription": ("openai", A, lambda c: c.audio.transcriptions.create(model="m", file=sound()), TEXT, "openai", "transcription", "m"),
    "openai translation": ("openai", A, lambda c: c.audio.translations.create(model="m", file=sound()), TEXT, "openai", "translation", "m"),
    "openai batch": ("openai", A, lambda c: c.batches.create(input_file_id="f", endpoint="/v1/chat/completions", completion_window="24h"), JOB, "openai", "batch", None),
    "openai fine-tuning": ("openai", A, lambda c: c.fine_tuning.jobs.create(model="m", training_file="f"), {"id": "ft", "model": "m"}, "openai", "fine_tuning", "m"),
    "openai video": ("openai", A, lambda c: c.videos.create(model="m", prompt="a"), {"id": "v", "model": "m", "status": "queued"}, "openai", "video_generation", "m"),
    "anthropic batch": ("anthropic", known("anthropic"), lambda c: c.messages.batches.create(requests=[]), BATCHED, "anthropic", "batch", None),
    "gemini embeddings": ("google.genai", google, lambda c: c.models.embed_content(model="m", contents="a"), {"embeddings": [{"values": [0.1]}]}, "gcp.gemini", "embeddings", "m"),
    "gemini batch": ("google.genai", google, lambda c: c.batches.create(model="m", src=[{"contents": [{"parts": [{"text": "a"}]}]}]), {"name": "batches/1", "metadata": {"state": "BATCH_STATE_PENDING"}}, "gcp.gemini", "batch", "m"),
    "groq embeddings": ("groq", G, lambda c: c.embeddings.create(model="m", input="a"), VECTOR, "groq", "embeddings", "m"),
    "groq speech": ("groq", G, lambda c: c.audio.speech.create(model="m", voice="v", input="a"), SOUND, "groq", "speech", "m"),
    "groq transcription": ("groq", G, lambda c: c.audio.transcriptions.create(model="m", file=sound()), TEXT, "groq", "transcription", "m"),
    "groq translation": ("groq", G, lambda c: c.audio.translations.create(model="m", file=sound()), TEXT, "groq", "translation", "m"),
    "groq batch": ("groq", G, lambda c: c.batches.create(input_file_id="f", endpoint="/v1/chat/completions", completion_window="24h"), JOB, "groq", "batch", None),
    "together embeddings": ("together", T, lambda c: c.embeddings.create(model="m", input="a"), VECTOR, "together", "embeddings", "m"),
    "together image": ("together", T, lambda c: c.images.generate(model="m", prompt="a"), {"id": "i", "model": "m", "object": "list", **PICTURE}, "together", "image_generation", "m"),
    "together rerank": ("together", T, lambda c: c.rerank.create(model="m", query="a", documents=["b"]), RANKED, "together", "rerank", "m"),
    "together speech": ("together", T, lambda c: c.audio.speech.create(model="m", voice="v", input="a"), SOUND, "together", "speech", "m"),
    "together transcription": ("together", T, lambda c: c.audio.transcriptions.create(model="m", file=sound()), TEXT, "together", "transcription", "m"),
    "together batch": ("together", T, lambda c: c.batches.create(input_file_id="f", endpoint="/v1/chat/completions"), {"job": JOB}, "together", "batch", None),
    "together video": ("together", T, lambda c: c.videos.create(model="m", prompt="a"), {"id": "v", "model": "m", "status": "queued"}, "together", "video_generation", "m"),
    "fireworks embeddings": ("fireworks", F, lambda c: c.embeddings.create(model="m", input="a"), VECTOR, "fireworks", "embeddings", "m"),
    "fireworks rerank": ("fireworks", F, lambda c: c.rerank.create(model="m", query="a", documents=["b"]), RANKED, "fireworks", "rerank", "m"),
    "perplexity search": ("perplexity", P, lambda c: c.search.create(query="a"), {"id": "s", "results": []}, "perplexity", "search", None),
    "perplexity embeddings": ("perplexity", P, lambda c: c.embeddings.create(model="pplx-embed-v1-4b", input=["a"]), VECTOR, "perplexity", "embeddings", "pplx-embed-v1-4b"),
    "mistral embeddings": ("mistralai", of_mistral, lambda c: c("embeddings.create", model="m", inputs=["a"]), VECTOR | {"id": "e"}, "mistral_ai", "embeddings", "m"),
    "mistral moderation": ("mistralai", of_mistral, lambda c: c("classifiers.moderate", model="m", inputs=["a"]), {"id": "x", "model": "m", "results": []}, "mistral_ai", "moderation", "m"),
    "mistral ocr": ("mistralai", of_mistral, lambda c: c("ocr.process", model="m", document={"type": "document_url", "document_url": "http://d.test/a"}), {"model": "m", "pages": [], "usage_info": {"pages_processed": 1}}, "mistral_ai", "ocr", "m"),
    "mistral transcription": ("mistralai", of_mistral, lambda c: c("audio.transcriptions.complete", model="m", file_url="http://d.test/a"), {"model": "m", "text": "Hi", "language": None, "segments": [], "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}}, "mistral_ai", "transcription", "m"),
    "mistral batch": ("mistralai", of_mistral, lambda c: c("batch.jobs.create", model="m", input_files=["f"], endpoint="/v1/chat/completions"), MISTRAL_JOB, "mistral_ai", "batch", "m"),
    "cohere rerank": ("cohere", cohere("ClientV2"), lambda c: c.rerank(model="m", query="a", documents=["b"], request_options=ONCE), {"id": "r", "results": []}, "cohere", "rerank", "m"),
    "cohere embeddings": ("cohere", cohere("ClientV2"), lambda c: c.embed(model="m", texts=["a"], input_type="search_query", embedding_types=["float"], request_options=ONCE), {"id": "e", "embeddings": {"float": [[0.1]]}, "response_type": "embeddings_by_type"}, "cohere", "embeddings", "m"),
    "cohere batch": ("cohere", cohere("Client"), lambda c: c.embed_jobs.create(model="m", dataset_id="d", input_type="search_document", request_options=ONCE), {"job_id": "j"}, "cohere", "batch", "m"),
    "ollama embeddings": ("ollama", ollama, lambda c: c.embed(model="m", input=["a"]), {"model": "m", "embeddings": [[0.1]]}, "ollama", "embeddings", "m"),
    "huggingface embeddings": ("huggingface_hub", huggingface, lambda c: c.feature_extraction("a", model="http://hf.test/m"), b"[[0.1]]", "huggingface", "embeddings", "http://hf.test/m"),
    "huggingface speech": ("huggingface_hub", huggingface, lambda c: c.text_to_speech("a", model="http://hf.test/m"), SOUND, "huggingface", "speech", "http://hf.test/m"),
    "huggingface transcription": ("huggingface_hub", huggingface, lambda c: c.automatic_speech_recognition(SOUND, model="http://hf.test/m"), TEXT, "huggingface", "transcription", "http://hf.test/m"),
    "openrouter embeddings": ("openrouter", of_openrouter, lambda c: c("embeddings.generate", model="m", input="a"), VECTOR, "openrouter", "embeddings", "m"),
    "litellm embeddings": ("litellm", litellm, lambda c: c("embedding", model="openai/m", input=["a"]), VECTOR, "openai", "embeddings", "m"),
    "litellm image": ("litellm", litellm, lambda c: c("image_generation", model="openai/m", prompt="a"), PICTURE, "openai", "image_generation", "m"),
    "litellm moderation": ("litellm", litellm, lambda c: c("moderation", model="openai/m", input="a"), {"id": "x", "model": "m", "results": []}, "openai", "moderation", "m"),
    "bedrock embeddings": ("boto3", bedrock, lambda c: c.invoke_model(modelId="amazon.titan-embed-text-v2:0", body=json.dumps({"inputText": "a"}))["body"].read(), {"embedding": [0.1], "inputTextTokenCount": 3}, "aws.bedrock", "embeddings", "amazon.titan-embed-text-v2:0"),
    "bedrock image": ("boto3", bedrock, lambda c: c.invoke_model(modelId="amazon.nova-canvas-v1:0", body=json.dumps({"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "a"}}))["body"].read(), {"images": ["aGk="]}, "aws.bedrock", "image_generation", "amazon.nova-canvas-v1:0"),
    "bedrock rerank": ("boto3", bedrock, lambda c: c.invoke_model(modelId="cohere.rerank-v3-5:0", body=json.dumps({"query": "a", "documents": ["b"], "api_version": 2}))["body"].read(), {"results": []}, "aws.bedrock", "rerank", "cohere.rerank-v3-5:0"),
}  # fmt: skip


pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # some of it is old


@pytest.fixture(params=CALLS)
def row(request):
    found = CALLS[request.param]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip(found[0])
    return found


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def asynchronous(request, row):
    if request.param and row[0] == "boto3":
        pytest.skip("the client has no asynchronous form")
    return request.param


def made(row, answer, asynchronous):
    try:
        return row[1](Answers([answer]), asynchronous)
    except AttributeError:
        pytest.skip("this version of the client has no such thing")


def call(row, answer, asynchronous):
    client = made(row, answer, asynchronous)
    try:
        return run(row[2](client))
    except AttributeError as error:
        if "has no attribute" in str(error):
            pytest.skip(f"this version of the client has no such call: {error}")
        raise
    except ImportError as error:
        pytest.skip(f"the client wants more than itself here: {error}")


def test_it_is_one_call(row, asynchronous, provider, spans):
    _, _, _, answer, named, operation, model = row
    seen = []
    with instrument(Settings(), tracer_provider=provider) as watching:
        watching.engine.listeners.append(seen.append)
        call(row, answer, asynchronous)
    span = only(spans)
    said = span.attributes
    assert (said["gen_ai.provider.name"], said["gen_ai.operation.name"]) == (named, operation)
    assert said.get("gen_ai.request.model") == model
    assert span.start_time < span.end_time
    assert span.status.is_unset
    assert len(seen) == 1
    cost = default_pipeline(Settings())(span).attributes
    if seen[0].endpoint.inference:
        tokens = "gen_ai.usage.input_tokens" in cost
        assert cost["agent.cost.status"] in (("priced", "unknown_model") if tokens else ("no_usage", "unknown_model"))


def test_its_failure_is_seen(row, asynchronous, provider, spans):
    failure = (500, {"error": {"message": "broken", "code": 500, "status": "INTERNAL"}, "message": "broken"})
    with instrument(Settings(), tracer_provider=provider), pytest.raises(Exception) as caught:
        call(row, failure, asynchronous)
    assert not isinstance(caught.value, (TypeError, KeyError))
    assert only(spans).attributes["agent.error.class"] == "upstream_error"
