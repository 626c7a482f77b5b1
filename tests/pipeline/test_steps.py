"""The order of steps, what is withheld, what a call costs, and what leaves when a step breaks."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from opentelemetry.trace import Link, SpanContext, TraceFlags, TraceState

from spanledger import pricing, semconv
from spanledger.config import Settings
from spanledger.ledger import Run, ledger
from spanledger.pipeline import Pipeline, Record, default_steps
from spanledger.pipeline.cost import add_cost
from spanledger.pipeline.steps import FAILED
from spanledger.pipeline.truncate import shortened


def protect(span, **settings):
    return Pipeline(default_steps(Settings(**settings)))(span)


def test_a_copy_says_all_that_the_span_said(finished):
    link = Link(
        SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1), trace_state=TraceState([("a", "b")])), {"x": 1}
    )
    span = finished("plain", {"a": 1, "b": ["c"]}, events=[("e", {"f": "g"})], description="h", links=[link])
    copy = Record.of(span).span()
    assert copy.to_json() == span.to_json()
    assert copy.status.description == "h"


def test_the_span_itself_is_not_touched(finished):
    span = finished("to jane@leak.com", {"mail": "jane@leak.com"})
    protect(span)
    assert span.attributes["mail"] == "jane@leak.com"
    assert span.name == "to jane@leak.com"


def test_everything_a_span_says_is_redacted(finished):
    mail = "jane@leak.com"
    context = SpanContext(
        1, 2, is_remote=True, trace_flags=TraceFlags(1), trace_state=TraceState([("v", mail), ("w", "ok")])
    )
    span = finished(
        f"ask {mail}", {"text": mail, f"user.{mail}": "x", "messages": json.dumps([{"role": "user", "content": mail}])},
        events=[(f"said {mail}", {"exception.message": mail, "exception.stacktrace": f'File "x"\n  send("{mail}")'})],
        description=f"no such user {mail}", links=[Link(context, {"who": mail})], scope=f"scope {mail}",
    )  # fmt: skip
    protected = protect(span)
    told = protected.to_json() + str(protected.instrumentation_scope) + str(protected.links[0].context.trace_state)
    assert mail not in told
    assert "ok" in told
    assert protected.attributes["agent.redaction.count.email"] == 10


def test_redaction_can_be_turned_off(finished):
    assert protect(finished(attributes={"a": "jane@leak.com"}), redact=False).attributes["a"] == "jane@leak.com"


def test_arguments_and_results_leave_as_hashes(finished):
    span = finished("execute_tool mail", {semconv.TOOL_ARGUMENTS: '{"to": "x"}', semconv.TOOL_RESULT: "sent"})
    attributes = protect(span).attributes
    assert semconv.TOOL_ARGUMENTS not in attributes
    assert semconv.TOOL_RESULT not in attributes
    assert attributes[semconv.TOOL_ARGS_HASH].startswith("hmac-sha256:")
    assert attributes[semconv.TOOL_RESULT_SIZE] == len('"sent"')
    assert attributes[semconv.HASH_CANONICALIZATION] == "jcs/1"


def test_stored_arguments_are_hashed_before_they_are_redacted(finished):
    raw = finished("execute_tool mail", {semconv.TOOL_ARGUMENTS: '{"to": "jane@leak.com"}'})
    stored = protect(raw, store_arguments=True).attributes
    assert stored[semconv.TOOL_ARGUMENTS] == '{"to": "[EMAIL]"}'
    assert stored[semconv.TOOL_ARGS_HASH] == protect(raw).attributes[semconv.TOOL_ARGS_HASH]


def test_a_hash_that_the_call_wrote_stays(finished):
    span = finished(attributes={semconv.TOOL_ARGUMENTS: "{}", semconv.TOOL_ARGS_HASH: "hmac-sha256:k:1"})
    assert protect(span).attributes[semconv.TOOL_ARGS_HASH] == "hmac-sha256:k:1"


def test_a_model_call_is_priced(finished, monkeypatch):
    asked = {}

    def price(usage, **about):
        asked.update(about, usage=usage)
        return pricing.Price(Decimal("0.0125"), "priced", "genai-prices", "1")

    monkeypatch.setattr(pricing, "price", price)
    span = finished(attributes={
        "gen_ai.operation.name": "chat", "gen_ai.system": "openai", "gen_ai.request.model": "gpt-5",
        "gen_ai.usage.input_tokens": 100, "gen_ai.usage.cache_creation.input_tokens": 30,
        "gen_ai.usage.output_tokens": 5,
    })  # fmt: skip
    attributes = protect(span).attributes
    assert attributes[semconv.COST_AMOUNT] == 0.0125
    assert (attributes[semconv.COST_CURRENCY], attributes[semconv.COST_SOURCE]) == ("USD", "local")
    assert (asked["usage"].uncached, asked["usage"].cache_write, asked["provider"]) == (70, 30, "openai")
    assert asked["at"] == span.start_time


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ({}, "priced"),
        ({"openai.request.service_tier": "scale"}, "unsupported_tier"),
        ({"openai.request.service_tier": "scale", "openai.response.service_tier": "default"}, "priced"),
        ({"anthropic.response.service_tier": "scale"}, "unsupported_tier"),
        ({"anthropic.response.service_tier": "standard"}, "priced"),
        ({"anthropic.response.service_tier": "standard", "agent.response.speed": "optimized"}, "unsupported_tier"),
        ({"agent.request.inference_geo": "us", "agent.response.inference_geo": "global"}, "priced"),
        ({"agent.request.service_tier": "flex"}, "unsupported_tier"),
        ({"agent.request.service_tier": "flex", "agent.response.service_tier": "on_demand"}, "priced"),
    ],
)
def test_the_tier_that_was_answered_on_decides_the_price(finished, facts, status):
    attributes = {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 1, **facts,
    }  # fmt: skip
    assert protect(finished(attributes=attributes)).attributes[semconv.COST_STATUS] == status


@pytest.mark.parametrize("operation", ["invoke_agent", "invoke_workflow", "execute_tool", "fetch_response", None])
def test_totals_of_others_are_not_priced(finished, operation, monkeypatch):
    monkeypatch.setattr(pricing, "price", lambda *_a, **_k: pytest.fail("priced"))
    attributes = {"gen_ai.usage.input_tokens": 100}
    if operation:
        attributes["gen_ai.operation.name"] = operation
    assert semconv.COST_STATUS not in protect(finished(attributes=attributes)).attributes


def test_an_unpriced_call_says_why_and_has_no_amount(finished, monkeypatch):
    monkeypatch.setattr(pricing, "price", lambda *_a, **_k: pricing.Price(None, "unknown_model"))
    attributes = protect(finished(attributes={"gen_ai.operation.name": "chat"})).attributes
    assert attributes[semconv.COST_STATUS] == "unknown_model"
    assert semconv.COST_AMOUNT not in attributes


def test_the_span_of_a_run_gets_its_cost_from_the_ledger(finished):
    run = Run("run-of-the-cost-test")
    run._cost = Decimal("0.5")
    ledger.open(run)
    record = Record.of(finished(attributes={semconv.RUN_ID: run.id, semconv.RUN_STATUS: "success"}))
    add_cost(record)
    assert record.attributes[semconv.RUN_COST] == 0.5
    assert record.attributes[semconv.RUN_UNPRICED] == 0


def test_a_step_that_breaks_lets_only_safe_names_and_numbers_leave(finished, lenient):
    def broken(record):
        raise ValueError(record.name)

    span = finished(
        "chat with jane@leak.com",
        {
            "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-5", "gen_ai.usage.input_tokens": 7,
            "gen_ai.input.messages": "secret", "agent.run.id": "r1", "gen_ai.response.model": "my secret model!",
            "http.url": "https://x", "agent.label.team": "secret",
        },
        events=[("secret", {})], description="secret",
    )  # fmt: skip
    protected = Pipeline([broken])(span)
    assert protected.name == "chat"
    assert dict(protected.attributes) == {
        "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-5", "gen_ai.usage.input_tokens": 7,
        "agent.run.id": "r1", FAILED: True,
    }  # fmt: skip
    assert "secret" not in protected.to_json()
    assert protected.context == span.context


def test_a_long_message_is_cut_inside_its_parts(finished):
    messages = [
        {"role": "user", "parts": [{"type": "text", "content": "x" * 50_000}]},
        {"role": "assistant", "parts": [{"type": "text", "content": "yes"}], "finish_reason": "stop"},
    ]
    protected = protect(finished(attributes={"gen_ai.output.messages": json.dumps(messages)}), max_value_bytes=2048)
    text = protected.attributes["gen_ai.output.messages"]
    assert len(text.encode()) <= 2048
    cut = json.loads(text)
    assert [m["role"] for m in cut] == ["user", "assistant"]
    assert "bytes cut]" in cut[0]["parts"][0]["content"]
    assert cut[1] == messages[1]
    assert list(protected.attributes[semconv.TRUNCATED]) == ["gen_ai.output.messages"]
    assert protected.attributes["agent.truncated.gen_ai.output.messages.size"] == len(json.dumps(messages))


def test_of_many_messages_the_first_and_the_newest_stay():
    messages = [{"role": "user", "parts": [{"type": "text", "content": f"message {i}"}]} for i in range(500)]
    cut = json.loads(shortened(json.dumps(messages), 2048))
    assert cut[0] == messages[0]
    assert cut[-1] == messages[-1]
    assert all(set(m) == {"role", "parts"} for m in cut)


@pytest.mark.parametrize(
    "value", ["ü" * 3000, '{"a": ' + "[" * 40 + "]" * 40 + "}", '{"%s": 1}' % ("k" * 5000), "[" + "1," * 4000 + "1]"]
)
def test_nothing_is_larger_than_allowed(value):
    cut = shortened(value, 1024)
    assert len(cut.encode()) <= 1024
    if value[0] in "[{":
        json.loads(cut)
