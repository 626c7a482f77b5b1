"""What the commands have in common: the journal, the console, JSON, and how a time is given."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any, Final

import click
from rich.console import Console

from ..config import Settings
from ..journal import Archive

__all__ = ["JSON", "SINCE", "archive", "console", "put_json"]

PIPE_WIDTH: Final = 500
"""Columns for tables when nobody looks: nothing is folded."""
_FARTHEST: Final = 2**63
"""Nanoseconds since the epoch that the journal can't hold any more."""
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}

JSON: Final[Callable[..., Any]] = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def archive() -> Archive:
    """The journal that the settings name, for reading."""
    return Archive(Settings.load().journal_path)


def console() -> Console:
    """Standard output, folded to the terminal's width if it is one."""
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    return Console(file=sys.stdout, width=width, highlight=False, markup=False, emoji=False)


def put_json(data: Any) -> None:
    """Print *data*."""
    click.echo(json.dumps(data, indent=2))


class _Since(click.ParamType):  # type: ignore[type-arg] # no generic before click 8.2
    """A time: ``90s``, ``30m``, ``2h``, ``7d``, ``1w`` ago, or ISO 8601 (UTC unless it says otherwise)."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        if match := re.fullmatch(r"(\d{1,6})([smhdw])", value.strip()):
            return self._kept(time.time_ns() - int(match[1]) * _UNITS[match[2]] * 10**9, value, param, ctx)
        try:
            then = datetime.fromisoformat(value.strip().removesuffix("Z"))
        except ValueError:
            self.fail(f"{value!r} is no time; try 30m, 2h, 7d or 2026-01-31T09:00", param, ctx)
        seconds = int((then if then.tzinfo else then.replace(tzinfo=timezone.utc)).timestamp())
        return self._kept(seconds * 10**9, value, param, ctx)

    def _kept(self, moment: int, value: str, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if not abs(moment) < _FARTHEST:
            self.fail(f"{value!r} is too far away; a time is between the years 1678 and 2261", param, ctx)
        return moment


SINCE: Final = _Since()
