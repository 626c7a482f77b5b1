"""The example's traces in a real Phoenix, read back by its REST interface."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
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


THIN = """
import spanledger, support_agent
spanledger.configure(agent="support", tools=["support_tools:*"])
with spanledger.run("support", user_id="customer-1042", session_id="ticket-9000"):
    support_agent.main()
"""


@pytest.fixture(scope="module")
def thin(phoenix, examples, tmp_path_factory):
    """The same with the thin layer that Phoenix's own pages want."""
    import demo
    from otlp_sink import OtlpSink

    from spanledger.testing import ScriptedServer

    with ScriptedServer(ROOT / "examples" / "scenarios" / "support.yaml") as server, OtlpSink(phoenix.url) as sink:
        env = demo.environment(server, sink)
        env["OTEL_RESOURCE_ATTRIBUTES"] = "openinference.project.name=thin"
        env["SPANLEDGER_JOURNAL"] = str(tmp_path_factory.mktemp("thin") / "journal.db")
        env["SPANLEDGER_DIALECTS"] = "openinference"
        env["PYTHONPATH"] = os.pathsep.join(filter(None, (str(examples), env.get("PYTHONPATH"))))
        subprocess.run([sys.executable, "-c", THIN], env=env, check=True)
    phoenix.spans("thin")
    query = """{projects{edges{node{name
        spans(first:100){edges{node{name spanKind statusCode input{value} output{value} tokenCountTotal}}}
        sessions(first:5){edges{node{sessionId firstInput{value} lastOutput{value}}}}}}}}"""
    request = urllib.request.Request(
        f"{phoenix.url}/graphql", json.dumps({"query": query}).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        projects = {edge["node"]["name"]: edge["node"] for edge in json.load(answer)["data"]["projects"]["edges"]}
    found = projects["thin"]
    return {kind: [edge["node"] for edge in found[kind]["edges"]] for kind in ("spans", "sessions")}


@pytest.fixture(scope="module")
def collected(phoenix, collector, tmp_path_factory):
    """The spans of the demo that came through the collector."""
    import with_phoenix

    journal = tmp_path_factory.mktemp("collected") / "journal.db"
    project = {"OTEL_RESOURCE_ATTRIBUTES": "openinference.project.name=collected", "SPANLEDGER_JOURNAL": str(journal)}
    with collector(phoenix.url) as through:
        assert with_phoenix.run_demo(through, **project).returncode == 0
        return phoenix.spans("collected")


def of_kind(spans, kind):
    return [span for span in spans if span["span_kind"] == kind]


def test_one_agent_with_its_model_calls_and_tools(unmodified):
    (agent,) = of_kind(unmodified, "AGENT")
    assert agent["attributes"]["agent.run.stop_reason"] == "completed"
    assert len(of_kind(unmodified, "LLM")) == 7
    names = sorted(span["attributes"]["gen_ai.tool.name"] for span in of_kind(unmodified, "TOOL"))
    assert names == ["lookup_customer", "search_help_pages", *["search_orders"] * 4, "send_email"]
    assert {span["context"]["trace_id"] for span in unmodified} == {agent["context"]["trace_id"]}


def test_a_collector_in_between_changes_nothing(unmodified, collected):
    def told(spans):
        return sorted(
            (span["name"], span["span_kind"], span["status_code"], span["attributes"].get("llm.token_count.total", 0))
            for span in spans
        )

    assert told(collected) == told(unmodified)


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


def test_lists_and_pages_are_complete_with_the_thin_layer(thin):
    (root,) = [span for span in thin["spans"] if span["spanKind"] == "agent"]
    assert root["input"]["value"].startswith("Hello, you charged me twice for the same label printer!")
    assert "will be refunded" in root["output"]["value"]
    assert {span["statusCode"] for span in thin["spans"] if span["spanKind"] != "tool"} == {"OK"}
    tools = [span for span in thin["spans"] if span["spanKind"] == "tool"]
    assert sorted(span["statusCode"] for span in tools) == ["ERROR"] * 3 + ["OK"] * 4
    assert all(span["input"] for span in thin["spans"])
    assert all(span["output"] for span in thin["spans"] if span["statusCode"] == "OK")
    assert len([span for span in thin["spans"] if span["spanKind"] == "llm" and span["tokenCountTotal"]]) == 7


def test_the_page_of_a_session_shows_what_was_said(thin):
    (session,) = thin["sessions"]
    assert session["sessionId"] == "ticket-9000"
    assert session["firstInput"]["value"].startswith("Hello, you charged me twice")
    assert "will be refunded" in session["lastOutput"]["value"]


def test_no_secret_is_in_phoenix(phoenix, unmodified, in_code, thin):
    import demo

    database = b"".join(path.read_bytes() for path in phoenix.folder.glob("*.db*"))
    assert b"charged me twice" in database, "the messages are there"
    everything = json.dumps([unmodified, in_code, thin], ensure_ascii=False).encode() + database
    found = [name for name, forms in demo.PLANTED.items() if any(form.encode() in everything for form in forms)]
    assert found == []
