"""Every way to use runs, steps and tools, and the types that a checker must find: read by `test_types`, never run."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from decimal import Decimal
from typing import TypeVar

from typing_extensions import assert_type

import spanledger
from spanledger.runs import StepScope, ToolScope

T = TypeVar("T")


@spanledger.tool
def bare_tool(text: str, *, times: int = 1) -> str:
    return text * times


@spanledger.tool("named", version="2", cost=lambda _: 1)
async def called_tool(text: str) -> bytes:
    return text.encode()


@spanledger.run
def bare_run(n: int) -> Generator[int, str, bool]:
    yield n
    return True


@spanledger.run("named", user_id="u1", session_id="s1", labels={"team": "a"})
async def called_run(n: int) -> AsyncGenerator[int, str]:
    yield n


@spanledger.tool
async def bare_async() -> int:
    return 1


@spanledger.tool
async def bare_async_generator() -> AsyncIterator[int]:
    yield 1


@spanledger.tool
def same(given: T) -> T:
    return given


@contextmanager
@spanledger.run
def opened() -> Iterator[str]:
    yield ""


@asynccontextmanager
@spanledger.run()
async def opened_later() -> AsyncIterator[str]:
    yield ""


class Desk:
    @spanledger.tool
    def method(self, n: int) -> str:
        return str(n)

    @spanledger.run()
    async def later(self, n: int) -> str:
        return str(n)

    @spanledger.run
    def items(self, n: int) -> Iterator[str]:
        yield str(n)

    @spanledger.tool()
    async def items_later(self, n: int) -> AsyncIterator[str]:
        yield str(n)

    @spanledger.tool
    @staticmethod
    def static(n: int) -> str:
        return str(n)

    @staticmethod
    @spanledger.run("named")
    def static_below(n: int) -> str:
        return str(n)

    @spanledger.tool("named")
    @classmethod
    def of_class(cls, n: int) -> list[int]:
        return [n]

    @classmethod
    @spanledger.run
    def of_class_below(cls, n: int) -> list[int]:
        return [n]

    @property
    @spanledger.tool
    def held(self) -> int:
        return 1


def needs(text: Callable[[int], str]) -> None:
    """Take what is called so."""


async def functions(desk: Desk) -> None:
    assert_type(bare_tool("a", times=2), str)
    assert_type(await called_tool("a"), bytes)
    assert_type(bare_run(1), Generator[int, str, bool])
    assert_type(called_run(1), AsyncGenerator[int, str])
    assert_type(await bare_async(), int)
    assert_type(bare_async_generator(), AsyncIterator[int])
    assert_type(same("a"), str)
    assert_type(desk.method(1), str)
    assert_type(await desk.later(1), str)
    assert_type(desk.items(1), Iterator[str])
    assert_type(desk.items_later(1), AsyncIterator[str])
    assert_type(Desk.static(1), str)
    assert_type(desk.static(1), str)
    assert_type(desk.static_below(1), str)
    assert_type(Desk.of_class(1), list[int])
    assert_type(desk.of_class(1), list[int])
    assert_type(Desk.of_class_below(1), list[int])
    assert_type(desk.held, int)
    needs(desk.method)
    needs(Desk.static)
    needs(desk.static_below)
    with opened() as given:
        assert_type(given, str)


async def blocks() -> None:
    with spanledger.run("support", user_id="u1", session_id="s1") as run:
        assert_type(run, spanledger.ActiveRun)
        assert_type(run.id, str)
        with run.step() as step, run.step("think"):
            assert_type(step, StepScope)
        with spanledger.tool("search", arguments={"a": 1}) as call:
            assert_type(call, ToolScope)

        @run.step
        def bare_step(n: int) -> str:
            return str(n)

        @run.step("named")
        async def called_step(n: int) -> str:
            return str(n)

        @run.step
        def items(n: int) -> Iterator[str]:
            yield str(n)

        assert_type(bare_step(1), str)
        assert_type(await called_step(1), str)
        assert_type(items(1), Iterator[str])
    assert_type(run.stop_reason, str | None)
    assert_type(run.usage.total, int)
    assert_type(run.cost, Decimal)
    assert_type(run.steps, int)
    assert_type(spanledger.current_run(), spanledger.ActiveRun | None)


async def blocks_later() -> str:
    async with spanledger.run() as run, run.step() as step, spanledger.tool("search") as call:
        assert_type(run, spanledger.ActiveRun)
        assert_type(step, StepScope)
        assert_type(call, ToolScope)
    async with opened_later() as given:
        assert_type(given, str)
    with spanledger.run():
        return "what comes out of a block is not swallowed: a return in it is enough"


def wrong(desk: Desk) -> None:  # each line is an error: a checker that finds none says so
    bare_tool(1)  # type: ignore[arg-type]
    bare_run("a")  # type: ignore[arg-type]
    desk.method("a")  # type: ignore[arg-type]
    Desk.static("a")  # type: ignore[arg-type]
    Desk.of_class("a")  # type: ignore[arg-type]
    spanledger.run(1)  # type: ignore[call-overload]
    spanledger.run("a", usr_id="u1")  # type: ignore[call-overload]
    spanledger.tool("a", versoin="1")  # type: ignore[call-overload]
