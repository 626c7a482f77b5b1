"""Spans of others are read by table and held to the same rules; other dialects are written on request."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from opentelemetry.trace import StatusCode

from spanledger import pricing, semconv
from spanledger.config import Settings
from spanledger.errors import ConfigurationError
from spanledger.pipeline import default_pipeline

SPELLINGS = {
    "openinference": {
        "openinference.span.kind": "LLM", "llm.model_name": "gpt-5", "llm.provider": "openai",
        "llm.token_count.prompt": 100, "llm.token_count.completion": 7,
        "llm.token_count.prompt_details.cache_read": 30, "input.value": "ask jane@leak.com",
        "llm.input_messages.0.message.content": "ask jane@leak.com",
    },
    "openllmetry": {
        "llm.request.type": "chat", "gen_ai.system": "OpenAI", "gen_ai.request.model": "gpt-5",
        "gen_ai.usage.prompt_tokens": 100, "gen_ai.usage.completion_tokens": 7,
        "gen_ai.usage.cache_read_input_tokens": 30, "gen_ai.prompt.0.content": "ask jane@leak.com",
    },
    "openlit": {
        "gen_ai.operation.name": "chat", "gen_ai.system": "openai", "gen_ai.request.model": "gpt-5",
        "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 7,
        "gen_ai.usage.cache_read.input_tokens": 30, "gen_ai.content.prompt": "ask jane@leak.com",
    },
    "logfire": {
        "gen_ai.operation.name": "chat", "gen_ai.system": "openai", "gen_ai.request.model": "gpt-5",
        "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 7,
        "gen_ai.usage.details.cache_read_tokens": 30,
        "request_data": '{"messages": [{"role": "user", "content": "ask jane@leak.com"}]}',
    },
    "old GenAI": {
        "gen_ai.operation.name": "chat", "gen_ai.system": "openai", "gen_ai.request.model": "gpt-5",
        "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 7,
        "gen_ai.usage.cache_read.input_tokens": 30, "gen_ai.prompt": "ask jane@leak.com",
    },
}  # fmt: skip


@pytest.mark.parametrize("dialect", SPELLINGS)
def test_priced_and_redacted_alike(finished, monkeypatch, dialect):
    asked = {}

    def price(usage, **about):
        asked.update(about, usage=usage)
        return pricing.Price(Decimal("0.5"), "priced", "genai-prices")

    monkeypatch.setattr(pricing, "price", price)
    protected = default_pipeline(Settings())(finished(attributes=SPELLINGS[dialect]))
    usage = asked["usage"]
    assert (usage.uncached, usage.cache_read, usage.output) == (70, 30, 7)
    assert asked["provider"] == "openai"
    assert "gpt-5" in (asked["model"], asked["request_model"])
    assert protected.attributes[semconv.COST_AMOUNT] == 0.5
    assert "jane@leak.com" not in protected.to_json()


def test_langfuse_counts_in_json(finished):
    attributes = {
        "langfuse.observation.type": "generation",
        "langfuse.observation.model.name": "gpt-5",
        "langfuse.observation.usage_details": '{"input": 100, "output": 7}',
    }
    found = default_pipeline(Settings())(finished(attributes=attributes)).attributes
    assert (found[semconv.USAGE_INPUT], found[semconv.USAGE_OUTPUT]) == (100, 7)
    assert found[semconv.OPERATION] == "chat"


@pytest.mark.parametrize(
    "attributes",
    [
        {"openinference.span.kind": "TOOL", "input.value": '{"to": "x"}', "output.value": "sent"},
        {"traceloop.span.kind": "tool", "traceloop.entity.input": '{"to": "x"}', "traceloop.entity.output": "sent"},
        {"langfuse.observation.type": "tool", "langfuse.observation.input": '{"to": "x"}',
         "langfuse.observation.output": "sent"},
    ],
)  # fmt: skip
def test_tool_calls_of_others_leave_as_hashes(finished, attributes):
    ours = default_pipeline(Settings())(finished(attributes={semconv.TOOL_ARGUMENTS: '{"to":"x"}'})).attributes
    found = default_pipeline(Settings())(finished(attributes=attributes)).attributes
    assert found[semconv.TOOL_ARGS_HASH] == ours[semconv.TOOL_ARGS_HASH]
    assert semconv.TOOL_RESULT_HASH in found
    assert '{"to": "x"}' not in found.values()
    assert "sent" not in found.values()


def test_the_thin_layer_for_phoenix(finished):
    attributes = {
        semconv.OPERATION: "chat", semconv.RESPONSE_MODEL: "gpt-5-2026", semconv.INPUT_MESSAGES: "[]",
        semconv.CONVERSATION_ID: "c", semconv.USAGE_REASONING: 3,
    }  # fmt: skip
    found = default_pipeline(Settings(dialects=("openinference",)))(finished(attributes=attributes)).attributes
    assert found["openinference.span.kind"] == "LLM"
    assert found["llm.model_name"] == "gpt-5-2026"
    assert (found["input.value"], found["input.mime_type"]) == ("[]", "application/json")
    assert found["session.id"] == "c"
    assert found["llm.token_count.completion_details.reasoning"] == 3


def test_costs_by_other_names(finished, monkeypatch):
    monkeypatch.setattr(pricing, "price", lambda *_a, **_k: pricing.Price(Decimal("0.5"), "priced"))
    settings = Settings(dialects=("openlit", "logfire", "langfuse", "openinference"))
    found = default_pipeline(settings)(finished(attributes={semconv.OPERATION: "chat"})).attributes
    assert found["gen_ai.usage.cost"] == found["operation.cost"] == found["llm.cost.total"] == 0.5
    assert found["langfuse.observation.cost_details"] == '{"total": 0.5}'


def test_an_unknown_dialect_is_an_error():
    with pytest.raises(ConfigurationError, match="valid: openinference"):
        default_pipeline(Settings(dialects=("klingon",)))


def test_the_span_of_a_run_says_what_it_was_asked_and_answered(finished):
    def messages(role, text):
        return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}], "finish_reason": "stop"}])

    pipeline = default_pipeline(Settings(dialects=("openinference",)))
    calls = [("where is my order, jane@leak.com?", "let me see"), ("tool says: on its way", "it is on its way")]
    for asked, answered in calls:
        pipeline(finished(attributes={
            semconv.OPERATION: "chat", semconv.RUN_ID: "r1", semconv.INPUT_MESSAGES: messages("user", asked),
            semconv.OUTPUT_MESSAGES: messages("assistant", answered),
        }))  # fmt: skip
    root = pipeline(
        finished(attributes={semconv.OPERATION: "invoke_agent", semconv.RUN_ID: "r1", semconv.RUN_STATUS: "success"})
    )
    assert root.attributes["input.value"] == "where is my order, [EMAIL]?"
    assert root.attributes["output.value"] == "it is on its way"
    assert root.attributes["openinference.span.kind"] == "AGENT"
    other = pipeline(
        finished(attributes={semconv.OPERATION: "invoke_agent", semconv.RUN_ID: "r2", semconv.RUN_STATUS: "success"})
    )
    assert "input.value" not in other.attributes


@pytest.mark.parametrize(
    ("attributes", "given", "leaves"),
    [
        ({semconv.OPERATION: "chat"}, StatusCode.UNSET, StatusCode.OK),
        ({semconv.OPERATION: "chat"}, StatusCode.ERROR, StatusCode.ERROR),
        ({semconv.OPERATION: "invoke_agent", semconv.RUN_STATUS: "failure"}, StatusCode.UNSET, StatusCode.UNSET),
        ({"http.request.method": "GET"}, StatusCode.UNSET, StatusCode.UNSET),
    ],
)
def test_what_went_well_is_ok_in_openinference(finished, attributes, given, leaves):
    span = finished(attributes=attributes, description="broke" if given is StatusCode.ERROR else None)
    assert default_pipeline(Settings(dialects=("openinference",)))(span).status.status_code is leaves
    assert default_pipeline(Settings())(span).status.status_code is given
