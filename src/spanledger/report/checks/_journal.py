"""The journal's file: where it is, whether it can be read and written, and what was lost."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from pathlib import Path
from typing import Any, Final

from ...errors import JournalError, JournalTooNew
from ...journal import Archive
from ..words import instant
from ._finding import Finding, Surroundings

__all__ = ["journal"]

_LITTLE: Final = 256 * 1024
"""Bytes: with less of them free nothing can be relied on to be written."""


def journal(around: Surroundings) -> list[Finding]:
    """The state of the file; it is neither made nor changed, save that vanished runs are ended."""
    path = around.settings.journal_path
    if around.settings.journal_off:
        return [Finding("note", "off (SPANLEDGER_JOURNAL_OFF)", {"off": True})]
    facts: dict[str, Any] = {"path": str(path), "exists": path.exists()}
    aside = sorted(str(file) for file in path.parent.glob(f"{path.name}.corrupt-*") if file.suffix[-4:-3] != "-")
    found = [Finding("note", f"set aside as damaged: {name}", {"aside": name}) for name in aside]
    if not path.exists():
        return [_to_be(path, facts), *found]
    try:
        with Archive(path) as archive:
            facts |= {"format": archive.format, "runs": archive.count(), "lost": archive.counters()}
            facts["unsent"] = archive.unsent()
    except JournalTooNew as error:
        return [Finding("problem", str(error), facts), *found]
    except JournalError as error:
        return [Finding("problem", str(error), facts), *found]
    mode = stat.S_IMODE(path.stat().st_mode)
    facts |= {"mode": f"{mode:04o}", "bytes": path.stat().st_size, "trouble": _trouble(path)}
    text = f"{path}: format {facts['format']}, {facts['runs']} runs, {facts['bytes']:,} bytes, mode {facts['mode']}"
    facts["free"] = shutil.disk_usage(path.parent).free
    if not facts["trouble"] and facts["free"] < _LITTLE:
        facts["trouble"] = f"the disk is full, {facts['free']:,} bytes are free"
    if facts["trouble"]:
        found.insert(0, Finding("problem", f"{text}; can't be written: {facts['trouble']}", facts))
    elif os.name == "posix" and mode & 0o077:
        found.insert(0, Finding("problem", f"{text}; others can read it: chmod 600 {path}", facts))
    else:
        found.insert(0, Finding("ok", f"{text}, writable", facts))
    for name, counter in facts["lost"].items():
        why = f" ({counter['reason']})" if counter["reason"] else ""
        text = f"{counter['value']} {name.removeprefix('lost_')} could not be written at some time{why}"
        found.append(Finding("note", text, {name: counter["value"]}))
    for name, unsent in facts["unsent"].items():
        text = f"{unsent['spans']} spans were not taken by {name}, the last at {instant(unsent['last'])}"
        found.append(Finding("note", f"{text}; `spanledger show RUN` says whose", {"exporter": name, **unsent}))
    return found


def _to_be(path: Path, facts: dict[str, Any]) -> Finding:
    """A file that is not there yet: whether the first run will be able to make it."""
    above = path.parent
    while not above.exists() and above != above.parent:
        above = above.parent
    if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
        return Finding("ok", f"{path}: none yet, the first run makes it", facts)
    return Finding("problem", f"{path}: can't be made, {above} can't be written", facts)


def _trouble(path: Path) -> str | None:
    """Why nothing can be written now; asks for the write lock and gives it back."""
    if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        return "no permission"
    try:
        connection = sqlite3.connect(path, timeout=1.0, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        finally:
            connection.close()
    except sqlite3.Error as error:
        return str(error)
    return None
