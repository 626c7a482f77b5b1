"""
One virtual environment per contender, so that the peers' dependencies never meet.

    python benchmarks/environments.py            make what is missing
    python benchmarks/environments.py official   make (again) only these

They live in ``.cache/bench/env`` and are safe to delete.  What was installed is kept in ``.cache/bench/versions.json``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "bench"
VERSIONS = CACHE / "versions.json"

OPENAI = "openai==3.52.0"
SDK = "opentelemetry-sdk==1.45.2"
RECIPES: dict[str, list[list[str]]] = {
    # name: arguments of `pip install`, in order
    "ours": [[OPENAI, SDK, "-e", str(ROOT)]],  # the hand-written contenders live here too: same client, same SDK
    "official": [[OPENAI, SDK, "--pre", "opentelemetry-instrumentation-genai-openai==1.3b0"]],
    "openinference": [[OPENAI, SDK, "openinference-instrumentation-openai==0.1.66"]],
    "openllmetry": [[OPENAI, SDK, "opentelemetry-instrumentation-openai==0.62.4"]],
    # declares openai<3 and an SDK one patch older: measured as it asks to be, against its own un-instrumented call
    "openlit": [["openlit==1.45.0", "opentelemetry-sdk==1.45.1", "opentelemetry-instrumentation==0.66b1"]],
    # newer ones want a CA bundle that not every mirror has; it costs no CPU, so the check is left out
    "logfire": [[OPENAI, SDK, "logfire==5.2.0"], ["--no-deps", "logfire==5.4.0", "logfire-sdk==5.4.0"]],
    "langfuse": [[OPENAI, SDK, "langfuse==5.0.4"]],
}
BUDGETS: dict[str, list[list[str]]] = {"agent-sre": [["agent-sre==3.7.0"]], "litellm": [["litellm==1.106.2"]]}
"""Those whose budget checks `limits.py` measures."""
TOLD = (
    "agent",
    "litellm",
    "openai",
    "httpx",
    "pydantic",
    "orjson",
    "wrapt",
    "opentelemetry",
    "openinference",
    "openlit",
    "logfire",
    "langfuse",
)
"""Beginnings of the packages whose versions are told beside the figures."""


def python(name: str) -> Path:
    """The interpreter of environment *name*."""
    return CACHE / "env" / name / "bin" / "python"


def make(name: str) -> None:
    """Make environment *name* and record what is in it; raises `SystemExit` with pip's words when that fails."""
    if not python(name).exists():
        venv.create(CACHE / "env" / name, with_pip=True)
    pip = [str(python(name)), "-m", "pip", "--disable-pip-version-check"]
    for arguments in (RECIPES | BUDGETS)[name]:
        done = subprocess.run([*pip, "install", "-q", *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{name}: {done.stderr.strip()[-800:]}")
    listed = subprocess.run([*pip, "list", "--format=json"], capture_output=True, text=True, check=True).stdout
    versions = json.loads(VERSIONS.read_text()) if VERSIONS.exists() else {}
    versions[name] = {p["name"]: p["version"] for p in json.loads(listed) if p["name"].startswith(TOLD)}
    VERSIONS.write_text(json.dumps(versions, indent=1, sort_keys=True))


def ready(name: str) -> bool:
    """Whether environment *name* was made to the end."""
    return VERSIONS.exists() and name in json.loads(VERSIONS.read_text()) and python(name).exists()


if __name__ == "__main__":
    for wanted in sys.argv[1:] or [name for name in RECIPES if not ready(name)]:
        print("making", wanted, flush=True)
        make(wanted)
