"""`spanledger redact`: what would leave of a text, and why the rest would not."""

from __future__ import annotations

from dataclasses import asdict
from typing import IO

import click
from rich.table import Table

from ..config import Settings
from ..pipeline.explained import explain, redacted
from ..pipeline.steps import redactor_of
from ._shared import JSON, console, put_json

__all__ = ["command"]


@click.command("redact")
@click.argument("file", type=click.File("r", encoding="utf-8", errors="replace"), default="-")
@click.option("--explain", "explained", is_flag=True, help="Print what would go, where and why, instead of the text.")
@JSON
def command(as_json: bool, explained: bool, file: IO[str]) -> None:
    """
    Redact FILE, or standard input, by the settings: text, JSON, JSON lines or an OTLP file in JSON.

    Nothing is sent or kept.  With --explain the found values are printed, shortened.
    """
    redactor = redactor_of(Settings.load())
    text = file.read()
    if not (explained or as_json):
        click.echo(redacted(text, redactor), nl=not text.endswith("\n"))
        return
    found = explain(text, redactor)
    if as_json:
        put_json({"schema": "spanledger.redact/1", "found": [asdict(one) for one in found]})
        return
    table = Table("where", "what", "found", "becomes", "why", box=None)
    for one in found:
        table.add_row(one.path or "-", one.label, one.found, one.becomes, one.why)
    console().print(table if found else "nothing would go")
