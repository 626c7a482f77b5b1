"""The attempts inside one call are told; a call that went well at once says nothing of them."""

from __future__ import annotations

import asyncio

import anthropic
import openai
import pytest
from google import genai
from google.genai import types

import spanledger
from clients import CHAT, CHAT_ASK, MESSAGE, MESSAGE_ASK, generated, google_options
from spanledger.config import Settings
from spanledger.instrument import instrument
from wires import Answers, http_client, httpx, library_of

BUSY = (503, {"error": {"message": "busy", "code": 503}})
SLOW = (429, {"error": {"message": "slow down", "code": 429}})
GEMINI = {"model": "gemini-2.5-flash", "contents": "Hi"}


def options(client, answers, asynchronous):
    return {"http_client": http_client(answers, library_of(f"{client}._base_client"), asynchronous)}


def gemini(answers):
    quick = types.HttpRetryOptions(attempts=3, initial_delay=0.001, max_delay=0.002, http_status_codes=[429, 503])
    options = types.HttpOptions(retry_options=quick, **google_options(answers))
    return genai.Client(api_key="k", http_options=options)


def call(client, answers, asynchronous):
    if client == "openai":
        made = (openai.AsyncOpenAI if asynchronous else openai.OpenAI)(
            api_key="k", base_url="http://openai.test/v1", max_retries=2, **options(client, answers, asynchronous)
        )
        return made.chat.completions.create(**CHAT_ASK)
    if client == "anthropic":
        made = (anthropic.AsyncAnthropic if asynchronous else anthropic.Anthropic)(
            api_key="k", base_url="http://anthropic.test", max_retries=2, **options(client, answers, asynchronous)
        )
        return made.messages.create(**MESSAGE_ASK)
    made = gemini(answers)
    return (made.aio if asynchronous else made).models.generate_content(**GEMINI)


GOOD = {"openai": CHAT, "anthropic": MESSAGE, "gemini": generated("Hello there")}
if not hasattr(types, "HttpRetryOptions"):
    del GOOD["gemini"]  # it never tries again


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    """The clients' own pauses, in a thousandth of the time."""
    for module in (openai._base_client, anthropic._base_client):
        monkeypatch.setattr(module.BaseClient, "_calculate_retry_timeout", lambda *_, **__: 0.001)


@pytest.fixture(params=["sync", "async"])
def ask(request, provider):
    def ask(client, queue):
        answers = Answers(list(queue))
        if request.param == "sync":
            return call(client, answers, False)

        async def main():
            return await call(client, answers, True)

        return asyncio.run(main())

    with instrument(Settings(), tracer_provider=provider):
        yield ask


@pytest.mark.parametrize("client", GOOD)
def test_the_attempts_of_a_call_are_on_its_span(client, ask, spans):
    ask(client, [SLOW, BUSY, GOOD[client]])
    (span,) = spans()
    said = span.attributes
    assert said["agent.retry.attempts"] == 3
    assert said["agent.retry.errors"] == ("rate_limited", "upstream_error")
    assert 0 < said["agent.retry.wait"] < 60
    assert "agent.error.class" not in said


@pytest.mark.parametrize("client", GOOD)
def test_a_call_that_goes_well_says_nothing_of_attempts(client, ask, spans):
    ask(client, [GOOD[client]])
    assert not [name for name in spans()[0].attributes if name.startswith("agent.retry")]


@pytest.mark.parametrize("client", GOOD)
def test_a_call_that_never_goes_well_tells_the_attempts_before_the_last(client, ask, spans):
    with pytest.raises(Exception, match="slow"):
        ask(client, [BUSY, BUSY, SLOW])
    said = spans()[0].attributes
    assert said["agent.retry.attempts"] == 3
    assert said["agent.retry.errors"] == ("upstream_error", "upstream_error")
    assert said["agent.error.class"] == "rate_limited"


def test_a_broken_connection_is_told_by_its_class(ask, spans):
    ask("openai", [httpx.ConnectError("gone"), httpx.ReadTimeout("late"), CHAT])
    assert spans()[0].attributes["agent.retry.errors"] == ("connection", "timeout")


def test_the_ledger_knows_them_too(provider):
    seen = []
    with instrument(Settings(), tracer_provider=provider) as watching, spanledger.run("a"):
        watching.engine.listeners.append(lambda call: seen.append(call.model_call))
        call("openai", Answers([BUSY, CHAT]), False)
    assert seen[0].retried == ("upstream_error",)
    assert seen[0].retry_wait > 0
