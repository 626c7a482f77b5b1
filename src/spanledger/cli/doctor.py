"""`spanledger doctor`: what works here, what does not, and what to do about it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Final

import click
from rich.text import Text

from ..report.checks import Finding, examine
from ..report.words import clean
from . import asked_for
from ._shared import JSON, console, put_json

__all__ = ["command"]

_MARKS: Final = {"ok": ("ok      ", "green"), "note": ("note    ", "yellow"), "problem": ("PROBLEM ", "bold red")}
DOCTOR_SCHEMA: Final = "spanledger.doctor/1"


@click.command("doctor")
@JSON
def command(as_json: bool) -> None:
    """
    Examine this environment.

    Looks at ways in, versions, clients, other instrumentations, exporters, protection and the journal, as a program
    started here would meet them.  Exit code 1 when something is wrong that matters.
    """
    found = examine(asked_for())
    problems = sum(finding.level == "problem" for findings in found.values() for finding in findings)
    if as_json:
        put_json({"schema": DOCTOR_SCHEMA, "problems": problems, "areas": _plain(found)})
    else:
        out = console()
        for area, findings in found.items():
            out.print(Text(area, "bold"))
            for finding in findings:
                mark, style = _MARKS[finding.level]
                out.print(Text("  ").append(mark, style).append(clean(finding.text)))
        out.print(f"{problems} problem{'' if problems == 1 else 's'} found" if problems else "all fine")
    sys.exit(1 if problems else 0)


def _plain(found: Mapping[str, list[Finding]]) -> dict[str, list[dict[str, object]]]:
    return {
        area: [{"level": f.level, "text": f.text, "facts": dict(f.facts)} for f in findings]
        for area, findings in found.items()
    }
