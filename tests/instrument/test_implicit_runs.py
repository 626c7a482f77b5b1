"""Runs that nobody opened: which calls belong together, and how they end."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from contextvars import Context

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind

import spanledger
from clients import CHAT, CHAT_ASK, Answers, clients, generated
from spanledger import runs
from spanledger.config import Settings
from spanledger.instrument import instrument
from spanledger.ledger import ledger
from spanledger.runs import _implicit

TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}]


def asks(*ids, name="look", arguments='{"id": 1}', finish="tool_calls"):
    calls = [{"id": i, "type": "function", "function": {"name": name, "arguments": arguments}} for i in ids]
    message = {"role": "assistant", "content": None, "tool_calls": calls}
    return {**CHAT, "choices": [{"index": 0, "finish_reason": finish, "message": message}]}


@pytest.fixture
def answers():
    return Answers()


@pytest.fixture
def client(answers, provider):
    with instrument(Settings(), tracer_provider=provider):
        yield clients(answers)["openai"][0]


def first(client):
    return client.chat.completions.create(**CHAT_ASK, tools=TOOLS)


def second(client, answer, content="done", **more):
    message = answer.choices[0].message
    results = [{"role": "tool", "tool_call_id": call.id, "content": content} for call in message.tool_calls]
    messages = [*CHAT_ASK["messages"], message.model_dump(exclude_none=True), *results]
    return client.chat.completions.create(model="gpt-4o-mini", messages=messages, tools=TOOLS, **more)


def named(spans, name):
    return [span for span in spans() if span.name.startswith(name)]


def test_an_agent_loop_is_one_run_of_numbered_steps(client, answers, spans):
    answers.queue = [asks("c1"), CHAT]
    second(client, first(client))
    (root,) = named(spans, "invoke_agent")
    chats = named(spans, "chat")
    assert [span.attributes["agent.step.number"] for span in chats] == [1, 2]
    assert {span.parent.span_id for span in chats} == {root.context.span_id}
    assert root.attributes["agent.run.stop_reason"] == "completed"
    assert root.attributes["agent.run.implicit"] is True
    assert (root.attributes["agent.run.steps"], root.attributes["agent.run.tool_calls"]) == (2, 1)
    assert root.parent is None


def test_nothing_is_attached_that_the_program_did_not_enter(client, answers, spans):
    from opentelemetry import context

    answers.queue = [asks("c1"), CHAT]
    before = context.get_current()
    answer = first(client)
    assert context.get_current() is before
    second(client, answer)
    assert context.get_current() is before


def test_a_tool_that_nobody_watched_is_inferred_from_its_result(client, answers, spans):
    answers.queue = [asks("c1"), CHAT]
    second(client, first(client), content='{"error": "busy", "status": 503}')
    (tool,) = named(spans, "execute_tool look")
    said = tool.attributes
    assert said["agent.tool.inferred"] is True
    assert said["gen_ai.tool.call.id"] == "c1"
    assert said["agent.error.class"] == "upstream_error"
    assert "agent.tool.duration" not in said
    assert said["agent.step.number"] == 1


def test_a_watched_tool_is_one_span_with_the_call_id(client, answers, spans):
    @spanledger.tool("look")
    def look(id):
        return {"found": id}

    answers.queue = [asks("c1", "c2"), CHAT]
    answer = first(client)
    look(id=1)
    look(id=1)
    second(client, answer)
    tools = named(spans, "execute_tool look")
    assert {span.attributes["gen_ai.tool.call.id"] for span in tools} == {"c1", "c2"}
    assert not any("agent.tool.inferred" in span.attributes for span in tools)
    (root,) = named(spans, "invoke_agent")
    assert {span.parent.span_id for span in tools} == {root.context.span_id}


def test_the_tool_finds_its_call_by_its_arguments(client, answers, spans):
    @spanledger.tool("look")
    def look(id):
        return id

    both = asks("c1")
    both["choices"][0]["message"]["tool_calls"] += asks("c2", arguments='{"id": 2}')["choices"][0]["message"][
        "tool_calls"
    ]
    answers.queue = [both, CHAT]
    answer = first(client)
    look(id=2)
    assert named(spans, "execute_tool look")[0].attributes["gen_ai.tool.call.id"] == "c2"
    second(client, answer)


def test_calls_join_by_tool_result_across_threads_and_contexts(client, answers, spans):
    answers.queue = [asks("c1"), CHAT]
    got = []
    contextvars.Context().run(lambda: got.append(first(client)))
    thread = threading.Thread(target=lambda: got.append(second(client, got[0])))
    contextvars.Context().run(thread.start)
    thread.join()
    assert len(named(spans, "invoke_agent")) == 1
    assert len({span.attributes["agent.run.id"] for span in spans()}) == 1


def test_concurrent_agents_do_not_mix(answers, provider, spans):
    with instrument(Settings(), tracer_provider=provider):
        client = clients(answers)["openai"][1]

        async def agent(number):
            answer = await client.chat.completions.create(**CHAT_ASK, tools=TOOLS, user=str(number))
            await asyncio.sleep(0)
            await second(client, answer)

        class ByRequest(list):
            def pop(self, index):
                body = answers.requests[-1].content
                return CHAT if b'"role":"tool"' in body else asks(f"c{len(answers.requests)}")

        answers.queue = ByRequest()

        async def main():
            await asyncio.gather(*(agent(number) for number in range(20)))

        asyncio.run(main())
    roots = named(spans, "invoke_agent")
    assert len(roots) == 20
    assert all(root.attributes["agent.run.model_calls"] == 2 for root in roots)


def test_the_next_conversation_is_the_next_run(client, answers, spans):
    answers.queue = [asks("c1"), asks("c2"), CHAT]
    first(client)
    second(client, first(client))
    assert len(ledger.going_on()) == 1
    runs.end_all()
    reasons = [root.attributes["agent.run.stop_reason"] for root in named(spans, "invoke_agent")]
    assert sorted(reasons) == ["abandoned", "completed"]


def test_a_retry_after_a_failed_call_stays_in_the_run(client, answers, spans):
    answers.queue = [asks("c1"), (503, {"error": {"message": "busy"}}), CHAT]
    answer = first(client)
    with pytest.raises(Exception, match="busy"):
        second(client, answer)
    second(client, answer)
    (root,) = named(spans, "invoke_agent")
    assert root.attributes["agent.run.model_calls"] == 3
    assert root.attributes["agent.run.stop_reason"] == "completed"


def test_a_failure_that_no_retry_mends_ends_the_run(client, answers, spans):
    answers.queue = [asks("c1"), (401, {"error": {"message": "who are you"}})]
    answer = first(client)
    with pytest.raises(Exception, match="who are you"):
        second(client, answer)
    (root,) = named(spans, "invoke_agent")
    assert root.attributes["agent.run.stop_reason"] == "model_error"
    assert root.attributes["agent.error.class"] == "auth"


def test_the_last_finish_reason_is_the_stop_reason(client, answers, spans):
    answers.queue = [{**CHAT, "choices": [{**CHAT["choices"][0], "finish_reason": "length"}]}]
    client.chat.completions.create(**CHAT_ASK)
    (chat,) = named(spans, "chat")
    assert (chat.attributes["agent.run.stop_reason"], chat.attributes["agent.run.status"]) == ("max_tokens", "failure")


def test_a_run_that_waits_too_long_is_abandoned(client, answers, spans):
    answers.queue = [asks("c1")]
    first(client)
    assert not named(spans, "invoke_agent")
    runs.sweep(now=float("inf"))
    assert named(spans, "invoke_agent")[0].attributes["agent.run.stop_reason"] == "abandoned"


def test_a_process_that_ends_on_a_failed_tool_says_so(client, answers, spans):
    @spanledger.tool("look")
    def look(id):
        raise TimeoutError

    answers.queue = [asks("c1")]
    first(client)
    with pytest.raises(TimeoutError):
        look(id=1)
    runs.end_all()
    assert named(spans, "invoke_agent")[0].attributes["agent.run.stop_reason"] == "tool_timeout"


def test_tool_calls_that_the_program_gives_ids_of_its_own_are_known_by_what_they_are(client, answers, spans):
    """As magentic does: the answer's id is gone, the call is repeated with another one."""
    answers.queue = [asks("c1", "c2"), CHAT]
    answer = first(client)
    for number, call in enumerate(answer.choices[0].message.tool_calls):
        call.id = f"mine-{number}"
        call.function.arguments = '{"id":1}'  # written anew
    second(client, answer)
    tools = named(spans, "execute_tool look")
    assert [span.attributes["gen_ai.tool.call.id"] for span in tools] == ["c1", "c2"]
    (root,) = named(spans, "invoke_agent")
    assert root.attributes["agent.run.tool_calls"] == 2


def test_tool_calls_without_ids_are_matched_by_name(answers, provider, spans):
    with instrument(Settings(), tracer_provider=provider):
        client = clients(answers)["gemini"][0]
        call = generated("")
        call["candidates"][0]["content"]["parts"] = [{"functionCall": {"name": "look", "args": {"id": 1}}}]
        answers.queue = [call, generated("done")]
        from google.genai import types

        tool = types.Tool(function_declarations=[types.FunctionDeclaration(name="look")])
        config = types.GenerateContentConfig(tools=[tool])
        answer = client.models.generate_content(model="gemini-2.5-flash", contents="hi", config=config)
        history = [
            types.Content(role="user", parts=[types.Part.from_text(text="hi")]),
            answer.candidates[0].content,
            types.Content(role="tool", parts=[types.Part.from_function_response(name="look", response={"ok": True})]),
        ]
        client.models.generate_content(model="gemini-2.5-flash", contents=history, config=config)
    (root,) = named(spans, "invoke_agent")
    assert root.attributes["agent.run.model_calls"] == 2
    assert named(spans, "execute_tool look")[0].attributes["agent.tool.inferred"] is True


def test_an_entered_run_wins(client, answers, spans):
    answers.queue = [asks("c1"), CHAT]
    with spanledger.run("mine") as run:
        second(client, first(client))
    assert [span.name for span in named(spans, "invoke_agent")] == ["invoke_agent mine"]
    assert (run.steps, run.tool_calls, run.usage.total) == (2, 1, 26)


def test_the_hashes_of_prompt_and_tools_stand_where_they_changed(client, answers, spans):
    answers.queue = [CHAT, CHAT, CHAT]
    ask = {"model": "gpt-4o-mini", "tools": TOOLS}

    def says(system):
        return [{"role": "system", "content": system}, {"role": "user", "content": "Hi"}]

    with spanledger.run("a"):
        for system in ("one", "one", "two"):
            client.chat.completions.create(**ask, messages=says(system))
    hashes = [span.attributes.get("agent.system_instructions.hash") for span in named(spans, "chat")]
    assert hashes[0] and hashes[1] is None and hashes[2] and hashes[0] != hashes[2]
    root = named(spans, "invoke_agent")[0].attributes
    assert root["agent.system_instructions.hash"] == hashes[2]
    assert root["agent.tool_definitions.hash"].startswith("hmac-sha256:")


def test_a_step_that_was_entered_says_what_changed_in_it(client, answers, spans):
    answers.queue = [CHAT, CHAT, CHAT]
    with spanledger.run("a") as run:
        for system in ("one", "one", "two"):
            with run.step():
                messages = [{"role": "system", "content": system}, {"role": "user", "content": "Hi"}]
                client.chat.completions.create(model="gpt-4o-mini", messages=messages, tools=TOOLS)
    for name in ("agent.system_instructions.hash", "agent.tool_definitions.hash"):
        steps = [span.attributes.get(name) for span in named(spans, "step")]
        assert steps == [span.attributes.get(name) for span in named(spans, "chat")]
        assert steps[0] and steps[1] is None


@pytest.fixture
def served(exporter):
    """A provider that tells of the server requests that it sees."""

    class Tells(SimpleSpanProcessor):
        def on_start(self, span, parent_context=None):
            runs.server_started(span)

        def on_end(self, span):
            super().on_end(span)
            runs.server_ended(span)

    provider = TracerProvider()
    provider.add_span_processor(Tells(exporter))
    return provider


def test_two_requests_of_one_trace_in_one_process_are_two_runs(answers, exporter, served):
    far = trace.SpanContext(0xA11, 0xB22, is_remote=True, trace_flags=trace.TraceFlags(1))
    caller = trace.set_span_in_context(trace.NonRecordingSpan(far))
    tracer = served.get_tracer("http")
    with instrument(Settings(), tracer_provider=served):
        client = clients(answers)["openai"][0]
        answers.queue = [CHAT] * 4
        requests = [tracer.start_span(f"POST {n}", caller, SpanKind.SERVER) for n in range(2)]
        inside = [tracer.start_span("handler", trace.set_span_in_context(request)) for request in requests]
        for span in (*requests, *inside):
            Context().run(_ask_in, span, client)
        for span in (*inside, *requests):
            span.end()
    roots = named(exporter.get_finished_spans, "invoke_agent")
    assert [root.attributes["agent.run.model_calls"] for root in roots] == [2, 2]
    assert not ledger.going_on()
    assert not _implicit._servers


def _ask_in(span, client):
    with trace.use_span(span):
        client.chat.completions.create(**CHAT_ASK)


def test_a_server_request_is_a_run_of_all_that_is_called_inside(answers, exporter, served):
    with instrument(Settings(), tracer_provider=served):
        client = clients(answers)["openai"][0]
        answers.queue = [CHAT, asks("c1"), CHAT]
        with served.get_tracer("http").start_as_current_span("POST /ask", kind=SpanKind.SERVER):
            client.chat.completions.create(**CHAT_ASK)
            second(client, first(client))
    (root,) = named(exporter.get_finished_spans, "invoke_agent")
    (server,) = named(exporter.get_finished_spans, "POST")
    assert root.parent.span_id == server.context.span_id
    assert root.attributes["agent.run.model_calls"] == 3
    assert root.attributes["agent.run.stop_reason"] == "completed"
    assert not ledger.going_on()
