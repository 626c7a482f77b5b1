"""A call that is all of its run: where only its span reaches the journal, that says what the ledger would have said."""

from __future__ import annotations

import contextlib

import openai
import pytest
from opentelemetry.sdk.trace import TracerProvider

from clients import CHAT, CHAT_ASK, Answers, clients
from spanledger import shield
from spanledger.config import Settings
from spanledger.instrument import instrument
from spanledger.journal import Archive, Journal, JournalSpanExporter, RunRow
from spanledger.ledger import ledger
from spanledger.pipeline import LedgerSpanProcessor

CACHED = {**CHAT["usage"], "prompt_tokens_details": {"cached_tokens": 3}}
TOLD = (
    "steps", "model_calls", "model_errors", "tool_calls", "models", "input_tokens", "output_tokens",
    "cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "unknown_usage", "cost", "unpriced", "status",
    "stop_reason", "error_class",
)  # fmt: skip


@pytest.fixture
def answers():
    return Answers()


@pytest.fixture
def provider(path):
    made = TracerProvider()
    made.add_span_processor(LedgerSpanProcessor(JournalSpanExporter(Journal(path)), settings=Settings()))
    yield made
    made.shutdown()


@pytest.fixture
def watched(provider, answers):
    with instrument(Settings(), tracer_provider=provider):
        yield clients(answers)["openai"][0]


@pytest.fixture
def ended():
    runs = []
    ledger.listen(ended=runs.append)
    return runs


@pytest.mark.parametrize(
    "answer",
    [CHAT, {**CHAT, "usage": CACHED}, {**CHAT, "usage": None}, {**CHAT, "model": "nobodys-own"}, (429, {"error": {}})],
    ids=["whole", "cached", "no usage", "unknown model", "refused"],
)
def test_its_span_says_what_the_ledger_says(provider, watched, answers, ended, path, answer):
    answers.queue = [answer]
    with contextlib.suppress(openai.APIError):
        watched.chat.completions.create(**CHAT_ASK)
    provider.force_flush()
    expected = RunRow.of(*ended)
    with Archive(path) as archive:
        row = archive.run("latest")
    assert {name: getattr(row, name) for name in TOLD} == {name: getattr(expected, name) for name in TOLD}


def test_who_looks_on_and_fails_costs_nobody_a_call(watched, answers, ended):
    def fails(_run):
        raise RuntimeError("cannot notify on un-acquired lock")

    ledger._started = (fails, *ledger._started)
    ledger._ended = (fails, *ledger._ended)
    shield.strict(False)
    answers.queue = [CHAT]
    watched.chat.completions.create(**CHAT_ASK)
    assert [(run.status, run.model_calls) for run in ended] == [("success", 1)]
    assert shield.failures["telling of a run that began"] == shield.failures["telling of a run that ended"] == 1
