"""Runs, steps and tools over every kind of function."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import contextvars
import functools
import gc
import logging
import sys
import uuid
from decimal import Decimal

import pytest
from opentelemetry import trace
from opentelemetry.trace import StatusCode

import spanledger
from spanledger import hashing, runs, shield
from spanledger.config import Settings
from spanledger.errors import BudgetExceeded


def by_name(spans):
    return {span.name: span for span in spans()}


def test_a_run_is_a_span_with_a_stop_reason(spans):
    with spanledger.run(
        "support",
        session_id="s1",
        user_id="u1",
        request_id="r1",
        agent_version="1",
        prompt_version="p",
        labels={"team": "a"},
    ) as run:
        assert run.status == "running"
        assert run.stop_reason is None
    said = by_name(spans)["invoke_agent support"].attributes
    assert said["gen_ai.operation.name"] == "invoke_agent"
    assert said["gen_ai.agent.name"] == "support"
    assert said["agent.run.id"] == run.id
    assert (said["gen_ai.conversation.id"], said["session.id"], said["user.id"]) == ("s1", "s1", "u1")
    assert (said["agent.request.id"], said["gen_ai.agent.version"], said["gen_ai.prompt.version"]) == ("r1", "1", "p")
    assert said["agent.label.team"] == "a"
    assert (said["agent.run.status"], said["agent.run.stop_reason"]) == ("success", "completed")
    assert (run.status, run.stop_reason, run.steps, run.cost) == ("success", "completed", 0, Decimal(0))


def test_what_a_run_is_for_may_be_numbers_and_uuids(spans, caplog):
    user = uuid.uuid4()
    with spanledger.run("a", user_id=user, session_id=7, request_id=8, agent_version=2, labels={1: "x"}) as run:
        pass
    assert run.status == "success"
    said = by_name(spans)["invoke_agent a"].attributes
    assert (said["user.id"], said["session.id"], said["gen_ai.conversation.id"]) == (str(user), "7", "7")
    assert (said["agent.request.id"], said["gen_ai.agent.version"], said["agent.label.1"]) == ("8", "2", "x")
    assert not caplog.records


@pytest.mark.parametrize(
    ("error", "reason", "status"),
    [
        (ValueError("x"), "error", "failure"),
        (TimeoutError("x"), "timeout", "timeout"),
        (asyncio.CancelledError(), "cancelled", "failure"),
        (BudgetExceeded("over", limit="usd"), "budget_exceeded", "failure"),
    ],
)
def test_an_exception_is_the_stop_reason_and_passes_through(error, reason, status, spans):
    with pytest.raises(type(error)) as raised, spanledger.run("a") as run:
        raise error
    assert raised.value is error
    assert (run.stop_reason, run.status) == (reason, status)
    span = by_name(spans)["invoke_agent a"]
    assert span.attributes["agent.run.stop_reason"] == reason
    assert not span.events


def test_a_tool_that_raises_through_the_run_is_a_tool_error(spans):
    @spanledger.tool
    def send():
        raise ConnectionError("no route")

    with pytest.raises(ConnectionError), spanledger.run() as run:
        send()
    assert run.stop_reason == "tool_error"
    said = by_name(spans)["execute_tool send"].attributes
    assert (said["agent.tool.status"], said["agent.error.class"]) == ("error", "connection")
    assert said["error.type"] == "ConnectionError"


def test_the_user_decides_the_stop_reason(spans):
    with spanledger.run("a") as run:
        run.stop_reason = "max_steps"
        with pytest.raises(ValueError, match="is no stop reason; one of: completed"):
            run.stop_reason = "tired"
    assert run.stop_reason == "max_steps"
    assert by_name(spans)["invoke_agent a"].attributes["agent.run.status"] == "failure"


def test_steps_number_themselves_and_own_what_is_inside(spans, provider):
    with spanledger.run("a") as run:
        for _ in range(2):
            with run.step("think"), provider.get_tracer("other").start_as_current_span("inner"):
                pass
    steps = [span for span in spans() if span.name == "step think"]
    assert [step.attributes["agent.step.number"] for step in steps] == [1, 2]
    assert [step.attributes["agent.step.id"] for step in steps] == [f"{run.id}.1", f"{run.id}.2"]
    assert all(step.attributes["gen_ai.operation.name"] == "step" for step in steps)
    inner = [span for span in spans() if span.name == "inner"]
    assert [span.parent.span_id for span in inner] == [step.context.span_id for step in steps]


def test_decorators_keep_the_function_and_make_a_run_of_each_call(spans):
    @spanledger.run("job")
    def job(x: int) -> int:
        "Doc."
        return x * 2

    assert (job.__name__, job.__doc__) == ("job", "Doc.")
    assert [job(1), job(x=2)] == [2, 4]
    ids = {span.attributes["agent.run.id"] for span in spans()}
    assert len(ids) == 2


def test_decorators_need_no_parentheses(spans):
    @spanledger.run
    def job(n):
        run = spanledger.current_run()

        @run.step
        def part():
            return n + run.steps

        return part()

    assert (job(3), job.__name__) == (4, "job")
    assert [span.name for span in spans()] == ["step", "invoke_agent"]


@pytest.mark.parametrize("decorator", [spanledger.run("job"), spanledger.run, spanledger.tool, spanledger.tool("t")])
def test_a_class_is_told_to_stay_one(decorator):
    class Job:
        def __call__(self):
            """Work."""

    with pytest.raises(TypeError, match="Job is a class, which stays one; decorate its methods"):
        decorator(Job)


def test_a_coroutine_runs_in_its_run(spans):
    @spanledger.run("job")
    async def job():
        await asyncio.sleep(0)
        return spanledger.current_run().id

    async def main():
        return await asyncio.gather(*(job() for _ in range(5)))

    ids = asyncio.run(main())
    assert len(set(ids)) == 5
    assert {span.attributes["agent.run.id"] for span in spans()} == set(ids)


def generator_run():
    @spanledger.run("gen")
    def numbers():
        got = yield spanledger.current_run().id
        try:
            yield got
        except KeyError:
            yield "caught"
        return "end"

    return numbers


def test_a_generator_holds_its_run_only_while_its_code_runs(spans):
    numbers = generator_run()()
    inside = next(numbers)
    assert spanledger.current_run() is None
    assert trace.get_current_span() is trace.INVALID_SPAN
    assert numbers.send("given") == "given"
    assert numbers.throw(KeyError()) == "caught"
    with pytest.raises(StopIteration) as ended:
        next(numbers)
    assert ended.value.value == "end"
    said = by_name(spans)["invoke_agent gen"].attributes
    assert (said["agent.run.id"], said["agent.run.stop_reason"]) == (inside, "completed")


def test_a_generator_that_is_dropped_ends_its_run(spans):
    numbers = generator_run()()
    next(numbers)
    del numbers
    gc.collect()
    assert "invoke_agent gen" in by_name(spans)


@pytest.mark.parametrize("how", ["drained", "broken", "closed elsewhere", "failed", "collected"])
def test_an_async_generator_never_fails_to_detach(how, spans, caplog):
    @spanledger.run("agen")
    async def numbers():
        with spanledger.tool("inner"):
            yield 1
        yield 2
        if how == "failed":
            raise ValueError(how)

    async def main():
        stream = numbers()
        if how in ("drained", "failed"):
            async for _ in stream:
                assert spanledger.current_run() is None
        elif how == "broken":
            async for _ in stream:
                break
            await stream.aclose()
        elif how == "closed elsewhere":
            await anext(stream)
            await asyncio.create_task(stream.aclose())
        else:
            await anext(stream)
            del stream
            gc.collect()

    with caplog.at_level(logging.DEBUG):
        if how == "failed":
            with pytest.raises(ValueError, match="failed"):
                asyncio.run(main())
        else:
            asyncio.run(main())
    assert "detach" not in caplog.text
    assert trace.get_current_span() is trace.INVALID_SPAN
    assert by_name(spans).keys() == {"invoke_agent agen", "execute_tool inner"}


class Closing(Exception):
    pass


LEFT = {
    "drained": "completed", "closed": "cancelled", "collected": "cancelled", "said": "denied", "closing fails": "error",
    "cancelled inside": "cancelled",
}  # fmt: skip


@contextlib.contextmanager
def leaving(how):
    try:
        yield
    except GeneratorExit:
        if how == "said":
            spanledger.current_run().stop_reason = "denied"
        if how == "closing fails":
            raise Closing from None
        raise


@spanledger.run("gen")
def numbers_until(how):
    with leaving(how), spanledger.tool("inner"):
        yield 1
        yield 2


@spanledger.run("gen")
async def async_numbers_until(how):
    with leaving(how), spanledger.tool("inner"):
        yield 1
        yield 2


def leave(stream, how):
    assert next(stream) == 1
    if how == "drained":
        assert list(stream) == [2]
    elif how == "cancelled inside":
        with pytest.raises(asyncio.CancelledError):
            stream.throw(asyncio.CancelledError())
    elif how != "collected":
        stream.close()


async def leave_async(how):
    stream = async_numbers_until(how)
    assert await anext(stream) == 1
    if how == "drained":
        assert [number async for number in stream] == [2]
    elif how == "cancelled inside":
        with pytest.raises(asyncio.CancelledError):
            await stream.athrow(asyncio.CancelledError())
    elif how != "collected":
        await stream.aclose()


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("how", LEFT)
def test_a_generator_that_is_left_before_its_end_is_a_cancelled_run(how, kind, spans):
    """As a stream that nobody reads to its end is."""
    with pytest.raises(Closing) if how == "closing fails" else contextlib.nullcontext():
        if kind == "sync":
            leave(numbers_until(how), how)
        else:
            asyncio.run(leave_async(how))
    gc.collect()
    said = by_name(spans)
    run, tool = said["invoke_agent gen"], said["execute_tool inner"]
    assert run.attributes["agent.run.stop_reason"] == LEFT[how]
    if how != "cancelled inside":
        assert (run.status.status_code is StatusCode.ERROR) is (how in ("said", "closing fails"))
    if how in ("closed", "said"):  # a tool that is no more asked did not fail
        assert tool.attributes["agent.tool.status"] == "success"


def test_a_run_entered_in_one_task_may_be_left_in_another(spans, caplog):
    async def numbers():
        with spanledger.run("inside"):
            yield 1
            yield 2

    async def main():
        stream = numbers()
        await asyncio.create_task(stream.__anext__())
        await asyncio.create_task(stream.aclose())

    asyncio.run(main())
    assert "detach" not in caplog.text
    assert "invoke_agent inside" in by_name(spans)


def test_a_run_inside_a_run_counts_for_both(spans):
    with spanledger.run("outer", session_id="s") as outer, spanledger.run("inner") as inner, spanledger.tool("t"):
        pass
    assert (outer.tool_calls, inner.tool_calls) == (1, 1)
    said = by_name(spans)["invoke_agent inner"].attributes
    assert said["agent.run.parent_id"] == outer.id
    assert said["gen_ai.conversation.id"] == "s"


def test_a_tool_as_context_manager(spans):
    with spanledger.run("a"), spanledger.tool("search", arguments={"q": "x"}, version="2") as call:
        call.result = {"hits": 3}
    said = by_name(spans)["execute_tool search"].attributes
    assert said["agent.tool.version"] == "2"
    assert said["agent.tool.status"] == "success"
    assert said["agent.tool.call.arguments.hash"].startswith("hmac-sha256:")
    assert said["agent.tool.call.result.hash"].startswith("hmac-sha256:")
    assert said["agent.tool.duration"] >= 0
    assert "gen_ai.tool.call.arguments" not in said
    assert "gen_ai.tool.call.result" not in said


def test_while_keys_overlap_a_tool_carries_the_hashes_of_both(spans, monkeypatch):
    old, new = (base64.b64encode(bytes((byte,)) * 32).decode() for byte in (1, 2))
    before = hashing.Hasher(Settings(hash_key=old))
    monkeypatch.setattr(hashing, "_hasher", hashing.Hasher(Settings(hash_key=new, hash_key_previous=old)))
    with spanledger.run("a"), spanledger.tool("search", arguments={"q": "x"}) as call:
        call.result = {"hits": 3}
    said = by_name(spans)["execute_tool search"].attributes
    assert said["agent.tool.call.arguments.hash.previous"] == before.hash({"q": "x"}, "tool-args").text
    assert said["agent.tool.call.result.hash.previous"] == before.hash({"hits": 3}, "tool-result").text


def test_equal_arguments_have_equal_hashes_however_they_are_passed(spans):
    @spanledger.tool
    def find(name, limit=10):
        return name, limit

    find("a", 3)
    find(limit=3, name="a")
    find("b", 3)
    first, second, third = (span.attributes["agent.tool.call.arguments.hash"] for span in spans())
    assert first == second != third


@pytest.mark.parametrize(
    ("result", "error_class"),
    [
        ({"error": "rate limit"}, "error_payload"),
        ({"status": 429}, "rate_limited"),
        ('{"error": {"code": 503}}', "upstream_error"),
        ({"isError": True, "content": []}, "error_payload"),
        ({"ok": False}, "error_payload"),
        ({"error": None, "hits": 1}, None),
        ({"errors": 0}, None),
        ("an error is a word", None),
        (None, None),
        ([1, 2], None),
    ],
)
def test_a_failure_that_came_back_as_a_result_is_a_failure(result, error_class, spans):
    @spanledger.tool
    def ask():
        return result

    assert ask() == result
    span = by_name(spans)["execute_tool ask"]
    assert span.attributes.get("agent.error.class") == error_class
    assert span.attributes["agent.tool.status"] == ("error" if error_class else "success")


def test_tool_costs_count_into_the_run(spans):
    @spanledger.tool(cost=lambda result: result["price"])
    def buy():
        return {"price": "0.25"}

    with spanledger.run("a") as run:
        buy()
        buy()
    assert run.cost == Decimal("0.50")


def test_methods_and_generators_are_tools_too(spans):
    class Box:
        @spanledger.tool
        def get(self, key):
            return key

        @spanledger.tool("listing")
        def every(self):
            yield from (1, 2)

    assert Box().get("k") == "k"
    assert list(Box().every()) == [1, 2]
    assert by_name(spans).keys() == {"execute_tool get", "execute_tool listing"}


def test_static_and_class_methods_are_tools_whichever_decorator_is_above(spans):
    class Box:
        @spanledger.tool
        @staticmethod
        def one(key):
            return key

        @spanledger.tool(version="2")
        @classmethod
        def two(cls, key):
            return cls.__name__, key

        @spanledger.tool
        @classmethod
        async def three(cls, key):
            await asyncio.sleep(0)
            raise ValueError(key)

    assert (Box.one("k"), Box().one("k"), Box.two("k"), Box().two("k")) == ("k", "k", ("Box", "k"), ("Box", "k"))
    with pytest.raises(ValueError, match="late"):
        asyncio.run(Box.three("late"))
    assert [span.name.removeprefix("execute_tool ") for span in spans()] == ["one", "one", "two", "two", "three"]
    assert [span.attributes["agent.tool.status"] for span in spans()] == ["success"] * 4 + ["error"]
    said = [span.attributes["agent.tool.call.arguments.hash"] for span in spans()]
    assert len(set(said[:4])) == 1  # the class is no argument


class Asynchronous:
    async def __call__(self, key):
        return await looked_up(key)


async def looked_up(key):
    """Something that takes a while, and fails when there is no such key."""
    here = trace.get_current_span()
    await asyncio.sleep(0.02)
    assert here.is_recording()  # the call goes on
    if key == "none":
        raise LookupError(key)
    return {"status": 429} if key == "many" else key


@functools.wraps(looked_up)
def around(*args, **kwargs):
    return looked_up(*args, **kwargs)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (Asynchronous(), "Asynchronous"),
        (around, "looked_up"),
        (functools.partial(functools.partial(around)), "looked_up"),
        (functools.partial(looked_up), "looked_up"),
    ],
)
def test_a_tool_that_gives_back_a_coroutine_ends_when_that_does(function, name, spans):
    tool = spanledger.tool(function)

    async def go():
        given, failed = await asyncio.gather(asyncio.create_task(tool("a")), tool("none"), return_exceptions=True)
        return given, failed, await tool("many")

    with spanledger.run("a") as run:
        given, failed, refused = asyncio.run(go())
    assert (given, type(failed), refused) == ("a", LookupError, {"status": 429})
    assert run.tool_calls == 3
    calls = [span for span in spans() if span.name == f"execute_tool {name}"]
    said = [(span.attributes["agent.tool.status"], span.attributes.get("agent.error.class")) for span in calls]
    assert sorted(status for status, _ in said) == ["error", "error", "success"]
    assert ("error", "rate_limited") in said
    assert all(span.attributes["agent.tool.duration"] >= 0.015 for span in calls)


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
def test_a_coroutine_that_nobody_awaits_leaves_no_tool_call_open(spans):
    with spanledger.run("a") as run:
        spanledger.tool(around)("a")
        gc.collect()
        assert spanledger.current_run().id == run.id
    assert "execute_tool looked_up" in by_name(spans)


def test_static_and_class_methods_are_runs_too(spans):
    class Job:
        @spanledger.run
        @classmethod
        def go(cls):
            return cls.__name__

    assert Job.go() == "Job"
    assert by_name(spans).keys() == {"invoke_agent"}


@pytest.mark.parametrize("kind", [property, functools.cached_property])
@pytest.mark.parametrize("decorator", [spanledger.tool, spanledger.tool(version="2"), spanledger.run])
def test_what_can_not_be_called_is_refused_where_it_is_decorated(kind, decorator):
    with pytest.raises(TypeError, match=f"decorate the function in it: put the decorator below @{kind.__name__}"):
        decorator(kind(lambda _self: 1))


def test_other_spans_inside_carry_run_and_step(provider, exporter):
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    class Stamps(SimpleSpanProcessor):
        def on_start(self, span, parent_context=None):
            runs.stamp(span, parent_context)

    made = TracerProvider()
    made.add_span_processor(Stamps(exporter))
    runs.use_provider(made)
    with spanledger.run("a", session_id="s", user_id="u") as run, run.step():
        with made.get_tracer("http").start_as_current_span("GET"):
            pass
    said = by_name(exporter.get_finished_spans)["GET"].attributes
    assert said["agent.run.id"] == run.id
    assert said["agent.step.number"] == 1
    assert (said["session.id"], said["gen_ai.conversation.id"], said["user.id"]) == ("s", "s", "u")


def test_without_any_provider_everything_is_still_counted():
    with spanledger.run("a") as run, spanledger.tool("t"):
        pass
    assert (run.stop_reason, run.tool_calls) == ("completed", 1)


def test_runs_that_are_never_ended_do_not_pile_up(monkeypatch, spans):
    from spanledger.model import Request
    from spanledger.runs import _implicit

    monkeypatch.setattr(_implicit, "MAX_OPEN", 5)
    for _ in range(20):
        contextvars.Context().run(runs.open_for, Request("m", tools=["t"]))
    assert len(_implicit._open) == 5
    assert [span.attributes["agent.run.stop_reason"] for span in spans()] == ["abandoned"] * 15


def test_a_tool_that_is_left_in_the_middle_and_ended_by_the_loop_did_not_fail(spans):
    @spanledger.tool
    async def pages():
        for number in range(3):
            yield number

    async def agent():
        with spanledger.run("reader") as run:
            async for _ in pages():
                break
        return run

    asyncio.run(agent())
    gc.collect()
    (tool,) = [span for span in spans() if span.name == "execute_tool pages"]
    assert tool.attributes["agent.tool.status"] == "success"


def test_runs_that_are_entered_and_never_left_do_not_pile_up(monkeypatch, spans):
    from spanledger.runs import _scopes

    monkeypatch.setattr(_scopes, "MAX_ENTERED", 5)
    for _ in range(20):
        contextvars.Context().run(spanledger.run("left lying").__enter__)
    assert len(_scopes.open_scopes) == 5
    assert [span.attributes["agent.run.stop_reason"] for span in spans()] == ["abandoned"] * 15


@pytest.mark.parametrize(("code", "reason"), [(None, "completed"), (0, "completed"), (3, "error"), ("why", "error")])
def test_a_program_that_exits_well_inside_a_run_completes_it(provider, code, reason):
    with pytest.raises(SystemExit), spanledger.run("support") as active:
        sys.exit(code)
    assert active.stop_reason == reason


def test_a_result_that_answers_no_question_is_no_failure(spans):
    class Odd:
        def __getattr__(self, name):
            raise RuntimeError(name)

    odd = Odd()

    @spanledger.tool
    def give():
        return odd

    shield.strict(on=False)  # what can't be hashed is counted
    with spanledger.run("r") as run:
        assert give() is odd
    assert (run.tool_calls, run.stop_reason) == (1, "completed")
    assert by_name(spans)["execute_tool give"].attributes["agent.tool.status"] == "success"
