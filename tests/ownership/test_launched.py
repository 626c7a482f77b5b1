"""Under the launcher and by hand, beside whoever is installed: one span for a call, with our enrichment, one cost, tokens once."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import openai
import pytest

from spanledger.testing import ScriptedServer

PROGRAM = Path(__file__).with_name("program.py")
RUNS = [
    "chat", "chat stream", "messages", "messages stream", "messages helper",
    "async chat", "async chat stream", "async messages", "async messages stream",
]  # fmt: skip
if hasattr(openai.OpenAI, "responses"):
    RUNS += ["responses", "responses stream"]
BY_HAND = [name for name in ("logfire", "openlit") if importlib.util.find_spec(name)]
"""Those that the program starts itself, because no launcher does."""
ENDED_EARLY = {
    "chat stream",
    "responses stream",
    "messages stream",
    "messages helper",
    "async chat stream",
    "async messages stream",
}
"""Logfire's span ends when the stream begins."""


def traced(peer, order, **env):
    """The spans that the program exports, by the name of their run, and what it said on standard error."""
    launcher = [Path(sys.executable).with_name("opentelemetry-instrument")] if order == "launched" else []
    with ScriptedServer(["Hello there"]) as server:
        done = subprocess.run(
            [*launcher, sys.executable, PROGRAM, server.url, peer, order],
            capture_output=True, text=True, check=False, timeout=120,
            env={**os.environ, "OTEL_TRACES_EXPORTER": "console", "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none",
                 "SPANLEDGER_JOURNAL_OFF": "1", **env},
        )  # fmt: skip
        asked = len(server.requests)
    assert done.returncode == 0, done.stderr
    assert asked == len(RUNS)
    # the other may write the very same spans to the console as well
    spans = list({span["context"]["span_id"]: span for span in objects(done.stdout)}.values())
    names = {span["attributes"]["agent.run.id"]: span["name"].removeprefix("invoke_agent ") for span in spans
             if span["name"].startswith("invoke_agent ")}  # fmt: skip
    found = defaultdict(list)
    for span in spans:
        if not span["name"].startswith("invoke_agent "):
            found[names.get(span["attributes"].get("agent.run.id"))].append(span)
    return found, done.stderr


def objects(text):
    """The JSON objects that stand one after the other in *text*."""
    decoder, at = json.JSONDecoder(), text.find("{")
    while at >= 0:
        found, end = decoder.raw_decode(text, at)
        yield found
        at = text.find("{", end)


def models(spans):
    """Those that stand for a model call, in whichever dialect; HTTP spans and log lines are none."""
    kinds = (
        (s, s["attributes"].get("openinference.span.kind") or s["attributes"].get("gen_ai.operation.name"))
        for s in spans
    )
    return [s for s, kind in kinds if kind in ("LLM", "chat") and s["attributes"].get("logfire.span_type") != "log"]


CASES = [
    *[(peer, "launched", native) for peer in ("", *BY_HAND) for native in (False, True)],
    *[(peer, order, False) for peer in BY_HAND for order in ("we first", "they first")],
]


@pytest.mark.parametrize(("by_hand", "order", "native"), CASES)
def test_a_call_is_one_span_with_one_cost(by_hand, order, native):
    found, said = traced(by_hand, order, **({"SPANLEDGER_NATIVE_SPANS": "true"} if native else {}))
    assert "spanledger failed" not in said
    wrong = {}
    for name in RUNS:
        spans = models(found[name])
        if len(spans) != 1:
            wrong[name] = f"{len(spans)} spans: {[span['name'] for span in spans]}"
            continue
        attributes = spans[0]["attributes"]
        missing = [key for key in ("agent.run.id", "agent.step.id") if key not in attributes]
        if not (by_hand == "logfire" and name in ENDED_EARLY):
            missing += [
                key
                for key in ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "gen_ai.usage.cost.amount")
                if key not in attributes
            ]
        costs = [span["name"] for span in found[name] if span["attributes"].get("gen_ai.usage.cost.amount")]
        if missing or len(costs) > 1:
            wrong[name] = f"without {missing}, costs on {costs}"
    assert wrong == {}
    assert not models(found[None])
