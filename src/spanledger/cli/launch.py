"""`spanledger exec`: the launcher, with our configurator in charge whatever else is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from typing import Final

import click

from . import Refused

__all__ = ["command", "environment"]

LAUNCHER: Final = "opentelemetry-instrument"


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """
    *environ* as the program gets it.

    Our configurator is named, and so is a distribution that does not exist: then the launcher starts no other one.
    This installation's scripts are found, so that ``python`` is the Python that spanledger is installed for.
    """
    scripts = sysconfig.get_path("scripts")
    path = environ.get("PATH", os.defpath)
    if scripts not in path.split(os.pathsep):
        path = f"{scripts}{os.pathsep}{path}"
    return {**environ, "PATH": path, "OTEL_PYTHON_CONFIGURATOR": "spanledger", "OTEL_PYTHON_DISTRO": "spanledger"}


@click.command("exec", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("program")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(program: str, arguments: tuple[str, ...]) -> None:
    """
    Run PROGRAM with its ARGUMENTS, watched.

    The same as `opentelemetry-instrument PROGRAM ARGUMENTS...`, but no other distribution gets in between.  The
    program takes this process over, so exit code and signals are its own.
    """
    environ = environment(os.environ)
    launcher = shutil.which(LAUNCHER, path=environ["PATH"])
    if launcher is None:
        raise Refused(f"{LAUNCHER} was not found; pip install opentelemetry-instrumentation")
    if shutil.which(program, path=environ["PATH"]) is None:
        raise Refused(f"there is no program {program!r} to run")
    sys.stdout.flush()
    sys.stderr.flush()
    whole = [launcher, "--", program, *arguments]  # or it would look for its own options among theirs
    if os.name == "nt":  # there, exec would return to the shell at once
        sys.exit(subprocess.call(whole, env=environ))  # noqa: S603 - the user's own command
    os.execve(launcher, whole, environ)  # noqa: S606 - same
