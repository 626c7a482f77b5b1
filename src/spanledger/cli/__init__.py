"""
The `spanledger` command.  Words and tables; what there is to know is asked of the rooms below.

Each command is a module of this package that holds a `command`, loaded when it is asked for.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import os
import sys
from typing import Any, Final

import click

from ..errors import RunNotFound, SpanledgerError
from ..named_exporters import PROPAGATORS, propagators
from ..version import __version__

__all__ = ["COMMANDS", "asked_for", "main"]

COMMANDS: Final[dict[str, str]] = {
    "costs": "costs", "doctor": "doctor", "exec": "launch", "forget": "forget", "hash": "hash", "kill": "kill",
    "prices": "prices", "redact": "redact", "revive": "revive", "runs": "runs", "show": "show",
}  # fmt: skip
"""Command and the module that holds it."""

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""How a disk says that it takes no more."""
_left_out: Final[dict[str, str]] = {}
"""The variables that are another for us, as they were."""


def asked_for() -> dict[str, str]:
    """The environment as somebody set it."""
    return {**os.environ, **_left_out}


class Refused(click.ClickException):
    """Something that can't be done, said in one line; exit code 2."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        """Say it on standard error."""
        click.echo(f"spanledger: {self.format_message()}", file=file, err=file is None)


class _Commands(click.Group):
    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().main(*args, **kwargs)
        except OSError as error:
            if error.errno not in _FULL or error.filename is not None:
                raise
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is still held back for it
            click.echo(f"spanledger: can't write the output: {error.strerror}", err=True)
            sys.exit(1)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        known, wrong = propagators(os.environ)
        for each in wrong:  # with them, neither we nor the launcher nor the program could import OpenTelemetry
            click.echo(f"spanledger: {each}; carrying on without it", err=True)
        if wrong:
            _left_out[PROPAGATORS] = os.environ[PROPAGATORS]
            os.environ[PROPAGATORS] = ",".join(known) or "none"
        return super().make_context(*args, **kwargs)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the interface
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - the interface
        if (module := COMMANDS.get(cmd_name)) is None:
            return None
        command: click.Command = importlib.import_module(f"{__name__}.{module}").command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except RunNotFound as error:
            named = "".join(f"\n  {candidate}" for candidate in error.candidates)
            raise Refused(f"{error}{'; there are:' if named else ''}{named}") from error
        except SpanledgerError as error:
            raise Refused(str(error)) from error


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        click.echo(f"spanledger {__version__}")
        ctx.exit()


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version and exit."
)
def main() -> None:
    """
    A flight recorder with brakes for LLM agents.

    Reads the local journal (SPANLEDGER_JOURNAL, else in the user's state directory).  Commands that show
    something have --json.  Exit codes: 0 fine, 1 findings, 2 it could not be done.
    """
    if sys.stdout is None:  # closed by who asks for the exit code alone
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):  # a terminal that can't spell a name still gets the rest
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
