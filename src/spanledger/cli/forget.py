"""`spanledger forget`: delete what the journal holds of a user."""

from __future__ import annotations

from typing import Final

import click

from ..journal import RunRow
from ._shared import JSON, archive, put_json

__all__ = ["command"]

SCHEMA: Final = "spanledger.forgotten/1"
SHOWN: Final = 10


@click.command("forget")
@click.option("--user", required=True, metavar="ID", help="The user, as the program gave the id, or hashed as stored.")
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
@JSON
def command(as_json: bool, user: str, dry_run: bool) -> None:
    """
    Delete all runs of a user from the journal, the runs inside them, and all of their spans.

    An id that was stored as a hash is found by the id as given, as long as the key, or the one before, is still
    there.  The bytes are overwritten in the file.  What was exported elsewhere is not touched.  Exit code 0 also
    when nothing was stored, 2 when it could not be done.
    """
    with archive() as found:
        runs, spans = found.of_user(user)
        path = found.path
        if not dry_run:
            _, spans = found.delete_user(user)
    going_on = [run for run in runs if run.ended is None]
    copies = sorted(str(copy) for copy in path.parent.glob(f"{path.name}.corrupt-*"))
    if as_json:
        put_json({
            "schema": SCHEMA, "user": user, "dry_run": dry_run, "runs": [run.run_id for run in runs], "spans": spans,
            "going_on": [run.run_id for run in going_on], "not_searched": copies,
        })  # fmt: skip
        return
    _say(user, runs, spans, "would be deleted" if dry_run else "deleted")
    if going_on:
        click.echo(f"{len(going_on)} of them still going on: what they do next is written again", err=True)
    for copy in copies:
        click.echo(f"not searched, for it is damaged: {copy}", err=True)


def _say(user: str, runs: list[RunRow], spans: int, verb: str) -> None:
    if not runs and not spans:
        click.echo(f"nothing of {user} is stored")
        return
    click.echo(f"{len(runs)} runs and {spans} spans of {user} {verb}")
    for run in runs[:SHOWN]:
        click.echo(f"  {run.run_id}  {run.name or '-'}")
    if len(runs) > SHOWN:
        click.echo(f"  and {len(runs) - SHOWN} more")
