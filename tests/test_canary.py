"""Secrets planted in every field of every watched call: none is in any exported byte or in the journal's file."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

import spanledger
from clients import CHAT, MESSAGE, RESPONSE, Answers, clients, generated
from spanledger import setup
from spanledger.journal import Journal, JournalSpanExporter
from spanledger.pipeline import LedgerSpanProcessor

EMAIL, PHONE, CARD = "dana.reyes@example.com", "+1 415-555-2671", "4111 1111 1111 1111"
KEY = "sk-proj-" + "Zx9Qw3Er7Ty1Ui5Op8As2Df6Gh4Jk0Lz"
TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
NEEDLES = (EMAIL, PHONE, CARD, KEY, TOKEN)
PLANTED = f"mail {EMAIL}, call {PHONE}, pay {CARD}, use {KEY} or {TOKEN}."


class Bytes(SpanExporter):
    """Keeps what would be sent over OTLP, byte for byte."""

    def __init__(self):
        self.sent = b""

    def export(self, spans):
        self.sent += encode_spans(spans).SerializeToString()
        return SpanExportResult.SUCCESS


@pytest.fixture
def leaked(tmp_path, monkeypatch):
    """Set all of it up with everything on; the function says which needles are in what left."""
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
    kept, path = Bytes(), tmp_path / "journal.db"
    provider = TracerProvider()
    journal = Journal(path)
    settings = {"store_arguments": True, "store_results": "full", "journal": str(path)}
    provider.add_span_processor(
        LedgerSpanProcessor([kept, JournalSpanExporter(journal)], settings=spanledger.Settings.load(**settings))
    )
    made = setup.start(spanledger.Settings.load(**settings), provider, protected=True)

    def leaked():
        provider.shutdown()
        made.shutdown()
        journal.close()
        files = b"".join(file.read_bytes() for file in tmp_path.glob("journal.db*"))
        assert len(kept.sent) > 500
        return {needle for needle in NEEDLES if needle.encode() in kept.sent + files}

    yield leaked
    while setup._now:
        setup._now.pop().shutdown()


def everywhere(value):
    """*value* with every free text in it replaced by the planted one."""
    if isinstance(value, dict):
        return {
            key: everywhere(item) if key in FREE or not isinstance(item, str) else item for key, item in value.items()
        }
    if isinstance(value, list):
        return [everywhere(item) for item in value]
    return PLANTED if isinstance(value, str) else value


FREE = {"content", "text", "description", "message", "refusal", "thinking", "default"}
TOOL = {
    "type": "object", "description": PLANTED,
    "properties": {"to": {"type": "string", "description": PLANTED, "default": EMAIL}},
}  # fmt: skip


def chat(client, **more):
    messages = [
        {"role": "system", "content": PLANTED},
        {"role": "user", "name": "dana", "content": [{"type": "text", "text": PLANTED}]},
        {"role": "assistant", "content": PLANTED, "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "send", "arguments": f'{{"to": "{PLANTED}"}}'}}]},
        {"role": "tool", "tool_call_id": "c1", "content": PLANTED},
        {"role": "user", "content": PLANTED},
    ]  # fmt: skip
    tools = [{"type": "function", "function": {"name": "send", "description": PLANTED, "parameters": TOOL}}]
    return client.chat.completions.create(
        model="gpt-4o-mini",
        messages=messages,
        tools=tools,
        stop=[PLANTED],
        user=EMAIL,
        metadata={"who": PLANTED},
        **more,
    )


def responses(client):
    return client.responses.create(
        model="gpt-4o-mini", instructions=PLANTED, input=[{"role": "user", "content": PLANTED}], user=EMAIL,
        tools=[{"type": "function", "name": "send", "description": PLANTED, "parameters": TOOL, "strict": False}],
    )  # fmt: skip


def messages(client):
    return client.messages.create(
        model="claude-haiku-4-5", max_tokens=9, system=PLANTED, stop_sequences=[PLANTED], metadata={"user_id": EMAIL},
        tools=[{"name": "send", "description": PLANTED, "input_schema": TOOL}],
        messages=[{"role": "user", "content": [{"type": "text", "text": PLANTED}]}],
    )  # fmt: skip


def gemini(client):
    return client.models.generate_content(
        model="gemini-2.5-flash", contents=PLANTED, config={"system_instruction": PLANTED, "stop_sequences": [PLANTED]}
    )


CALLS = [("openai", chat, CHAT), ("openai", responses, RESPONSE), ("anthropic", messages, MESSAGE),
         ("gemini", gemini, generated("x"))]  # fmt: skip


@pytest.mark.parametrize(("name", "call", "answer"), CALLS, ids=["chat", "responses", "messages", "gemini"])
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_nothing_of_a_model_call_leaves(name, call, answer, asynchronous, leaked):
    answers = Answers([everywhere(answer), (400, {"error": {"message": PLANTED, "code": "x", "type": PLANTED}})])
    client = clients(answers)[name][asynchronous]

    async def both():
        for _ in range(2):
            with contextlib.suppress(Exception):
                result = call(client)
                if asynchronous:
                    await result

    with (
        spanledger.run("support", user_id=EMAIL, session_id=f"s {PHONE}", request_id=PLANTED, labels={"team": PLANTED}),
        contextlib.suppress(Exception),
    ):
        asyncio.run(both())
    assert len(answers.requests) == 2
    assert leaked() == set()


def test_nothing_of_a_stream_leaves_even_cut_into_pieces(leaked):
    from clients import chat_chunk, sse

    pieces = [PLANTED[at : at + 7] for at in range(0, len(PLANTED), 7)]
    events = sse(*(chat_chunk({"content": piece}) for piece in pieces), chat_chunk({}, "stop"))
    for _ in chat(clients(Answers([events]))["openai"][0], stream=True):
        pass
    assert leaked() == set()


def test_nothing_of_a_tool_call_leaves(leaked):
    @spanledger.tool(version=EMAIL, description=PLANTED)
    def send(to, **more):
        if more.get("fail"):
            raise ValueError(PLANTED)
        return {"sent": PLANTED, "nested": [{"authorization": f"Bearer {KEY}"}]}

    with contextlib.suppress(ValueError), spanledger.run("a"):
        send(PLANTED, cookie=f"session={TOKEN}")
        send(to={"deep": [PLANTED]}, fail=True)
    assert leaked() == set()


def test_nothing_of_an_exception_leaves(leaked):
    with contextlib.suppress(RuntimeError), spanledger.run("a") as run, run.step("think"):
        raise RuntimeError(PLANTED)
    assert leaked() == set()
