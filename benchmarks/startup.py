"""
What spanledger costs before the first call: CPU time of importing it, of `configure` and of the launcher.

    python benchmarks/startup.py            a table
    python benchmarks/startup.py --check    exit code 1 when one of them costs more than it may or brings in too much

Each step runs in processes of its own, by turns with one that has the SDK without us; a figure is the least CPU time of
the one less the least of the other, for whatever else the machine does only adds.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

import environments

PAIRS = 15
SDK = "import opentelemetry.sdk.trace, opentelemetry.sdk.trace.export; "
ALL = "import spanledger; [getattr(spanledger, name) for name in spanledger.__all__]; "
CLIENT = "import openai; "
LAUNCHER = "from opentelemetry.instrumentation.auto_instrumentation import initialize; import os; "
ITS_OWN = (
    "os.environ.update(OTEL_PYTHON_CONFIGURATOR='none', OTEL_PYTHON_DISABLED_INSTRUMENTATIONS='spanledger'); "
    "initialize(); from opentelemetry.sdk._configuration import _OTelSDKConfigurator; _OTelSDKConfigurator().configure()"
)
STEPS = {
    "`import spanledger`": (SDK, SDK + "import spanledger", None),
    "every public name": (SDK, SDK + ALL, 60.0),
    "`configure()`": (SDK, SDK + "import spanledger; spanledger.configure()", 150.0),
    "`configure()`, with the openai client": (
        SDK + CLIENT, SDK + CLIENT + "import spanledger; spanledger.configure()", 140.0,
    ),
    "`opentelemetry-instrument`, above the SDK's own configurator": (
        LAUNCHER + ITS_OWN, LAUNCHER + "initialize()", 130.0,
    ),
    "the openai client alone": (SDK, SDK + CLIENT, None),
}  # fmt: skip
"""What is run: without us, with us, and what the difference may be, milliseconds of CPU."""
LATE = (
    "anthropic", "click", "genai_prices", "google.genai", "grpc", "httpx", "httpx2", "openai", "phonenumbers",
    "pydantic", "requests", "rfc8785", "rich", "sqlite3", "yaml",
)  # fmt: skip
"""What importing must leave alone: clients, price library, database, network, terminal."""


def cpu_ms(code: str, home: str) -> float:
    """Milliseconds of CPU, user and system, of a new interpreter that runs *code*."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith(("OTEL_", "SPANLEDGER_", "PYTHON"))}
    variables.update(XDG_STATE_HOME=home, PYTHONHASHSEED="0")
    process = subprocess.Popen([str(environments.python("ours")), "-c", code], env=variables, cwd=home,
                               stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"failed: {code}")
    return (used.ru_utime + used.ru_stime) * 1000


def cost(without: str, step: str, home: str) -> float:
    """Milliseconds of CPU that *step* takes more than *without*."""
    least = {code: cpu_ms(code, home) for code in (without, step)}  # compiles
    for _ in range(PAIRS):
        for code, so_far in least.items():
            least[code] = min(so_far, cpu_ms(code, home))
    return least[step] - least[without]


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
        costs = {name: cost(without, step, home) for name, (without, step, _) in STEPS.items()}
        early = imported_early(home)
    print("| step | ms of CPU above the SDK alone | may be |\n| --- | ---: | ---: |")
    wrong = [f"importing brings in {name}" for name in early]
    for name, (_, _, limit) in STEPS.items():
        print(f"| {name} | {costs[name]:.0f} | {f'{limit:.0f}' if limit else ''} |")
        if limit and costs[name] > limit:
            wrong.append(f"{name} costs {costs[name]:.0f} ms, more than {limit:.0f}")
    print("\n" + ("\n".join(wrong) or "nothing is imported early"))
    return 1 if wrong and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
