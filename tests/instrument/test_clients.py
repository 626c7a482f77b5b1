"""Every client, called in every way: one call, one span, the same result."""

from __future__ import annotations

import pytest

import spanledger
from clients import CHAT, CHAT_ASK, clients
from driving import drain, only, run
from spanledger.config import Settings
from spanledger.instrument import instrument
from wires import Pieces, httpx


def test_a_call_is_one_span(case, made, answers, spans):
    answers.queue = [case.answer]
    result = run(case.call(made))
    span = only(spans)
    assert span.name == f"{case.operation} {case.model}"
    said = span.attributes
    assert said["gen_ai.operation.name"] == case.operation
    assert said["gen_ai.provider.name"] == case.provider
    assert said["gen_ai.request.model"] == case.model
    assert said["gen_ai.response.finish_reasons"] == (case.finish,)
    assert (said["gen_ai.usage.input_tokens"], said["gen_ai.usage.output_tokens"]) == case.tokens
    assert said["agent.usage.source"] == "provider"
    assert "Hello there" in said["gen_ai.output.messages"]
    assert "Hi" in said["gen_ai.input.messages"]
    assert said["agent.run.stop_reason"] == "completed"
    assert said.get("server.address") == case.address
    assert span.status.is_unset
    assert result is not None


def test_a_drained_stream_is_one_span(case, made, answers, spans):
    answers.queue = [list(case.events)]
    chunks = drain(lambda: case.stream(made))
    said = only(spans).attributes
    assert chunks
    assert said["gen_ai.request.stream"] is True
    assert said["agent.stream.end"] == "drained"
    assert said["gen_ai.response.finish_reasons"] == (case.finish,)
    if case.name == "litellm" and "gen_ai.usage.input_tokens" not in said:
        assert said["agent.usage.source"] == "unknown"  # it takes usage out of a stream, where nobody asked for it
    else:
        assert (said["gen_ai.usage.input_tokens"], said["gen_ai.usage.output_tokens"]) == case.tokens
    assert "Hello there" in said["gen_ai.output.messages"]
    assert '"tool_call"' not in said["gen_ai.output.messages"]
    assert said["gen_ai.response.time_to_first_chunk"] >= 0


def test_an_error_status_is_classified(case, made, answers, spans):
    answers.queue = [case.error]
    with pytest.raises(Exception, match="slow down"):
        run(case.call(made))
    span = only(spans)
    assert span.attributes["agent.error.class"] == "rate_limited"
    assert span.attributes["agent.usage.source"] == "unknown"
    assert "slow down" not in (span.status.description or "")
    assert span.attributes["agent.run.stop_reason"] == "model_error"


def test_a_raw_response_with_a_broken_body_is_a_failed_call(answers, watching, spans):
    answers.queue = [b"no json"]
    client = clients(answers)["openai"][0]
    response = client.chat.completions.with_raw_response.create(model="gpt-4o-mini", messages=[])
    with pytest.raises(ValueError, match="Expecting value"):
        response.parse()
    assert only(spans).attributes["error.type"] == "json.decoder.JSONDecodeError"


@pytest.mark.parametrize(("finish", "reason"), [("length", "max_tokens"), ("content_filter", "content_filter")])
def test_an_answer_that_the_client_can_not_parse_was_paid_for(answers, watching, spans, finish, reason):
    answers.queue = [{**CHAT, "choices": [{**CHAT["choices"][0], "finish_reason": finish}]}]
    client = clients(answers)["openai"][0]
    here = client.chat.completions if hasattr(client.chat.completions, "parse") else client.beta.chat.completions
    with spanledger.run("a") as run, pytest.raises(Exception, match="Could not parse response content"):
        here.parse(**CHAT_ASK, response_format={"type": "json_object"})
    assert run.usage.total == sum(CHAT["usage"][name] for name in ("prompt_tokens", "completion_tokens"))
    span = next(span for span in spans() if span.name.startswith("chat"))
    assert span.attributes["gen_ai.response.finish_reasons"] == (finish,)
    assert span.attributes["error.type"].startswith("openai.")
    assert run.stop_reason == reason


# --- with and without us -------------------------------------------------------------------------------------------


def plain(value):
    """*value*, comparable; what differs from call to call by nature is left out."""
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return tuple(map(plain, value))
    dumped = value.model_dump() if hasattr(value, "model_dump") else value
    if hasattr(value, "_proto"):  # what it holds is put together only when it is asked for
        dumped = (getattr(value, "id", None), value.content)
    if isinstance(dumped, dict):
        dumped = {
            key: kept
            for key, kept in dumped.items()
            if key not in ("sdk_http_response", "_hidden_params", "ResponseMetadata")
        }
    return type(value), dumped


def failure(call):
    """What the caller sees of a failure: its type, what it says, and what it carries."""
    with pytest.raises(Exception) as caught:
        call()
    error = caught.value
    return type(error), str(error), getattr(error, "status_code", None), type(error.__cause__), type(error.__context__)


OUTCOMES = {
    "answer": (lambda case: [case.answer], lambda case, made: plain(run(case.call(made)))),
    "stream": (lambda case: [list(case.events)], lambda case, made: list(map(plain, drain(lambda: case.stream(made))))),
    "broken off": (
        lambda case: [list(case.events)],
        lambda case, made: list(map(plain, drain(lambda: case.stream(made), stop=1))),
    ),
    "error": (lambda case: [case.error], lambda case, made: failure(lambda: run(case.call(made)))),
    "error of a stream": (
        lambda case: [case.error],
        lambda case, made: failure(lambda: drain(lambda: case.stream(made))),
    ),
    "cut stream": (
        lambda case: [Pieces(list(case.events[:2]), httpx.ReadError("gone"))],
        lambda case, made: failure(lambda: drain(lambda: case.stream(made))),
    ),
}


def untimed(said):
    """What was *said* without the second at which LiteLLM says that it was made."""
    if isinstance(said, dict):
        return {key: untimed(value) for key, value in said.items() if key != "created"}
    return type(said)(map(untimed, said)) if isinstance(said, (list, tuple)) else said


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_what_the_caller_gets_is_that_of_a_program_without_us(case, answers, provider, spans, asynchronous, outcome):
    script, act = OUTCOMES[outcome]

    def once():
        answers.queue = script(case)
        return act(case, case.made(answers, asynchronous))

    before = once()
    with instrument(Settings(), tracer_provider=provider):
        during = once()
    assert untimed(during) == untimed(before)
    assert len(spans()) == 1  # or nothing was compared


def test_chunks_are_handed_on_as_they_come(case, answers, provider, asynchronous):
    """Nothing is read ahead, nothing is held back: a chunk is here before the server has said the next."""

    class Noted(Pieces):
        def __iter__(self):
            for at, piece in enumerate(super().__iter__()):
                order.append(f"said {at}")
                yield piece

        async def __aiter__(self):
            for at, piece in enumerate(self._pieces):
                order.append(f"said {at}")
                yield piece

    def once():
        order.clear()
        answers.queue = [Noted(list(case.events))]
        made = case.made(answers, asynchronous)
        noted = drain(lambda: case.stream(made), each=lambda: order.append("here"))
        return len(noted), list(order)

    order: list[str] = []
    before = once()
    with instrument(Settings(), tracer_provider=provider):
        during = once()
    assert during == before
    assert "here" in before[1]
