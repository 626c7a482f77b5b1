"""Each framework in a process of its own: its telemetry on and off, imported and built before and after us."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import each_framework

PROGRAM = Path(each_framework.__file__)
MODEL = ("chat", "generate_content")


@pytest.mark.parametrize("name", [agent.__name__ for agent in each_framework.ALL])
@pytest.mark.parametrize("telemetry", ["telemetry", "quiet"])
@pytest.mark.parametrize("order", ["ours-first", "theirs-first"])
def test_one_run_two_calls_one_tool(name, telemetry, order, tmp_path):
    if not each_framework.installed(name):
        pytest.skip(f"{name} is not installed")
    quiet = {"CREWAI_DISABLE_TELEMETRY": "true", "CREWAI_TRACING_ENABLED": "false", "CREWAI_TESTING": "true"}
    environment = {**os.environ, **quiet, "PYTHONPATH": str(Path("src").resolve()), "HOME": str(tmp_path)}
    command = [sys.executable, str(PROGRAM), name, order, telemetry]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    spans = json.loads(done.stdout.splitlines()[-1])
    operations = [span.get("gen_ai.operation.name") for span in spans]
    assert operations.count("invoke_agent") == operations.count("execute_tool") == 1, spans
    assert sum(operation in MODEL for operation in operations) == 2, spans
    (run,) = [span for span in spans if "agent.run.status" in span]
    assert run["agent.run.stop_reason"] == "completed"
    assert (run["agent.run.model_calls"], run["agent.run.tool_calls"]) == (2, 1)
    calls = [span for span in spans if span.get("gen_ai.operation.name") in (*MODEL, "execute_tool")]
    assert {span.get("agent.run.id") for span in calls} == {run["agent.run.id"]}
    told = "unknown" if name == "llama_index" else "provider"  # it streams, and does not ask for the usage
    assert {span["agent.usage.source"] for span in calls if "agent.tool.status" not in span} == {told}
