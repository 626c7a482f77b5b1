"""
What spanledger costs before the first call: CPU time of importing it, of `configure` and of the launcher.

    python benchmarks/startup.py            a table
    python benchmarks/startup.py --check    exit code 1 when one of them costs more than it may or brings in too much

Each step runs in processes of its own, by turns with one that has the SDK without us and one that imports the openai
client; a figure is the least CPU time of the one less the least of the other, for whatever else the machine does only
adds.  What importing may cost is milliseconds, by promise.  What setting up may cost is a share of what importing that
client costs in the same minutes: the same processor is half as fast again from one minute to the next.
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
    "`import spanledger`": (SDK, SDK + "import spanledger", None, None),
    "every public name": (SDK, SDK + ALL, 60.0, None),
    "`configure()`": (SDK, SDK + "import spanledger; spanledger.configure()", None, 0.33),
    "`configure()`, with the openai client": (
        SDK + CLIENT, SDK + CLIENT + "import spanledger; spanledger.configure()", None, 0.31,
    ),
    "`opentelemetry-instrument`, above the SDK's own configurator": (
        LAUNCHER + ITS_OWN, LAUNCHER + "initialize()", None, 0.29,
    ),
}  # fmt: skip
"""What is run: without us, with us; what the difference may be, milliseconds of CPU, or as a share of the client's."""
LATE = (
    "anthropic", "click", "genai_prices", "google.genai", "grpc", "httpx", "httpx2", "openai", "phonenumbers",
    "pydantic", "requests", "rfc8785", "rich", "sqlite3", "wrapt", "yaml",
)  # fmt: skip
"""What importing must leave alone: clients, price library, database, network, terminal."""


def cpu_ms(code: str, home: str) -> float:
    """Milliseconds of CPU, user and system, of a new interpreter that runs *code*."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith(("OTEL_", "SPANLEDGER_", "PYTHON"))}
    variables.update(XDG_STATE_HOME=home, PYTHONHASHSEED="0")
    process = subprocess.Popen(
        [str(environments.python("ours")), "-c", code], env=variables, cwd=home, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"failed: {code}")
    return (used.ru_utime + used.ru_stime) * 1000


def cost(without: str, step: str, home: str) -> tuple[float, float]:
    """Milliseconds of CPU that *step* takes more than *without*, and those of the openai client meanwhile."""
    least = {code: cpu_ms(code, home) for code in (without, step, SDK, SDK + CLIENT)}  # compiles
    for _ in range(PAIRS):
        for code, so_far in least.items():
            least[code] = min(so_far, cpu_ms(code, home))
    return least[step] - least[without], least[SDK + CLIENT] - least[SDK]


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
        costs = {name: cost(without, step, home) for name, (without, step, *_) in STEPS.items()}
        early = imported_early(home)
    print("| step | ms of CPU above the SDK alone | of the openai client's | may be |\n| --- | ---: | ---: | ---: |")
    wrong = [f"importing brings in {name}" for name in early]
    for name, (_, _, limit, most) in STEPS.items():
        ms, client = costs[name]
        share = ms / client
        bar = f"{limit:.0f} ms" if limit else f"{most:.2f}" if most else ""
        print(f"| {name} | {ms:.0f} | {share:.2f} | {bar} |")
        if (limit and ms > limit) or (most and share > most):
            wrong.append(f"{name} costs {ms:.0f} ms, {share:.2f} of the client, more than {bar}")
    print(f"\nThe openai client alone: {min(client for _, client in costs.values()):.0f} ms.")
    print("\n" + ("\n".join(wrong) or "nothing is imported early"))
    return 1 if wrong and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
