"""The example's traces in a real Phoenix, read back by its REST interface."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / ".venv-phoenix" / "bin" / "phoenix"


@pytest.fixture(scope="module")
def phoenix(examples, tmp_path_factory):
    if not PROGRAM.exists():
        pytest.skip("PHOENIX IS NOT INSTALLED, so nothing was checked against it; `make integration` installs it")
    import with_phoenix

    with with_phoenix.Phoenix(PROGRAM, tmp_path_factory.mktemp("phoenix")) as phoenix:
        yield phoenix


@pytest.fixture(scope="module")
def unmodified(phoenix, tmp_path_factory):
    """The spans of the demo: the agent that has never heard of us."""
    import with_phoenix

    journal = tmp_path_factory.mktemp("demo") / "journal.db"
    ended = with_phoenix.run_demo(phoenix, SPANLEDGER_JOURNAL=str(journal))
    assert ended.returncode == 0
    return phoenix.spans(with_phoenix.PROJECT)


@pytest.fixture(scope="module")
def in_code(phoenix, tmp_path_factory):
    """The spans of the same agent in a run with a user and a session."""
    import demo
    from otlp_sink import OtlpSink

    from spanledger.testing import ScriptedServer

    with ScriptedServer(ROOT / "examples" / "scenarios" / "support.yaml") as server, OtlpSink(phoenix.url) as sink:
        env = demo.environment(server, sink)
        env["OTEL_RESOURCE_ATTRIBUTES"] = "openinference.project.name=in-code"
        env["SPANLEDGER_JOURNAL"] = str(tmp_path_factory.mktemp("in-code") / "journal.db")
        subprocess.run([sys.executable, str(ROOT / "examples" / "in_code.py")], env=env, check=True)
    return phoenix.spans("in-code")


def of_kind(spans, kind):
    return [span for span in spans if span["span_kind"] == kind]


def test_one_agent_with_its_model_calls_and_tools(unmodified):
    (agent,) = of_kind(unmodified, "AGENT")
    assert agent["attributes"]["agent.run.stop_reason"] == "completed"
    assert len(of_kind(unmodified, "LLM")) == 7
    names = sorted(span["attributes"]["gen_ai.tool.name"] for span in of_kind(unmodified, "TOOL"))
    assert names == ["lookup_customer", "search_help_pages", *["search_orders"] * 4, "send_email"]
    assert {span["context"]["trace_id"] for span in unmodified} == {agent["context"]["trace_id"]}


def test_failed_tools_are_errors(unmodified):
    failed = [span for span in of_kind(unmodified, "TOOL") if span["status_code"] == "ERROR"]
    classes = sorted(span["attributes"]["agent.error.class"] for span in failed)
    assert classes == ["rate_limited", "rate_limited", "upstream_error"]


def test_messages_and_tokens(unmodified):
    last = max(of_kind(unmodified, "LLM"), key=lambda span: span["start_time"])
    attributes = last["attributes"]
    assert attributes["llm.token_count.prompt"] == 1497
    assert attributes["llm.token_count.completion"] == 31
    assert attributes["llm.token_count.prompt_details.cache_read"] == 1280
    found = json.dumps({name: value for name, value in attributes.items() if name.startswith("llm.")})
    assert "duplicate charge of 129.00 EUR" in found, "what the model said"
    assert "support agent of a shop" in found, "the instructions"
    assert "charged me twice" in found, "what the customer said"


def test_session_and_user(phoenix, in_code):
    assert {span["attributes"].get("session.id") for span in in_code} == {"ticket-8812"}
    assert {span["attributes"].get("user.id") for span in in_code} == {"customer-1042"}
    sessions = phoenix.get("/v1/projects/in-code/sessions")["data"]
    assert [session["session_id"] for session in sessions] == ["ticket-8812"]


def test_no_secret_is_in_phoenix(phoenix, unmodified, in_code):
    import demo

    database = b"".join(path.read_bytes() for path in phoenix.folder.glob("*.db*"))
    assert b"charged me twice" in database, "the messages are there"
    everything = json.dumps([unmodified, in_code], ensure_ascii=False).encode() + database
    found = [name for name, forms in demo.PLANTED.items() if any(form.encode() in everything for form in forms)]
    assert found == []
