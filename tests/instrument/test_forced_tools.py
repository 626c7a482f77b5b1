"""One tool and no choice is how answers are asked for in a shape: the run has what it was for, though nobody goes on."""

from __future__ import annotations

import pytest

import spanledger
from clients import CHAT, CHAT_ASK, MESSAGE, MESSAGE_ASK, generated
from spanledger import runs
from spanledger.providers import forced
from spanledger.runs import _implicit, _pending

PARAMETERS = {"type": "object", "properties": {}}
TOOLS = [{"type": "function", "function": {"name": name, "parameters": PARAMETERS}} for name in ("shape", "other")]
NAMED = {"type": "function", "function": {"name": "shape"}}
CLAUDES = [{"name": "shape", "input_schema": PARAMETERS}]


def called(identifier):
    call = {"id": identifier, "type": "function", "function": {"name": "shape", "arguments": "{}"}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


CALLED = {**CHAT, "choices": [{"index": 0, "finish_reason": "tool_calls", "message": called("c1")}]}
USED = {
    **MESSAGE, "stop_reason": "tool_use", "content": [{"type": "tool_use", "id": "t1", "name": "shape", "input": {}}],
}  # fmt: skip


def gemini_called():
    found = generated("")
    found["candidates"][0]["content"]["parts"] = [{"functionCall": {"name": "shape", "args": {}}}]
    return found


def chat(client, **more):
    return client.chat.completions.create(**CHAT_ASK, **{"tools": TOOLS, "tool_choice": NAMED, **more})


def claude(client):
    return client.messages.create(**MESSAGE_ASK, tools=CLAUDES, tool_choice={"type": "tool", "name": "shape"})


def gemini(client):
    config = {
        "tools": [{"function_declarations": [{"name": "shape", "description": "x"}]}],
        "tool_config": {"function_calling_config": {"mode": "ANY"}},
    }  # fmt: skip
    return client.models.generate_content(model="gemini-2.5-flash", contents="Hi", config=config)


@pytest.fixture
def reasons(spans):
    return lambda: [s.attributes["agent.run.stop_reason"] for s in spans() if s.name.startswith("invoke_agent")]


@pytest.mark.parametrize(
    ("name", "ask", "answer"),
    [("openai", chat, CALLED), ("anthropic", claude, USED), ("gemini", gemini, gemini_called())],
    ids=["openai", "anthropic", "gemini"],
)
def test_a_run_that_got_the_shape_it_asked_for_is_a_success(by_name, answers, reasons, name, ask, answer):
    answers.queue = [answer]
    ask(by_name[name])
    assert reasons() == []  # its result may come back yet
    runs.end_all("cancelled")
    assert reasons() == ["completed"]


def test_one_that_chose_to_call_a_tool_is_abandoned(by_name, answers, reasons):
    answers.queue = [CALLED]
    chat(by_name["openai"], tool_choice="auto")
    runs.end_all()
    assert reasons() == ["abandoned"]


def test_one_whose_tool_is_carried_out_waits_for_what_comes_of_it(by_name, answers, reasons):
    @spanledger.tool("shape")
    def shape():
        runs.end_all()  # as the process would that ends meanwhile

    answers.queue = [CALLED]
    chat(by_name["openai"])
    shape()
    assert reasons() == ["abandoned"]


def test_the_next_one_ends_it(by_name, answers, reasons):
    second = {**CALLED, "choices": [{**CALLED["choices"][0], "message": called("c2")}]}
    answers.queue = [CALLED, second]
    chat(by_name["openai"])
    chat(by_name["openai"])
    assert reasons() == ["completed"]
    runs.end_all()
    assert not _pending.waiting  # nobody brings a result any more


def test_it_does_not_wait_as_long_as_a_tool_may_take(by_name, answers, reasons, monkeypatch):
    answers.queue = [CALLED]
    chat(by_name["openai"])
    (found,) = _implicit._open.values()
    runs.sweep(found.until - 1)
    assert reasons() == []
    runs.end_answered()
    assert reasons() == []
    monkeypatch.setattr(_implicit.time, "monotonic", lambda: found.until + 1)
    runs.end_answered()
    assert reasons() == ["completed"]


def test_who_looks_after_answers_ends_nothing_else(by_name, answers, reasons, monkeypatch):
    answers.queue = [CALLED]
    chat(by_name["openai"], tool_choice="auto")
    (found,) = _implicit._open.values()
    monkeypatch.setattr(_implicit.time, "monotonic", lambda: found.until + 1)
    runs.end_answered()
    assert reasons() == []
    runs.sweep(found.until + 1)
    assert reasons() == ["abandoned"]


def test_one_that_is_asked_again_goes_on(by_name, answers, reasons, spans):
    """As those do that check the shape, and send back what is wrong with it."""
    answers.queue = [CALLED, CALLED]
    call = chat(by_name["openai"]).choices[0].message
    wrong = {"role": "tool", "tool_call_id": call.tool_calls[0].id, "content": "age: a number"}
    by_name["openai"].chat.completions.create(
        **{**CHAT_ASK, "messages": [*CHAT_ASK["messages"], call.model_dump(), wrong]}, tools=TOOLS, tool_choice=NAMED
    )
    runs.end_all()
    assert reasons() == ["completed"]
    (root,) = [span for span in spans() if span.name.startswith("invoke_agent")]
    assert (root.attributes["agent.run.steps"], root.attributes["agent.run.tool_calls"]) == (2, 1)


ONE, TWO = [{"name": "shape"}], [{"name": "shape"}, {"name": "other"}]
DECLARED = [{"functionDeclarations": TWO}]


@pytest.mark.parametrize(
    ("body", "is_forced"),
    [
        ({"tool_choice": NAMED, "tools": TWO}, True),
        ({"tool_choice": {"type": "function", "name": "shape"}}, True),
        ({"tool_choice": "required", "tools": ONE}, True),
        ({"tool_choice": "any", "tools": ONE}, True),
        ({"tool_choice": {"type": "any"}, "tools": ONE}, True),
        ({"tool_choice": "required", "tools": TWO}, False),
        ({"tool_choice": {"type": "any"}, "tools": TWO}, False),
        ({"tool_choice": {"type": "auto"}, "tools": ONE}, False),
        ({"tool_choice": {"type": "file_search"}, "tools": ONE}, False),
        ({"tool_choice": "none"}, False),
        ({"tool_choice": 7}, False),
        ({"function_call": {"name": "shape"}, "functions": TWO}, True),
        ({"function_call": "auto", "functions": ONE}, False),
        ({"toolConfig": {"toolChoice": {"tool": {"name": "shape"}}, "tools": TWO}}, True),
        ({"toolConfig": {"toolChoice": {"any": {}}, "tools": ONE}}, True),
        ({"toolConfig": {"toolChoice": {"any": {}}, "tools": TWO}}, False),
        ({"toolConfig": {"toolChoice": {"auto": {}}, "tools": ONE}}, False),
        ({"toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["shape"]}}}, True),
        ({"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}, "tools": DECLARED}, False),
        ({"toolConfig": {"functionCallingConfig": {"mode": "AUTO"}}, "tools": ONE}, False),
        ({"tools": ONE}, False),
        (None, False),
    ],
)
def test_what_leaves_no_choice(body, is_forced):
    assert forced(body) is is_forced
