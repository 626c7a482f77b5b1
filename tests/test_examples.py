"""Each example runs, as a program, against the scripted server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from spanledger.testing import ScriptedServer

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
NOT_PROGRAMS = {"otlp_sink.py", "support_tools.py"}
ANSWER = "The duplicate charge of 129.00 EUR for order A-77310 will be refunded, and Dana has been told by e-mail."


def clean_environment(tmp_path, **more):
    """What a program finds on a machine where nobody has set anything up."""
    ours = ("OTEL_", "SPANLEDGER_", "OPENAI_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "HOME": str(tmp_path / "home"), "XDG_STATE_HOME": "", "PYTHONPATH": str(ROOT / "src"), **more}


def run(*command, env, cwd):
    return subprocess.run([*map(str, command)], env=env, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("options", [[], ["--stream"]], ids=["plain", "stream"])
def test_the_agent_alone_knows_nothing_of_us(tmp_path, options):
    """Without us it is a plain program: it imports no module of ours, and works."""
    with ScriptedServer(EXAMPLES / "scenarios" / "support.yaml") as server:
        env = clean_environment(tmp_path, OPENAI_API_KEY="none", OPENAI_BASE_URL=f"{server.url}/v1")
        ended = run(sys.executable, "-X", "importtime", EXAMPLES / "support_agent.py", *options, env=env, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert ANSWER in ended.stdout
    assert "spanledger" not in ended.stderr, "the list of imported modules"


@pytest.fixture(scope="module", params=[[], ["--stream"]], ids=["plain", "stream"])
def demo(request, tmp_path_factory):
    """What `make demo` runs, in an empty home, with the journal it leaves."""
    folder = tmp_path_factory.mktemp("demo")
    journal = folder / "journal.db"
    env = clean_environment(folder, SPANLEDGER_JOURNAL=str(journal))
    ended = run(sys.executable, EXAMPLES / "demo.py", *request.param, env=env, cwd=folder)
    return ended, {**env, "XDG_STATE_HOME": str(folder / ".cache" / "demo" / "state")}, folder


def test_the_demo_tells_what_happened(demo):
    ended, _, _ = demo
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stderr == ""
    assert ANSWER in ended.stdout
    for word in ("lookup_customer", "search_orders", "send_email", "rate_limited", "upstream_error", "completed", "$"):
        assert word in ended.stdout, word


def test_no_secret_leaves(demo):
    """The driver says so itself, and would not if the secrets had never been there or the run were missing."""
    ended, _, _ = demo
    assert "none of the 4 planted secrets is in the journal" in ended.stdout
    assert "none of the 4 planted secrets is in the exported bytes" in ended.stdout
    assert "FOUND" not in ended.stdout


def test_the_run_can_be_read_again(demo):
    _, env, folder = demo
    shown = run(Path(sys.executable).parent / "spanledger", "show", "latest", "--json", env=env, cwd=folder)
    assert shown.returncode == 0, shown.stderr
    found = json.dumps(json.loads(shown.stdout))
    assert "lookup_customer" in found
    assert "dana.whitfield" not in found


def test_in_code(tmp_path):
    with ScriptedServer(EXAMPLES / "scenarios" / "support.yaml") as server:
        env = clean_environment(tmp_path, OPENAI_API_KEY="none", OPENAI_BASE_URL=f"{server.url}/v1")
        ended = run(sys.executable, EXAMPLES / "in_code.py", env=env, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert ANSWER in ended.stdout
    assert "completed: 7 steps, 7185 tokens, $0.00" in ended.stdout


def test_every_example_is_tested_or_part_of_one():
    tested = {"demo.py", "in_code.py", "support_agent.py", "with_phoenix.py"}
    assert {path.name for path in EXAMPLES.glob("*.py")} == tested | NOT_PROGRAMS
