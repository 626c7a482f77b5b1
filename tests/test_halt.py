"""
The practice: an agent with a cheap planner and a dear generator halts at $0.50 or 15 steps, whichever comes first.

Real clients over HTTP against the scripted server; what the calls cost is added up here by hand.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

import anthropic
import openai
import pytest
from google import genai
from google.genai import types

import spanledger
from spanledger import setup
from spanledger.budget import Budget
from spanledger.errors import BudgetExceeded
from spanledger.testing import ScriptedServer

OFF = {"api_key": "none", "max_retries": 0}


@dataclass(frozen=True)
class Model:
    """A model that is asked for so much; *rates* are USD per million tokens in and out, from the provider's list."""

    name: str
    tokens: int
    output: int
    rates: tuple[str, str]

    @property
    def cost(self):
        into, out = map(Decimal, self.rates)
        return (self.tokens * into + self.output * out) / 10**6

    @property
    def text(self):
        return "wo " * self.tokens

    @property
    def rule(self):
        return {"model": self.name, "turn": {"text": "Done.", "usage": {"input": self.tokens, "output": self.output}}}


class Chat:
    planner = Model("gpt-4o-mini", 1000, 100, ("0.15", "0.60"))
    generator = Model("gpt-4o", 20_000, 2000, ("2.50", "10"))

    @staticmethod
    def client(url, asynchronous):
        return (openai.AsyncOpenAI if asynchronous else openai.OpenAI)(base_url=f"{url}/v1", **OFF)

    @staticmethod
    def ask(client, model, stream):
        more = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
        messages = [{"role": "user", "content": model.text}]
        return client.chat.completions.create(model=model.name, messages=messages, max_tokens=model.output, **more)


class Responses(Chat):
    @staticmethod
    def ask(client, model, stream):
        return client.responses.create(
            model=model.name, input=model.text, max_output_tokens=model.output, stream=stream
        )


class Messages:
    planner = Model("claude-haiku-4-5", 1000, 100, ("1", "5"))
    generator = Model("claude-opus-4-6", 14_000, 1400, ("5", "25"))

    @staticmethod
    def client(url, asynchronous):
        return (anthropic.AsyncAnthropic if asynchronous else anthropic.Anthropic)(base_url=url, **OFF)

    @staticmethod
    def ask(client, model, stream):
        messages = [{"role": "user", "content": model.text}]
        return client.messages.create(model=model.name, messages=messages, max_tokens=model.output, stream=stream)


class Gemini:
    planner = Model("gemini-2.5-flash", 1000, 100, ("0.30", "2.50"))
    generator = Model("gemini-2.5-pro", 60_000, 2000, ("1.25", "10"))

    @staticmethod
    def client(url, asynchronous):
        made = genai.Client(api_key="none", http_options=types.HttpOptions(base_url=url))
        return made.aio if asynchronous else made

    @staticmethod
    def ask(client, model, stream):
        call = client.models.generate_content_stream if stream else client.models.generate_content
        return call(model=model.name, contents=model.text, config={"max_output_tokens": model.output})


KINDS = {"openai chat": Chat, "openai responses": Responses, "anthropic": Messages, "gemini": Gemini}


@pytest.fixture
def configure(provider):
    yield lambda **settings: spanledger.configure(tracer_provider=provider, journal_off=True, **settings)
    while setup._now:
        setup._now.pop().shutdown()


def loop(kind, client, stream):
    """Plan, generate, plan, generate ... until somebody stops it."""
    for _ in range(100):
        for model in (kind.planner, kind.generator):
            answer = kind.ask(client, model, stream)
            if stream:
                assert len(list(answer)) > 0


async def loop_async(kind, client, stream):
    for _ in range(100):
        for model in (kind.planner, kind.generator):
            answer = await kind.ask(client, model, stream)
            if stream:
                assert len([chunk async for chunk in answer]) > 0


def drive(kind, server, stream, asynchronous):
    """Run the agent until it is stopped: the run, what stopped it, and how often each model was asked."""
    server.requests.clear()

    async def agent():
        async with kind.client(server.url, True) as client:
            await loop_async(kind, client, stream)

    with pytest.raises(BudgetExceeded) as stopped, spanledger.run("writer") as run:
        if asynchronous:
            asyncio.run(agent())
        else:
            with kind.client(server.url, False) as client:
                loop(kind, client, stream)
    asked = Counter(request.turn.usage.input for request in server.requests)
    return run, stopped.value, asked[kind.planner.tokens], asked[kind.generator.tokens]


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("name", KINDS)
def test_halts_at_half_a_dollar_or_fifteen_steps_whichever_comes_first(configure, name, stream, asynchronous):
    kind = KINDS[name]
    with ScriptedServer({"rules": [kind.planner.rule, kind.generator.rule]}) as server:
        configure(budgets=[Budget(usd="0.50", steps=15, action="stop")])
        run, stopped, plans, texts = drive(kind, server, stream, asynchronous)
        assert (stopped.limit, run.stop_reason, run.status) == ("usd", "budget_exceeded", "failure")
        assert run.cost == plans * kind.planner.cost + texts * kind.generator.cost
        assert Decimal("0.40") < run.cost <= Decimal("0.50")
        assert plans + texts == stopped.step - 1 <= 15
        assert [d.limit for d in run.decisions if d.outcome == "warn" and d.limit == "usd"] == ["usd"]
        assert run.decisions[-1].value == run.cost

        configure(budgets=[Budget(usd=5, steps=15, action="stop")])
        run, stopped, plans, texts = drive(kind, server, stream, asynchronous)
        assert (stopped.limit, stopped.step, run.stop_reason) == ("steps", 16, "max_steps")
        assert (plans, texts) == (8, 7)
        assert run.cost == 8 * kind.planner.cost + 7 * kind.generator.cost
