"""A model that stands in for another is marked; the same request again is told from the client's own attempts."""

from __future__ import annotations

import asyncio

import pytest

from spanledger.config import Settings
from spanledger.frameworks import watch_frameworks
from spanledger.instrument import Brakes, instrument
from spanledger.limits import Limits

pytestmark = pytest.mark.filterwarnings("ignore")
DEAR, CHEAP = "gpt-4o", "gpt-4o-mini"
FAILS = {"rules": [
    {"model": DEAR, "turn": {"error": {"status": 500}}}, {"model": CHEAP, "turn": {"text": "It rains in Bergen."}},
]}  # fmt: skip


@pytest.fixture
def watching(provider):
    with instrument(Settings(), tracer_provider=provider) as clients, watch_frameworks() as watching:
        brakes = Brakes(clients.engine, Limits())
        yield watching
        brakes.off()


def marks(seen, name):
    return [(span.attributes["gen_ai.request.model"], span.attributes.get(f"agent.{name}")) for span in seen.chat]


@pytest.mark.parametrize("how", ["invoke", "ainvoke", "stream", "astream", "batch"])
def test_langchain(model, seen, how):
    pytest.importorskip("langchain_openai", reason="langchain-openai is not installed")
    from langchain_openai import ChatOpenAI

    model(FAILS)
    llm = ChatOpenAI(model=DEAR, max_retries=0).with_fallbacks([ChatOpenAI(model=CHEAP, max_retries=0)])

    async def drained():
        return [chunk async for chunk in llm.astream("Weather?")]

    if how == "astream":
        asyncio.run(drained())
    elif how == "ainvoke":
        asyncio.run(llm.ainvoke("Weather?"))
    elif how == "batch":
        llm.batch(["Weather?"])
    else:
        list(llm.stream("Weather?")) if how == "stream" else llm.invoke("Weather?")
    assert marks(seen, "fallback.for") == [(DEAR, None), (CHEAP, DEAR)]
    assert marks(seen, "retry.tries") == [(DEAR, None), (CHEAP, None)]


def test_another_model_in_a_chain_is_no_fallback(model, seen):
    pytest.importorskip("langchain_openai", reason="langchain-openai is not installed")
    from langchain_openai import ChatOpenAI

    model(["one", "two"])
    chain = ChatOpenAI(model=DEAR) | (lambda said: said.content) | ChatOpenAI(model=CHEAP)
    chain.with_fallbacks([ChatOpenAI(model=CHEAP)]).invoke("Weather?")
    assert marks(seen, "fallback.for") == [(DEAR, None), (CHEAP, None)]


def test_langchain_s_middleware(model, seen):
    pytest.importorskip("langchain_openai", reason="langchain-openai is not installed")
    from langchain.agents import create_agent
    from langchain.agents.middleware import ModelFallbackMiddleware
    from langchain_openai import ChatOpenAI

    model(FAILS)
    middleware = [ModelFallbackMiddleware(ChatOpenAI(model=CHEAP, max_retries=0))]
    agent = create_agent(ChatOpenAI(model=DEAR, max_retries=0), [], middleware=middleware)
    agent.invoke({"messages": [{"role": "user", "content": "Weather?"}]})
    assert marks(seen, "fallback.for") == [(DEAR, None), (CHEAP, DEAR)]


def test_a_retry_of_langchain_is_no_attempt_of_the_client(model, seen):
    pytest.importorskip("langchain_openai", reason="langchain-openai is not installed")
    from langchain_openai import ChatOpenAI

    from spanledger import run

    error = {"error": {"status": 429, "retry_after": 0}}
    model([error, error, "It rains."])
    with run("agent"):
        ChatOpenAI(model=CHEAP, max_retries=1).with_retry(wait_exponential_jitter=False).invoke("Weather?")
    assert marks(seen, "retry.attempts") == [(CHEAP, 2), (CHEAP, None)]
    assert marks(seen, "retry.tries") == [(CHEAP, None), (CHEAP, 2)]


@pytest.mark.parametrize("stream", [False, True])
def test_pydantic_ai(model, seen, native, stream):
    pytest.importorskip("pydantic_ai", reason="pydantic-ai is not installed")
    import openai
    from pydantic_ai import Agent
    from pydantic_ai.models.fallback import FallbackModel
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    model(FAILS)

    async def main():
        async with openai.AsyncOpenAI(max_retries=0) as client:
            models = [OpenAIChatModel(name, provider=OpenAIProvider(openai_client=client)) for name in (DEAR, CHEAP)]
            agent = Agent(FallbackModel(*models), name="weather")
            if not stream:
                return (await agent.run("Weather?")).output
            async with agent.run_stream("Weather?") as result:
                return await result.get_output()

    assert asyncio.run(main()) == "It rains in Bergen."
    assert marks(seen, "fallback.for") == [(DEAR, None), (CHEAP, DEAR)]
    seen.agent(tool_calls=0)


def test_litellm_inside_of_one_call(model, seen):
    litellm = pytest.importorskip("litellm", reason="litellm is not installed")
    server = model(FAILS)
    litellm.completion(
        model=f"openai/{DEAR}", messages=[{"role": "user", "content": "Weather?"}], fallbacks=[f"openai/{CHEAP}"],
        api_base=f"{server.url}/v1", api_key="k", num_retries=0, max_retries=0,
    )  # fmt: skip
    assert [span.attributes.get("agent.fallback.for") for span in seen.chat] == [DEAR]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_litellm_s_router(model, seen, asynchronous):
    litellm = pytest.importorskip("litellm", reason="litellm is not installed")
    server = model(FAILS)
    where = {"api_base": f"{server.url}/v1", "api_key": "k", "max_retries": 0}
    router = litellm.Router(
        model_list=[{"model_name": n, "litellm_params": {"model": f"openai/{m}", **where}} for n, m in (("a", DEAR), ("b", CHEAP))],
        fallbacks=[{"a": ["b"]}], num_retries=0,
    )  # fmt: skip
    messages = [{"role": "user", "content": "Weather?"}]
    if asynchronous:
        asyncio.run(router.acompletion(model="a", messages=messages))
    else:
        router.completion(model="a", messages=messages)
    assert [span.attributes.get("agent.fallback.for") for span in seen.chat] == [None, DEAR]
