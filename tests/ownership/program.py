"""A program that makes every kind of call once, each in a run named for it: unmodified, or starting us by hand."""

from __future__ import annotations

import asyncio
import contextlib
import sys

import anthropic
import openai

import spanledger

URL, peer, order = sys.argv[1:4]


def we() -> None:
    from opentelemetry.sdk.trace.export import ConsoleSpanExporter

    spanledger.configure(exporters=[ConsoleSpanExporter()])


def they() -> None:
    if peer == "logfire":
        import logfire

        logfire.configure(send_to_logfire=False, console=False)
        logfire.instrument_openai()
        logfire.instrument_anthropic()
    elif peer == "openlit":
        import openlit

        with contextlib.redirect_stdout(sys.stderr):
            openlit.init(disable_metrics=True, disable_batch=True)


for start in {"launched": (they,), "we first": (we, they), "they first": (they, we)}[order]:
    start()

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}]}
USAGE = {"stream": True, "stream_options": {"include_usage": True}}
MESSAGE = {"model": "claude-haiku-4-5", "max_tokens": 64, "messages": [{"role": "user", "content": "Hi"}]}
ASK = {"model": "gpt-4o-mini", "input": "Hi"}


def main() -> None:
    with (
        openai.OpenAI(api_key="k", base_url=f"{URL}/v1", max_retries=0) as o,
        anthropic.Anthropic(api_key="k", base_url=URL, max_retries=0) as a,
    ):
        with spanledger.run("chat"):
            o.chat.completions.create(**CHAT)
        with spanledger.run("chat stream"):
            list(o.chat.completions.create(**CHAT, **USAGE))
        if hasattr(o, "responses"):
            with spanledger.run("responses"):
                o.responses.create(**ASK)
            with spanledger.run("responses stream"):
                list(o.responses.create(**ASK, stream=True))
        with spanledger.run("messages"):
            a.messages.create(**MESSAGE)
        with spanledger.run("messages stream"):
            list(a.messages.create(**MESSAGE, stream=True))
        with spanledger.run("messages helper"), a.messages.stream(**MESSAGE) as stream:
            list(stream)


async def later() -> None:
    async with (
        openai.AsyncOpenAI(api_key="k", base_url=f"{URL}/v1", max_retries=0) as o,
        anthropic.AsyncAnthropic(api_key="k", base_url=URL, max_retries=0) as a,
    ):
        with spanledger.run("async chat"):
            await o.chat.completions.create(**CHAT)
        with spanledger.run("async chat stream"):
            [chunk async for chunk in await o.chat.completions.create(**CHAT, **USAGE)]
        with spanledger.run("async messages"):
            await a.messages.create(**MESSAGE)
        with spanledger.run("async messages stream"):
            [event async for event in await a.messages.create(**MESSAGE, stream=True)]


main()
asyncio.run(later())
