"""A gateway that answers with another model than the one that was asked: marked on the span, shown in the tree."""

from __future__ import annotations

import contextlib

import openai
import pytest
from click.testing import CliRunner

import spanledger
from spanledger import setup
from spanledger.cli import main
from spanledger.runs import Fallbacks
from spanledger.testing import ScriptedServer

ASKED = "openai/gpt-4o"


def ask(turn, model=ASKED, others=(ASKED, "openai/gpt-4o-mini")):
    with ScriptedServer([turn]) as server, openai.OpenAI(base_url=f"{server.url}/v1", api_key="k") as client:
        body = {"models": list(others)} if others else None
        client.chat.completions.create(model=model, messages=[{"role": "user", "content": "?"}], extra_body=body)


@pytest.fixture
def watched(provider):
    yield spanledger.configure(tracer_provider=provider)
    while setup._now:
        setup._now.pop().shutdown()


@pytest.mark.parametrize(
    ("model", "answered", "others", "marked"),
    [
        (ASKED, "openai/gpt-4o-mini-2024-07-18", [ASKED, "openai/gpt-4o-mini"], ASKED),
        (ASKED, "openai/gpt-4o-2024-08-06", [ASKED, "openai/gpt-4o-mini"], None),
        (ASKED, "gpt-4o", [ASKED, "openai/gpt-4o-mini"], None),
        (ASKED, "somebody/else", [ASKED, "openai/gpt-4o-mini"], None),
        (ASKED, "openai/gpt-4o-mini", [], None),
    ],
)
def test_who_answered(watched, spans, model, answered, others, marked):
    ask({"text": "hello", "model": answered}, model, others)
    assert spans()[-1].attributes.get("agent.fallback.for") == marked


def test_it_is_shown(watched, monkeypatch):
    monkeypatch.setenv("COLUMNS", "220")
    with spanledger.run("agent"):
        ask({"text": "hello", "model": "openai/gpt-4o-mini"})
    watched.force_flush()
    shown = CliRunner().invoke(main, ["show", "latest"]).output
    assert f"fallback for {ASKED}" in shown


def test_places_where_models_are_tried_in_turn(watched, spans):
    from spanledger.runs import decorate

    def models(*names, fails=()):
        for name in names:
            with contextlib.suppress(openai.BadRequestError):
                ask({"error": {"status": 400}} if name in fails else "hello", name, ())

    for each in (False, True):
        decorate(models, lambda *_, each=each: Fallbacks(each=each))("a", "b", "a", fails=("a",))
    decorate(models, lambda *_: Fallbacks())("a", "b")
    models("a", "b", fails=("a",))
    said = [span.attributes.get("agent.fallback.for") for span in spans()]
    assert said == [None, "a", None, None, "a", "a", None, None, None, None]
