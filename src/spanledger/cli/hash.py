"""`spanledger hash`: the hash that a span would carry, to search for a known argument."""

from __future__ import annotations

from typing import Final

import click

from ..config import Settings
from ..hashing import configure_hasher
from ._shared import JSON, put_json

__all__ = ["command"]

PURPOSES: Final = {"arguments": "tool-args", "result": "tool-result", "system": "system", "tools": "tools"}


@click.command("hash")
@click.argument("value")
@click.option("--tool", metavar="NAME", help="The tool, for your notes: the hash does not need it.")
@click.option("--of", "what", type=click.Choice(list(PURPOSES)), default="arguments", help="What VALUE is.")
@JSON
def command(as_json: bool, value: str, tool: str | None, what: str) -> None:
    """
    Print the keyed hash of VALUE, JSON or text, as spans on this machine carry it.

    For example: spanledger hash --tool send_email '{"to": "dana@example.com"}'
    """
    hasher = configure_hasher(Settings.load())
    hashed = hasher.hash(value, PURPOSES[what])
    if as_json:
        put_json({
            "schema": "spanledger.hash/1", "tool": tool, "of": what, "hash": hashed.text, "key_id": hasher.key_id,
            "canonicalization": hashed.canonicalization,
        })  # fmt: skip
    else:
        click.echo(hashed.text)
