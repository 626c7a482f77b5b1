"""Runs that a generator opens for the code that it is entered around, as a web framework's dependencies do."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from opentelemetry import trace

import spanledger

shared = spanledger.run("shared")


async def own():
    with spanledger.run("own") as run:
        yield run


async def one_for_all():
    with shared as run:
        yield run


async def later():
    async with spanledger.run("later") as run, run.step():
        yield run


async def stepwise():
    async for run in own():
        yield run


async def request(dependency, endpoint):
    """What FastAPI does: dependencies, then the endpoint, in one task."""
    async with AsyncExitStack() as stack:
        run = await stack.enter_async_context(asynccontextmanager(dependency)())
        return run, await endpoint()


@pytest.mark.parametrize("dependency", [own, one_for_all, later, stepwise])
@pytest.mark.parametrize("thread", [False, True], ids=["async endpoint", "endpoint in a thread"])
async def test_the_run_of_a_dependency_is_that_of_the_endpoint(dependency, thread, spans):
    together = asyncio.Barrier(3) if hasattr(asyncio, "Barrier") else None

    def endpoint():
        return spanledger.current_run().id

    async def answer():
        if together is not None:
            await together.wait()
        return await asyncio.to_thread(endpoint) if thread else endpoint()

    before = trace.get_current_span()
    for run, found in await asyncio.gather(*[request(dependency, answer) for _ in range(3)]):
        assert (run.id, run.status) == (found, "success")
    assert trace.get_current_span() is before
    assert spanledger.current_run() is None
    assert len({span.attributes["agent.run.id"] for span in spans()}) == 3


@pytest.mark.parametrize("dependency", [own, one_for_all, later])
async def test_an_endpoint_that_fails_fails_the_run_of_its_dependency(dependency, spans):
    got = []

    async def endpoint():
        got.append(spanledger.current_run())
        raise LookupError

    with pytest.raises(LookupError):
        await request(dependency, endpoint)
    assert got[0].stop_reason == "error"
    assert spanledger.current_run() is None


async def test_a_decorated_dependency_keeps_its_run_to_itself(spans):
    """Else whoever reads a decorated generator would be left in its run."""

    @spanledger.run("deco")
    async def decorated():
        yield spanledger.current_run()

    async def endpoint():
        return spanledger.current_run()

    run, found = await request(decorated, endpoint)
    assert (run.status, found) == ("success", None)
