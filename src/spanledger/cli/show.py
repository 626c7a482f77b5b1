"""`spanledger show`: one run, from its beginning to its stop reason."""

from __future__ import annotations

import click

from ..report.as_json import tree_json
from ..report.text import render
from ..report.tree import tree_of
from ._shared import JSON, archive, console, put_json

__all__ = ["command"]


@click.command("show")
@click.argument("run")
@click.option("--content", is_flag=True, help="Also what was said, as far as it was captured; redacted.")
@JSON
def command(run: str, content: bool, as_json: bool) -> None:
    """
    Show a RUN as a tree: steps, model calls, tool calls, money, stop reason.

    RUN is a run id, the beginning of one, or "latest".
    """
    with archive() as found:
        tree = tree_of(found, found.run(run))
    if as_json:
        put_json(tree_json(tree, content=content))
    else:
        console().print(render(tree, content=content))
