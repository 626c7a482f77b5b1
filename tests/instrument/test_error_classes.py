"""What a refusal says in its body: the class is what it means, not only what its status says."""

from __future__ import annotations

import json

import pytest

from clients import clients
from driving import only
from more_clients import bedrock
from spanledger.config import Settings
from spanledger.finish import finished, stop_reason_of_finish
from spanledger.instrument import instrument
from spanledger.outcomes import STOP_REASONS, classify_code
from wires import Answers

ASK = [{"role": "user", "content": "hi"}]


def openai(message, code=None, type="invalid_request_error"):
    return {"error": {"message": message, "type": type, "param": None, "code": code}}


def anthropic(type, message):
    return {"type": "error", "error": {"type": type, "message": message}}


def gemini(code, status, message):
    return {"error": {"code": code, "status": status, "message": message}}


REFUSALS = [
    ("openai", 400, openai("no", "context_length_exceeded"), "context_length"),
    ("openai", 400, {"code": "invalid", "error": "This model's maximum prompt length is 8 but ..."}, "context_length"),
    ("openai", 400, openai("your prompt was flagged as potentially violating our usage policy"), "content_filter"),
    ("openai", 400, openai("no", "content_policy_violation", "image_generation_user_error"), "content_filter"),
    ("openai", 402, openai("Insufficient Balance", type="unknown_error"), "rate_limited"),
    ("openai", 413, openai("tokens per minute", "rate_limit_exceeded", "tokens"), "rate_limited"),
    ("openai", 413, openai("too much"), "context_length"),
    ("openai", 422, openai("no"), "invalid_arguments"),
    ("openai", 409, openai("again"), "upstream_error"),
    ("openai", 418, openai("teapot"), "exception"),
    ("anthropic", 400, anthropic("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"), "context_length"),
    ("anthropic", 400, anthropic("invalid_request_error", "`max_tokens` exceed context limit: 1 > 0"), "context_length"),
    ("anthropic", 400, anthropic("invalid_request_error", "Output blocked by content filtering policy"), "content_filter"),
    ("anthropic", 402, anthropic("billing_error", "no"), "rate_limited"),
    ("anthropic", 529, anthropic("overloaded_error", "no"), "upstream_error"),
    ("gemini", 400, gemini(400, "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum"), "context_length"),
    ("gemini", 400, gemini(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."), "auth"),
    ("gemini", 400, gemini(400, "INVALID_ARGUMENT", "no"), "invalid_arguments"),
    ("gemini", 499, gemini(499, "CANCELLED", "no"), "cancelled"),
    ("bedrock", 400, ("ValidationException", "Input is too long for requested model."), "context_length"),
    ("bedrock", 400, ("ThrottlingException", "Too many tokens, please wait"), "rate_limited"),
    ("bedrock", 400, ("ServiceQuotaExceededException", "no"), "rate_limited"),
    ("bedrock", 400, ("ValidationException", "no"), "invalid_arguments"),
    ("bedrock", 424, ("ModelErrorException", "no"), "upstream_error"),
]  # fmt: skip


def call(name, made, **more):
    if name == "openai":
        return made.chat.completions.create(model="m", messages=ASK, **more)
    if name == "anthropic":
        return made.messages.create(model="m", max_tokens=9, messages=ASK, **more)
    if name == "gemini":
        return made.models.generate_content(model="m", contents="hi")
    return made.converse(modelId="m", messages=[{"role": "user", "content": [{"text": "hi"}]}])


@pytest.mark.parametrize(("name", "status", "body", "found"), REFUSALS)
def test_a_refusal_is_what_it_says(provider, spans, name, status, body, found):
    if name == "bedrock":
        pytest.importorskip("boto3")
        made = bedrock(Answers([(status, {"__type": body[0], "message": body[1]})]), False)
    else:
        made = clients(Answers([(status, body)]))[name][0]
    with instrument(Settings(), tracer_provider=provider), pytest.raises(Exception):  # noqa: B017
        call(name, made)
    assert only(spans).attributes["agent.error.class"] == found


GROQ = {"message": "no", "type": "invalid_request_error", "code": "tool_use_failed", "status_code": 400}
MIDWAY = [
    ("openai", openai("This model's maximum context length is 4096 tokens"), "context_length"),
    ("openai", openai("Failed to call a function", "tool_use_failed"), "invalid_arguments"),
    ("openai", {"error": GROQ}, "invalid_arguments"),
    ("openai", openai("no", "rate_limit_exceeded"), "rate_limited"),
    ("openai", openai("no", type="who_knows"), "exception"),
    ("anthropic", anthropic("invalid_request_error", "Output blocked by content filtering policy"), "content_filter"),
    ("anthropic", anthropic("invalid_request_error", "no"), "invalid_arguments"),
    ("anthropic", anthropic("overloaded_error", "no"), "upstream_error"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "body", "found"), MIDWAY)
def test_an_error_in_the_middle_of_a_stream_is_what_it_would_be_at_its_start(provider, spans, name, body, found):
    wire = b"event: error\ndata: " + json.dumps(body).encode() + b"\n\n"
    made = clients(Answers([[wire]]))[name][0]
    with instrument(Settings(), tracer_provider=provider), pytest.raises(Exception):  # noqa: B017
        list(call(name, made, stream=True))
    assert only(spans).attributes["agent.error.class"] == found


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("server_error", "upstream_error"), ("rate_limit_exceeded", "rate_limited"), ("502", "upstream_error"),
        ("vector_store_timeout", "timeout"), ("invalid_image_url", "invalid_arguments"),
        ("image_content_policy_violation", "content_filter"), ("who_knows", "upstream_error"),
    ],
)  # fmt: skip
def test_an_error_inside_an_answer_is_the_providers_unless_it_blames_the_request(code, found):
    assert classify_code(code) == found


@pytest.mark.parametrize(
    ("reason", "word", "stopped"),
    [
        ("STOP", "stop", "completed"), ("tool_use", "tool_call", "completed"), ("model_length", "length", "max_tokens"),
        ("SPII", "content_filter", "content_filter"), ("MALFORMED_FUNCTION_CALL", "error", "model_error"),
        ("malformed_tool_use", "error", "model_error"), ("cancelled", "cancelled", "cancelled"),
        ("pause_turn", "pause_turn", "interrupted"), (None, "error", "model_error"), ("eos", "stop", "completed"),
    ],
)  # fmt: skip
def test_why_a_model_stopped(reason, word, stopped):
    assert finished(reason) == word
    assert stop_reason_of_finish([reason]) == stopped
    assert stopped in STOP_REASONS
