"""`spanledger kill`: stop a run, an agent or everything before its next call."""

from __future__ import annotations

import getpass
import time
from datetime import datetime, timezone
from typing import Any, Final

import click

from ..config import Settings
from ..errors import SpanledgerError
from ..limits import Kill, kill_store
from ..limits.store import Store, StoreDown
from ._shared import JSON, archive, put_json

__all__ = ["Unreachable", "command", "put", "standing_kills", "target_of"]

SCHEMA: Final = "spanledger.kills/1"


class Unreachable(SpanledgerError):
    """The store of the limits does not answer."""


def target_of(run: str | None, agent: str | None, everything: bool) -> str:
    """What the arguments mean, as the store names it."""
    if sum((run is not None, agent is not None, everything)) != 1:
        raise click.UsageError("give one of RUN, --agent NAME or --all")
    for what, given in (("RUN", run), ("the NAME after --agent", agent)):
        if given is not None and not given.strip():  # of a variable that is not set, as a rule
            raise click.UsageError(f"{what} is empty; nothing was changed")
    if everything:
        return "all"
    if agent is not None:
        return f"agent:{agent}"
    with archive() as found:
        return f"run:{found.run(run or '').run_id}"


def _who() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no entry for this user id
        return "unknown"


@click.command("kill")
@click.argument("run", required=False)
@click.option("--agent", metavar="NAME", help="All runs of this agent, those to come included.")
@click.option("--all", "everything", is_flag=True, help="Every run, those to come included.")
@click.option("--why", default="", help="Said wherever it takes effect.")
@click.option("--by", default=None, metavar="WHO", help="Who does it; the login name unless given.")
@click.option("--list", "listed", is_flag=True, help="Only list what is stopped.")
@JSON
def command(
    as_json: bool, run: str | None, agent: str | None, everything: bool, why: str, by: str | None, listed: bool
) -> None:
    """
    Stop RUN (an id, or the beginning of one), an agent, or everything, before its next model or tool call.

    Running calls are not cut off.  `spanledger revive` takes it back.
    """
    store = kill_store(Settings.load())
    try:
        if not listed:
            store.kill(Kill(target_of(run, agent, everything), by or _who(), why, time.time()))
        put(store, as_json)
    except StoreDown as error:
        raise Unreachable(f"nothing was stopped: {error}") from error
    finally:
        store.close()


def standing_kills() -> list[Kill]:
    """What is stopped now; nothing, and a word of it, where the store does not answer."""
    store = kill_store(Settings.load())
    path = getattr(store, "path", None)
    if path is not None and not path.exists():  # nobody ever stopped anything on this machine
        return []
    try:
        return store.kills()
    except StoreDown as error:
        click.echo(f"what is stopped is not known: {error}", err=True)
        return []
    finally:
        store.close()


def put(store: Store, as_json: bool) -> None:
    """Print what is stopped."""
    kills = store.kills()
    if as_json:
        put_json({"schema": SCHEMA, "kills": [_plain(kill) for kill in kills]})
        return
    for kill in kills:
        facts = _plain(kill)
        click.echo(f"{kill.target} stopped by {kill.by} at {facts['at']}" + (f": {kill.why}" if kill.why else ""))
    if not kills:
        click.echo("nothing is stopped")


def _plain(kill: Kill) -> dict[str, Any]:
    at = datetime.fromtimestamp(int(kill.at), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"target": kill.target, "by": kill.by, "why": kill.why, "at": at}
