"""The soak run of the benchmarks, small: many runs never end, and all are accounted for."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

SOAK = Path(__file__).parents[2] / "benchmarks" / "soak.py"


def test_runs_that_never_end_are_bounded_and_told():
    code = """
        import sys; sys.path.insert(0, sys.argv[1])
        from spanledger.ledger import ledger
        ledger._max = 100
        import soak
        found = soak.soak(600, 10)
        print(len(ledger) <= 100, found["forgotten"] > 0, dict(found["settled"]), dict(found["exported"]))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(SOAK.parent)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    bounded, told, *counts = done.stdout.split(" ", 2)
    assert (bounded, told) == ("True", "True")
    assert "'calls': 600" in counts[0] and "'chat': 600" in counts[0] and "'priced': 600" in counts[0]
    assert "'invoke_agent': 600" in counts[0] and "'ended': 600" in counts[0]
