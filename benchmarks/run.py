"""
What watching a call costs: the un-instrumented client, a hand-written span, spanledger and its peers.

    python benchmarks/run.py              the hand-written spans and spanledger, five rounds
    python benchmarks/run.py --peers      the peers too, each in an environment of its own
    python benchmarks/run.py --quick      two short rounds
    python benchmarks/run.py --check      exit code 1 when a ratio of ours is above the goal
    python benchmarks/run.py --tables     the tables of the last run again

Every measurement is a process of its own; rounds alternate over all contenders and each begins with another one.
Raw rows are kept in ``.cache/bench/rows.json``.  The method is told in ``docs/performance.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from typing import Any

import environments
from contenders import CONTENDERS, PEERS, WORKLOADS, Contender
from tables import Rows, markdown, verdict

ROWS = environments.CACHE / "rows.json"
HERE = environments.ROOT / "benchmarks"
CLEAN = (
    "OTEL_",
    "SPANLEDGER_",
    "PYTHON",
    "LANGFUSE_",
    "LOGFIRE_",
    "TRACELOOP_",
    "OPENINFERENCE_",
    "OPENLIT_",
    "OPENAI_",
)
QUICK = {"short": 30, "history": 30, "stream": 24, "concurrent": 8}


def measured(name: str, contender: Contender, workload: str, pairs: int | None) -> dict[str, Any]:
    """One row, from a new process in the contender's environment."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith(CLEAN)}
    variables.update(contender.variables)
    python = environments.python(contender.environment)
    command = [str(python), str(HERE / "measure.py"), name, workload, *([str(pairs)] if pairs else [])]
    done = subprocess.run(command, capture_output=True, text=True, env=variables, check=False, timeout=600)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        raise SystemExit(f"{name}, {workload}: {done.stderr.strip()[-1500:]}")
    return json.loads(lines[-1])


def rounds(wanted: dict[str, Contender], times: int, *, quick: bool, workloads: list[str]) -> list[dict[str, Any]]:
    """The rows of *times* rounds over the *wanted* contenders."""
    rows = []
    for number in range(times):
        for workload in workloads:
            names = list(wanted)
            shift = number % len(names)
            for name in names[shift:] + names[:shift]:
                row = measured(name, wanted[name], workload, QUICK[workload] if quick else None)
                rows.append({**row, "round": number, "load": os.getloadavg()[0]})
                said = f"{row['added_us']:,.0f} us, worker {row['worker_us']:,.0f} us"
                print(f"{number + 1}/{times} {workload:<11}{name:<22}{said}", file=sys.stderr, flush=True)
    return rows


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--tables", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--only", nargs="+", metavar="CONTENDER", choices=[*CONTENDERS, *PEERS])
    parser.add_argument("--workloads", nargs="+", metavar="WORKLOAD", choices=WORKLOADS, default=list(WORKLOADS))
    return parser.parse_args()


def main() -> int:
    """Measure, print the tables, say what is wrong."""
    given = arguments()
    if not given.tables:
        wanted = {**CONTENDERS, **(PEERS if given.peers else {})}
        if given.only:
            wanted = {name: contender for name, contender in {**CONTENDERS, **PEERS}.items() if name in given.only}
        for name in sorted({contender.environment for contender in wanted.values()}):
            if not environments.ready(name):
                print("making the environment", name, file=sys.stderr, flush=True)
                environments.make(name)
        times = given.rounds or (2 if given.quick else 5)
        rows = rounds(wanted, times, quick=given.quick, workloads=given.workloads)
        versions = json.loads(environments.VERSIONS.read_text())
        about = {"at": time.strftime("%Y-%m-%d"), "python": platform.python_version(), "machine": platform.platform()}
        ROWS.write_text(json.dumps({"about": about, "versions": versions, "rows": rows}, indent=1))
    kept = json.loads(ROWS.read_text())
    found = Rows(kept["rows"])
    print(f"{kept['about']['at']}, Python {kept['about']['python']}\n\n{markdown(found)}")
    if not given.check:
        return 0
    wrong = verdict(found)
    print("\n".join(wrong) or "every ratio of ours is within the goal")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
