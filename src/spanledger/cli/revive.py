"""`spanledger revive`: let go on what `spanledger kill` stopped."""

from __future__ import annotations

import click

from ..config import Settings
from ..limits import kill_store
from ..limits.store import StoreDown
from ._shared import JSON
from .kill import Unreachable, put, target_of

__all__ = ["command"]


@click.command("revive")
@click.argument("run", required=False)
@click.option("--agent", metavar="NAME", help="This agent.")
@click.option("--all", "everything", is_flag=True, help="What `kill --all` stopped.")
@JSON
def command(as_json: bool, run: str | None, agent: str | None, everything: bool) -> None:
    """Let RUN, an agent, or everything go on that `spanledger kill` stopped."""
    store = kill_store(Settings.load())
    try:
        target = target_of(run, agent, everything)
        if not store.revive(target):
            names = ", ".join(kill.target for kill in store.kills()) or "nothing"
            raise click.UsageError(f"{target} is not stopped; stopped: {names}")
        put(store, as_json)
    except StoreDown as error:
        raise Unreachable(f"nothing was revived: {error}") from error
    finally:
        store.close()
