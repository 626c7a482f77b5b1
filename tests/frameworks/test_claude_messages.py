"""What Claude Code says of itself, read without its SDK: whatever it says, the sums of a run are those of its result."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_messages import MODEL, done, got, init, pieces, result, said, started, sums, use
from spanledger.frameworks._claude import Conversation
from spanledger.ledger import ledger

tokens = st.integers(0, 5_000)


def tell(*messages):
    """A request of which a process says *messages*; gives its run."""
    conversation = Conversation(None)
    conversation.begin()
    run = conversation.scope.run
    for message in messages:
        conversation.saw(message)
    conversation.end(GeneratorExit())
    return run


@given(
    answers=st.lists(st.tuples(tokens, tokens, tokens), min_size=1, max_size=6), more=tokens,
    lanes=st.lists(st.sampled_from([None, "t1", "t2"]), min_size=6, max_size=6),
)  # fmt: skip
def test_the_sums_are_those_of_the_result(answers, more, lanes):
    messages = [
        said(f"m{n}", "x", input=asked, output=output, cached=cached, lane=lane)
        for n, ((asked, output, cached), lane) in enumerate(zip(answers, lanes, strict=False))
    ]  # fmt: skip
    asked, output, cached = (sum(answer[n] for answer in answers) for n in range(3))
    run = tell(init(), *messages, result({MODEL: sums(asked, output + more, cached)}))
    assert (run.usage.input, run.usage.output) == (asked + cached, output + more)
    assert run.model_calls == len(answers)
    assert run.steps == sum(lane is None for lane, _ in zip(lanes, answers, strict=False))
    assert run.stop_reason == "completed"


def test_what_is_left_in_the_middle_is_settled_as_it_was_said(seen):
    run = tell(init(), said("m1", use("t1"), output=3), got("t1", "text"))
    assert (run.model_calls, run.tool_calls, run.usage.output) == (1, 1, 3)
    assert run.stop_reason == "cancelled"
    assert {span.attributes["agent.run.id"] for span in [*seen.chat, *seen.execute_tool]} == {run.id}
    assert ledger.get(run.id).ended is not None


def test_blocks_of_one_answer_are_one_call(seen):
    run = tell(
        init(), said("m1", "I look."), said("m1", use("t1"), use("t2")), got("t1", "1"), got("t2", "2"), result()
    )
    assert (run.model_calls, run.tool_calls) == (1, 2)
    assert len(seen.execute_tool) == 2


@pytest.mark.parametrize(
    "message", [{}, {"type": "result"}, {"type": "keep_alive"}, {"type": "assistant"}, {"type": "user"}]
)
def test_what_it_does_not_understand_changes_nothing(message):
    conversation = Conversation(None)
    conversation.saw(message)
    conversation.end(GeneratorExit())


def test_a_second_request_counts_what_came_since():
    conversation = Conversation(None)
    runs = []
    for n in (1, 2):
        conversation.begin()
        runs.append(conversation.scope.run)
        conversation.saw(said(f"m{n}", "x", input=10, output=1))
        conversation.saw(result({MODEL: sums(10 * n, 50 * n)}))
    assert [run.usage.output for run in runs] == [50, 50]


def test_somebody_elses_words_about_the_end_stay():
    conversation = Conversation(None)
    conversation.begin()
    conversation.scope.run.stop_reason = "denied"
    conversation.saw(result())
    assert conversation.scope.run.stop_reason == "denied"


@given(
    answers=st.lists(st.tuples(tokens, tokens, tokens), min_size=1, max_size=6),
    inside=st.lists(st.tuples(tokens, tokens), max_size=4), hidden=tokens,
)  # fmt: skip
def test_every_call_has_its_tokens_and_the_rest_is_accounted_for(answers, inside, hidden):
    messages = [
        piece for n, (asked, output, cached) in enumerate(answers)
        for piece in pieces(f"m{n}", "x", input=asked, output=output, cached=cached)
    ]  # fmt: skip
    below = [said(f"s{n}", use(f"u{n}"), input=asked, lane="t1") for n, (asked, _) in enumerate(inside)]
    asked, cached = (
        sum(answer[0] for answer in answers) + sum(a for a, _ in inside),
        sum(answer[2] for answer in answers),
    )
    output = sum(answer[1] for answer in answers) + sum(max(o, 1) for _, o in inside)
    run = tell(init(), *messages, started("t1"), *below, *done("t1", total=1), result({
        MODEL: sums(asked, output, cached), "claude-haiku-4-5": sums(hidden, hidden),
    }))  # fmt: skip
    assert (run.usage.input, run.usage.output) == (asked + cached + hidden, output + hidden)
    assert run.model_calls == len(answers) + len(inside) + bool(hidden)


def test_an_answer_that_is_summed_up_later_is_counted_once(seen):
    """A result may come while a subagent's answer is half way: the next one holds it."""
    tell(
        init(), *pieces("m1", use("t1", "Task"), output=5, stop="tool_use"), started("t1"), got("t1", "launched"),
        said("s1", use("u1"), input=100, lane="t1"), result({MODEL: sums(10, 5)}),
        init(), *pieces("m2", "So.", output=6), result({MODEL: sums(120, 51)}),
    )  # fmt: skip
    assert sorted(span.attributes["gen_ai.usage.input_tokens"] for span in seen.chat) == [10, 10, 100]


@pytest.mark.parametrize(
    "name", [MODEL, "claude-sonnet-4-5", f"us.anthropic.{MODEL}-v1:0", "claude-sonnet-4-5@20250929", f"{MODEL}[1m]"]
)
def test_a_model_is_known_by_any_of_its_names(name, seen):
    run = tell(init(), said("m1", "x", input=7), result({name: {**sums(7, 30), "canonicalModel": "claude-sonnet-4-5"}}))
    assert (run.model_calls, run.usage.output) == (1, 30)


def test_another_generation_is_another_model(seen):
    run = tell(
        init(), said("m1", "x", model="claude-opus-4-5-20251101", input=7), result({"claude-opus-4": sums(7, 30)})
    )
    assert run.model_calls == 2


def test_what_a_session_used_before_it_was_resumed_is_not_used_again(seen):
    """`modelUsage` goes on where the session stopped; what was used since the last result stands beside it."""
    end = result({MODEL: sums(210, 45)}, model_usage_since_last_result={MODEL: sums(10, 25)})
    run = tell(init(), *pieces("m1", "x", output=25), end)
    assert (run.model_calls, run.usage.input, run.usage.output) == (1, 10, 25)


def test_the_last_words_of_a_subagent_are_its_own(seen):
    """They are told by the tokens that it left in its context, not by a message."""
    tell(
        init(), *pieces("m1", use("t1", "Task"), output=5, stop="tool_use"), started("t1", background=False),
        *done("t1", total=300 + 40), got("t1", "It says so."), *pieces("m2", "So.", output=6),
        result({MODEL: sums(20 + 300, 11 + 40)}),
    )  # fmt: skip
    sub, run = seen.invoke_agent
    (last,) = [call for call in seen.chat if call.attributes["gen_ai.usage.input_tokens"] == 300]
    assert last.attributes["agent.run.id"] == sub.attributes["agent.run.id"]
    assert last.attributes["gen_ai.usage.output_tokens"] == 40
    assert run.attributes["agent.run.model_calls"] == 3
