"""
What programs found wrong when they started, kept for `spanledger doctor`, which may be run elsewhere and later.

A note stands in the state directory until the same program starts without.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from .config import state_directory
from .shield import shield

__all__ = ["note", "noted"]

_MAX_NOTES: Final = 32
_MAX_SAID: Final = 500
_KEPT_SECONDS: Final = 30 * 86_400


def note(kind: str, said: Sequence[str]) -> None:
    """Keep in mind what this program *said* of a *kind*, or that it has nothing to say of it now; never raises."""
    with shield("noting what is wrong"):
        path = _file(kind)
        if not said and not path.exists():
            return
        program = _program()
        before = noted(kind)
        known = [each for each in before if each["program"] != program]
        if said:
            words = [each[:_MAX_SAID] for each in said]
            known.append({"program": program, "said": words, "time": time.time()})
        elif len(known) == len(before):
            return
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.write_text(json.dumps(known[-_MAX_NOTES:]), encoding="utf-8")
        draft.chmod(0o600)
        draft.replace(path)


def noted(kind: str) -> list[dict[str, Any]]:
    """What `note` wrote lately: ``program``, ``said``, ``time``; nothing where it can't be read."""
    try:
        found = json.loads(_file(kind).read_text(encoding="utf-8"))
        return [
            each for each in found if each["time"] > time.time() - _KEPT_SECONDS and each["program"] and each["said"]
        ]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def _file(kind: str) -> Path:
    return state_directory() / f"{kind}.json"


def _program() -> str:
    """What this process runs: the file, or the module behind ``-m``; the interpreter where there is neither."""
    if (named := getattr(sys, "argv", [""])[:1]) and named[0] not in ("", "-c", "-m"):
        return str(Path(named[0]).resolve())
    given = iter(sys.orig_argv[1:])  # while the launcher loads us nobody has looked at them yet
    for word in given:
        if word == "-m":
            return f"-m {next(given, '')}"
        if word in ("-W", "-X"):
            next(given, None)
        elif word == "-c":
            break
        elif not word.startswith("-"):
            return str(Path(word).resolve())
    return sys.executable
