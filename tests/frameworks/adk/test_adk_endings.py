"""Google ADK: how an invocation ends, and what stops it."""

from __future__ import annotations

import asyncio
import gc

import pytest

pytest.importorskip("google.adk", reason="google-adk is not installed")
from google.adk.agents import RunConfig, SequentialAgent
from google.adk.tools import AgentTool, LongRunningFunctionTool
from google.genai import types
from opentelemetry import trace

from spanledger.budget import Budget
from spanledger.errors import BudgetExceeded, Killed
from spanledger.limits import Kill

pytestmark = pytest.mark.filterwarnings("ignore")


def look(city: str) -> str:
    """The weather of a city."""
    return f"rain in {city}"


def broken(city: str) -> str:
    """The weather of a city."""
    raise TimeoutError(city)


def reasons(shape):
    return [(name, reason) for name, reason, *_ in shape()]


@pytest.mark.parametrize("how", ["closed", "left", "left with the loop"])
@pytest.mark.parametrize("answered", [False, True])
def test_who_stops_reading_cancels_unless_it_has_the_answer(adk, agent, shape, calls, how, answered):
    runner = adk.runner(agent("weather", calls("look", city="Bergen"), "It rains.", tools=[look]))

    async def main():
        events = adk.stream(runner, await adk.session(runner))
        async for event in events:
            if event.is_final_response() or not answered:
                break
        if how == "closed":
            await events.aclose()
        elif how == "left":
            del events
            gc.collect()
            await asyncio.sleep(0)

    asyncio.run(main())
    assert reasons(shape) == [("weather", "completed" if answered else "cancelled")]


def test_an_answer_inside_of_a_sequence_is_not_the_last_one(adk, agent, shape):
    runner = adk.runner(SequentialAgent(name="day", sub_agents=[agent("weather", "Rain."), agent("coat", "Yes.")]))

    async def main():
        events = adk.stream(runner, await adk.session(runner))
        assert (await anext(events)).is_final_response()
        await events.aclose()

    asyncio.run(main())
    assert reasons(shape) == [("day", "cancelled")]


@pytest.mark.parametrize("answered", [False, True])
def test_who_stops_reading_without_await(adk, agent, shape, calls, answered):
    async def look(city: str) -> str:
        """The weather of a city."""
        await asyncio.sleep(0 if answered else 60)
        return f"rain in {city}"

    runner = adk.runner(agent("weather", calls("look", city="Bergen"), "It rains.", tools=[look]))
    session = asyncio.run(adk.session(runner))
    events = runner.run(user_id="u", session_id=session, new_message=adk.asked())
    for event in events:
        if event.is_final_response() or not answered:
            break
    events.close()
    assert reasons(shape) == [("weather", "completed" if answered else "cancelled")]


@pytest.mark.parametrize("whose", ["front", "weather"])
def test_a_tool_that_fails_ends_the_run(seen, adk, agent, shape, calls, transfers, whose):
    fails = calls("broken", city="Bergen")
    weather = agent("weather", fails, tools=[broken])
    asked = agent("front", transfers("weather"), sub_agents=[weather]) if whose == "front" else weather
    with pytest.raises(TimeoutError):
        adk.ask(asked)
    assert reasons(shape) == [(whose, "tool_timeout")]
    (failed,) = [span for span in seen.execute_tool if span.attributes["gen_ai.tool.name"] == "broken"]
    assert (failed.attributes["agent.tool.status"], failed.attributes["agent.error.class"]) == ("error", "timeout")


def test_a_model_that_fails_ends_the_run(seen, adk, agent, shape, transfers):
    weather = agent("weather", {"error": {"status": 400}})
    with pytest.raises(Exception, match="scripted failure"):
        adk.ask(agent("front", transfers("weather"), sub_agents=[weather]))
    assert reasons(shape) == [("front", "model_error")]
    (run,) = [span for span in seen.invoke_agent if "agent.run.status" in span.attributes]
    assert run.status.status_code is trace.StatusCode.ERROR


def test_too_many_calls_of_the_model(adk, agent, shape, calls):
    again = calls("look", city="Bergen")
    with pytest.raises(Exception, match="Max number of llm calls"):
        adk.ask(agent("weather", again, again, again, tools=[look]), run_config=RunConfig(max_llm_calls=2))
    assert shape() == [("weather", "max_steps", 2, 2, 2)]


def test_an_answer_that_is_cut_off(adk, agent, shape):
    adk.ask(agent("weather", {"text": "It ra", "finish": "length"}))
    assert reasons(shape) == [("weather", "max_tokens")]


def test_a_kill_between_a_handoff_and_the_next_call(seen, adk, agent, shape, transfers, limit):
    limits = limit()

    def kill(callback_context):
        limits.store.kill(Kill("agent:front", "bob", "too loud", 1.0))

    weather = agent("weather", "never said", before_agent_callback=kill)
    with pytest.raises(Killed, match="stopped by bob: too loud"):
        adk.ask(agent("front", transfers("weather"), sub_agents=[weather]))
    assert reasons(shape) == [("front", "killed")]
    (run,) = [span for span in seen.invoke_agent if "agent.run.status" in span.attributes]
    assert run.attributes["agent.run.model_calls"] == 1
    with pytest.raises(Killed):
        adk.ask(weather.parent_agent)


def test_a_budget_counts_over_handoffs(adk, agent, shape, transfers, limit):
    limit(budgets=[Budget(steps=2, action="stop")])
    weather = agent("weather", transfers("front"))
    with pytest.raises(BudgetExceeded):
        adk.ask(agent("front", transfers("weather"), "Rain.", sub_agents=[weather]))
    assert shape() == [("front", "max_steps", 3, 2, 2)]


def test_a_budget_holds_for_agents_in_tools(adk, agent, shape, calls, limit):
    limit(budgets=[Budget(tokens=1, action="stop")])
    weather = agent("weather", "It rains.")
    with pytest.raises(BudgetExceeded):
        adk.ask(agent("front", calls("weather", request="Bergen?"), "Rain.", tools=[AgentTool(weather)]))
    assert ("front", "budget_exceeded") in reasons(shape)


def test_a_task_that_is_cancelled(adk, agent, shape, calls):
    begun = asyncio.Event()

    async def wait(city: str) -> str:
        """The weather of a city."""
        begun.set()
        await asyncio.sleep(60)
        return city

    runner = adk.runner(agent("weather", calls("wait", city="Bergen"), "It rains.", tools=[wait]))

    async def main():
        session = await adk.session(runner)

        async def read():
            return [event async for event in adk.stream(runner, session)]

        task = asyncio.create_task(read())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert reasons(shape) == [("weather", "cancelled")]


def test_a_signal_to_stop(adk, agent, shape, calls):
    stop = asyncio.Event()

    def halt(city: str) -> str:
        """The weather of a city."""
        stop.set()
        return city

    adk.ask(agent("weather", calls("halt", city="Bergen"), "It rains.", tools=[halt]), abort_signal=stop)
    assert reasons(shape) == [("weather", "cancelled")]


def test_somebody_else_is_to_do_it_and_does(seen, adk, agent, shape, calls):
    def ask_bob(city: str) -> None:
        """Ask Bob."""

    tool = LongRunningFunctionTool(ask_bob)
    runner = adk.runner(agent("weather", calls("ask_bob", city="Bergen"), "Bob says rain.", tools=[tool]))

    async def main():
        session = await adk.session(runner)
        events = [event async for event in adk.stream(runner, session)]
        (call,) = [call for event in events for call in event.get_function_calls()]
        answer = types.FunctionResponse(id=call.id, name=call.name, response={"result": "rain"})
        told = types.Content(role="user", parts=[types.Part(function_response=answer)])
        return [event async for event in runner.run_async(user_id="u", session_id=session, new_message=told)]

    assert "rain" in asyncio.run(main())[-1].content.parts[0].text
    assert reasons(shape) == [("weather", "interrupted"), ("weather", "completed")]
    runs = [span for span in seen.invoke_agent if "agent.run.status" in span.attributes]
    assert len({run.attributes["session.id"] for run in runs}) == 1


def test_invocations_that_take_turns_are_runs_of_their_own(seen, adk, agent, shape, calls, provider):
    """Each next event is asked for by a task of its own; what is current between is the reader's."""
    turns = [calls("look", city="Bergen"), "It rains."]
    runners = [adk.runner(agent(name, *turns, tools=[look])) for name in ("one", "two")]

    async def main():
        with provider.get_tracer("reader").start_as_current_span("reader") as reader:
            streams = [adk.stream(runner, await adk.session(runner)) for runner in runners]
            while streams:
                for stream in [*streams]:
                    try:
                        await asyncio.create_task(anext(stream))
                    except StopAsyncIteration:
                        streams.remove(stream)
                    assert trace.get_current_span() is reader

    asyncio.run(main())
    assert sorted(shape()) == [("one", "completed", 2, 2, 1), ("two", "completed", 2, 2, 1)]
    runs = {run.attributes["agent.run.id"]: run.attributes["gen_ai.agent.name"] for run in seen.invoke_agent}
    for span in [*seen.generate_content, *seen.execute_tool]:
        assert runs[span.attributes["agent.run.id"]] == span.attributes["gen_ai.agent.name"]
