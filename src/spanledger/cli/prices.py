"""`spanledger prices`: what a model costs, whether your prices are right, and a newer table."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

import click

from .. import pricing
from ..config import Settings
from ..report.costs import read_costs
from ..report.words import clean
from ._shared import JSON, SINCE, archive, put_json

__all__ = ["command"]

SCHEMA: Final = "spanledger.prices/1"


@click.group("prices")
def command() -> None:
    """Show and check prices; fetch a newer table."""


def _ready() -> Settings:
    settings = Settings.load()
    pricing.configure(settings.prices)
    pricing.use_table(pricing.fetched_table(settings.price_table))
    pricing.warm()
    return settings


@command.command("show")
@click.argument("model")
@click.option("--provider", default=None, help="Only as this provider sells it, e.g. openai, aws.bedrock.")
@click.option("--at", type=SINCE, help="At this time instead of now.")
@click.option("--tier", help="In this service tier: batch, flex, priority.")
@JSON
def show(as_json: bool, model: str, provider: str | None, at: int | None, tier: str | None) -> None:
    """Say what MODEL costs, USD, and where the price is from."""
    _ready()
    found = pricing.listed(model, provider=provider, at=at or time.time_ns(), tier=tier)
    if as_json:
        put_json({"schema": SCHEMA, "version": pricing.version(), "currency": "USD", "prices": found})
    for entry in () if as_json else found:
        click.echo(clean(f"{entry['provider']}  {entry['model']}  ({entry['source']}, {entry['version']})"))
        for name, rate in entry["rates"].items():
            tiers = "".join(f"; {t['price']} above {t['above']:,} input tokens" for t in rate["tiers"])
            click.echo(f"  {name:24} {rate['price']}{tiers}")
        if entry["input_window"]:
            click.echo(f"  {'input window':24} {entry['input_window']:,} tokens")
    if not found:
        raise click.ClickException(f"nobody here knows what {model} costs; say it in a price file (SPANLEDGER_PRICES)")


@command.command("check")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--since", type=SINCE, default="30d", show_default=True, help="Look for unpriced calls since.")
@JSON
def check(as_json: bool, file: Path | None, since: int) -> None:
    """
    Check a price FILE (that of the settings unless given), and name the models in the journal that have no price.

    Exit code 1 when there are calls without a price, 2 when the file can't be read.
    """
    settings = _ready()
    if file is not None:
        pricing.configure(file)
    with archive() as found:
        calls = [call for call in read_costs(found, since=since).calls if call.tool is None]
    unpriced: dict[str, int] = {}
    for call in calls:
        if call.cost is None:
            unpriced[call.model or "-"] = unpriced.get(call.model or "-", 0) + 1
    facts: dict[str, Any] = {
        "schema": SCHEMA, "version": pricing.version(), "overrides": pricing.count(),
        "file": str(file or settings.prices or "") or None, "calls": len(calls), "unpriced": unpriced,
    }  # fmt: skip
    if as_json:
        put_json(facts)
    else:
        click.echo(
            f"table {facts['version']}; {facts['overrides']} entries of your own in {facts['file'] or 'no file'}"
        )
        click.echo(f"{len(calls)} model calls in the journal, {sum(unpriced.values())} without a price")
        for name, number in sorted(unpriced.items(), key=lambda item: -item[1]):
            click.echo(clean(f"  {number:6}  {name}"))
    raise SystemExit(1 if unpriced else 0)


@command.command("update")
@click.option("--from", "source", default=None, metavar="URL", help="Fetch it from here instead.")
@JSON
def update(as_json: bool, source: str | None) -> None:
    """
    Fetch the newest price table; the only thing here that uses the network.

    It is kept in the state directory and used until the price library is upgraded.
    """
    settings = Settings.load()
    models, where = pricing.update(settings.price_table, source)
    if as_json:
        put_json({"schema": SCHEMA, "models": models, "path": str(settings.price_table), "source": where})
    else:
        click.echo(f"{models} models from {where}, kept in {settings.price_table}")
