"""Results without an id, as Google's client sends them, and ids that others use too: whose call is it that they answer?"""

from __future__ import annotations

import contextvars

import pytest

import spanledger
from clients import CHAT, CHAT_ASK, generated
from spanledger.hashing import hasher
from spanledger.runs import _pending

DECLARED = {"tools": [{"function_declarations": [{"name": "look", "description": "x"}]}]}
TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}]


@pytest.fixture
def named(spans):
    return lambda name: [span for span in spans() if span.name == name]


def looks(*cities, number=False):
    calls = [{"name": "look", "args": {"city": city}} for city in cities]
    if number:
        calls = [{**call, "id": f"n{n}"} for n, call in enumerate(calls)]
    found = generated("")
    found["candidates"][0]["content"]["parts"] = [{"functionCall": call} for call in calls]
    return found


class Agent:
    """An agent of Google's client in a context of its own, a turn at a time."""

    def __init__(self, client, question):
        self.models, self.here = client.models, contextvars.copy_context()
        self.history = [{"role": "user", "parts": [{"text": question}]}]

    def turn(self):
        answer = self.here.run(
            self.models.generate_content, model="gemini-2.5-flash", contents=self.history, config=DECLARED
        )
        said = answer.candidates[0].content
        parts = [{"function_response": {"name": p.function_call.name, "response": {"saw": p.function_call.args["city"]}}}
                 for p in said.parts if p.function_call]  # fmt: skip
        self.history += [said, {"role": "user", "parts": parts}]


@pytest.mark.parametrize("number", [False, True], ids=["calls without ids", "calls with ids"])
def test_each_of_several_calls_of_one_tool_is_answered(by_name, answers, named, number):
    answers.queue = [looks("Riga", "Oslo", number=number), generated("done")]
    agent = Agent(by_name["gemini"], "where?")
    agent.turn()
    agent.turn()
    told = [span.attributes["agent.tool.call.arguments.hash"] for span in named("execute_tool look")]
    assert told == [hasher().hash({"city": city}, "tool-args").text for city in ("Riga", "Oslo")]
    assert [span.attributes["agent.run.tool_calls"] for span in named("invoke_agent")] == [2]
    assert not _pending.waiting


@pytest.mark.parametrize("cities", [("Riga", "Oslo"), ("Riga", "Riga")], ids=["other arguments", "the same arguments"])
def test_agents_side_by_side_keep_their_tools_and_calls_apart(by_name, answers, named, spans, cities):
    answers.queue = [looks(cities[0]), looks(cities[1]), generated("one"), generated("two")]
    agents = [Agent(by_name["gemini"], question) for question in ("a", "b")]
    for agent in (*agents, *agents):
        agent.turn()
    roots = named("invoke_agent")
    assert [(s.attributes["agent.run.model_calls"], s.attributes["agent.run.tool_calls"]) for s in roots] == [
        (2, 1)
    ] * 2
    calls = [span.attributes["agent.run.id"] for span in spans() if span.name.startswith("generate_content")]
    assert calls[:2] == calls[2:]  # in the order of the agents' turns


def test_a_conversation_that_goes_on_elsewhere_finds_its_run_by_what_was_asked(by_name, answers, named):
    answers.queue = [looks("Riga"), looks("Oslo"), generated("one"), generated("two")]
    agents = [Agent(by_name["gemini"], question) for question in ("a", "b")]
    for agent in agents:
        agent.turn()
    for agent in agents:  # as another worker's thread does that was handed the history
        agent.here = contextvars.Context()
        agent.turn()
    hashes = [span.attributes["agent.tool.call.arguments.hash"] for span in named("execute_tool look")]
    assert hashes == [hasher().hash({"city": city}, "tool-args").text for city in ("Riga", "Oslo")]
    assert [span.attributes["agent.run.tool_calls"] for span in named("invoke_agent")] == [1, 1]


def test_runs_whose_providers_count_calls_from_nought_keep_their_tools(by_name, answers, spans):
    call = {"id": "functions.look:0", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    asks = {**CHAT, "choices": [{"index": 0, "finish_reason": "tool_calls", "message": message}]}
    answers.queue = [asks, asks, CHAT, CHAT]
    chat = by_name["openai"].chat.completions.create
    result = {"role": "tool", "tool_call_id": "functions.look:0", "content": "seen"}
    places, runs = [contextvars.Context(), contextvars.Context()], []
    for place in places:
        runs.append(place.run(spanledger.run("one").__enter__))
        place.run(chat, **CHAT_ASK, tools=TOOLS)
    for place in places:
        place.run(chat, model="gpt-4o-mini", messages=[*CHAT_ASK["messages"], message, result], tools=TOOLS)
    assert [run.tool_calls for run in runs] == [1, 1]
    assert not _pending.waiting
