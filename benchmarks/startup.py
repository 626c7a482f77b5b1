"""
What spanledger costs before the first call: CPU time of importing it and of `configure`, above the SDK's own import.

    python benchmarks/startup.py            a table
    python benchmarks/startup.py --check    exit code 1 when importing costs more than 60 ms or brings in too much

Each figure is the median over processes of their own, in pairs with one that imports the SDK alone.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile

import environments

PAIRS = 15
GOAL_MS = 60.0
SDK = "import opentelemetry.sdk.trace, opentelemetry.sdk.trace.export; "
ALL = "import spanledger; [getattr(spanledger, name) for name in spanledger.__all__]; "
STEPS = {
    "import spanledger": "import spanledger",
    "every public name": ALL,
    "configure()": ALL + "spanledger.configure()",
    "configure() and the openai client": "import openai; " + ALL + "spanledger.configure()",
    "the openai client alone": "import openai",
}
LATE = (
    "anthropic", "click", "genai_prices", "google.genai", "grpc", "httpx", "httpx2", "openai", "phonenumbers",
    "pydantic", "requests", "rfc8785", "rich", "sqlite3", "yaml",
)  # fmt: skip
"""What importing must leave alone: clients, price library, database, network, terminal."""


def cpu_ms(code: str, home: str) -> float:
    """Milliseconds of CPU, user and system, of a new interpreter that runs *code*."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith(("OTEL_", "SPANLEDGER_", "PYTHON"))}
    variables.update(XDG_STATE_HOME=home, PYTHONHASHSEED="0")
    process = subprocess.Popen([str(environments.python("ours")), "-c", code], env=variables, cwd=home)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"failed: {code}")
    return (used.ru_utime + used.ru_stime) * 1000


def above_sdk(step: str, home: str) -> float:
    """The median over pairs of what *step* costs above the SDK's import."""
    cpu_ms(SDK + step, home)  # compiles
    return statistics.median(cpu_ms(SDK + step, home) - cpu_ms(SDK, home) for _ in range(PAIRS))


def imported_early(home: str) -> list[str]:
    """The modules of `LATE` that importing every public name brings in and the SDK alone does not."""
    found = []
    for code in (SDK, SDK + ALL):
        say = f"{code}import sys; print(*(name for name in {LATE!r} if name in sys.modules))"
        command = [str(environments.python("ours")), "-c", say]
        found.append(subprocess.run(command, capture_output=True, text=True, check=True, cwd=home).stdout.split())
    return [name for name in found[1] if name not in found[0]]


def main() -> int:
    """Measure, print, judge."""
    if not environments.ready("ours"):
        environments.make("ours")
    with tempfile.TemporaryDirectory() as home:
        costs = {name: above_sdk(step, home) for name, step in STEPS.items()}
        early = imported_early(home)
    print("| step | ms of CPU above the SDK's import |\n| --- | ---: |")
    for name, cost in costs.items():
        print(f"| {name} | {cost:.0f} |")
    wrong = [f"importing brings in {name}" for name in early]
    if costs["every public name"] > GOAL_MS:
        wrong.append(f"importing every public name costs {costs['every public name']:.0f} ms, more than {GOAL_MS:.0f}")
    print("\n" + ("\n".join(wrong) or "nothing is imported early"))
    return 1 if wrong and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
