"""
What `spanledger doctor` looks at: one module per question, each a function from the surroundings to findings.

Nothing is changed by looking: no key is made, no journal begun, no exporter opened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ...shield import report
from ._bypass import bypass
from ._clients import clients, versions
from ._exporters import exporters
from ._finding import Finding, Surroundings, surroundings
from ._journal import journal
from ._others import others
from ._policy import policy
from ._ways import ways

__all__ = ["Finding", "Surroundings", "examine"]

CHECKS: Final[Mapping[str, Callable[[Surroundings], list[Finding]]]] = {
    "ways in": ways, "versions": versions, "clients": clients, "other instrumentations": others,
    "exporters": exporters, "bypass": bypass, "protection": policy, "journal": journal,
}  # fmt: skip


def examine(environ: Mapping[str, str]) -> dict[str, list[Finding]]:
    """All findings by area, in the order in which they are shown."""
    around = surroundings(environ)
    found: dict[str, list[Finding]] = {"configuration": around.configuration}
    for area, check in CHECKS.items():
        try:
            found[area] = check(around)
        except Exception as error:  # noqa: BLE001, PERF203 - one check that fails must not hide the others
            report(f"examining {area}", error)
            found[area] = [Finding("problem", f"could not be examined: {type(error).__name__}: {error}")]
    return found
