"""One run, step or tool object that several tasks or threads enter at once: each ends what it began."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading

import pytest
from opentelemetry import trace

import spanledger
from spanledger.runs import _managed


def ended(spans, name):
    """By span id, whether it failed."""
    return {span.context.span_id: not span.status.is_ok for span in spans() if span.name == name}


def here():
    return trace.get_current_span().get_span_context().span_id


OBJECTS = [
    pytest.param(lambda _: spanledger.run("shared"), "invoke_agent shared", id="run"),
    pytest.param(lambda run: run.step("shared"), "step shared", id="step"),
    pytest.param(lambda _: spanledger.tool("shared"), "execute_tool shared", id="tool"),
]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0), (0, 2, 1), (2, 0, 1)], ids=str)
@pytest.mark.parametrize(("shared", "name"), OBJECTS)
@pytest.mark.parametrize("asynchronous", [False, True], ids=["with", "async with"])
async def test_each_task_ends_its_own(asynchronous, shared, name, order, spans):
    with spanledger.run("around") as around:
        both = shared(around)
        inside, leave, seen = [asyncio.Event() for _ in order], [asyncio.Event() for _ in order], {}

        async def enter(number):
            inner = both if asynchronous else contextlib.nullcontext()
            with pytest.raises(LookupError) if number == 1 else contextlib.nullcontext():
                async with inner:
                    with contextlib.nullcontext() if asynchronous else both:
                        seen[number] = here()
                        inside[number].set()
                        await leave[number].wait()
                        assert here() == seen[number]
                        if number == 1:
                            raise LookupError

        tasks = []
        for number in range(3):
            tasks.append(asyncio.ensure_future(enter(number)))
            await inside[number].wait()
        for count, number in enumerate(order, 1):
            leave[number].set()
            await tasks[number]
            found = ended(spans, name)
            assert set(found) == {seen[one] for one in order[:count]}
            assert found[seen[number]] == (number == 1)
    assert not both._scopes


def test_each_thread_ends_its_own(spans):
    shared = spanledger.run("shared")
    inside, leave, got = [threading.Event() for _ in "ab"], [threading.Event() for _ in "ab"], {}

    def enter(number):
        with shared as got[number]:
            inside[number].set()
            leave[number].wait()

    threads = [threading.Thread(target=enter, args=(number,), daemon=True) for number in range(2)]
    for number in range(2):
        threads[number].start()
        inside[number].wait()
    leave[0].set()
    threads[0].join()
    assert (got[0].status, got[1].status) == ("success", "running")
    leave[1].set()
    threads[1].join()
    assert got[1].status == "success"


def test_what_is_entered_again_inside_itself_ends_from_the_inside_out(spans):
    shared, got = spanledger.run("shared"), []

    def down(depth):
        with shared as run:
            got.append(run)
            if depth:
                down(depth - 1)
                assert [one.status for one in got] == ["running"] * (4 - depth) + ["success"] * depth
            assert spanledger.current_run().id == run.id

    down(3)
    assert [one.status for one in got] == ["success"] * 4
    assert spanledger.current_run() is None


async def test_a_task_that_was_begun_inside_ends_its_own_and_not_that_around(spans):
    shared = spanledger.run("shared")
    with shared as outer, shared as inner:
        begun, leave = asyncio.Event(), asyncio.Event()

        async def child():
            with shared as own:
                begun.set()
                await leave.wait()
            return own

        task = asyncio.ensure_future(child())
        await begun.wait()
        leave.set()
        own = await task
        assert (outer.status, inner.status, own.status) == ("running", "running", "success")
    assert (outer.status, inner.status) == ("success", "success")


def test_what_is_left_elsewhere_ends_too_and_nothing_of_it_stays(spans):
    shared = spanledger.run("shared")
    got = [contextvars.copy_context().run(shared.__enter__) for _ in range(3)]
    for _ in got:
        contextvars.Context().run(shared.__exit__, None, None, None)
    assert [run.status for run in got] == ["success"] * 3
    with shared, shared:  # whoever enters next clears up what was left here
        assert len(_managed._entered.get()) == 1
    assert not _managed._entered.get()
    assert not shared._scopes
