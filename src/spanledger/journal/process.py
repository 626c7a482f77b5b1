"""
Which process writes, and whether a process that wrote once is still there.

A process id alone says little: ids are used again, and a container has its own.  So a process is known by its id, its
host and a mark made of the boot, the id namespace and the start time.  Only Linux tells all of that; elsewhere the
mark is empty, and a heartbeat decides where an id can't.
"""

from __future__ import annotations

import functools
import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Process", "alive", "this_process"]

_PROC = Path("/proc")
_START_FIELD = 19
"""Where the start time stands in ``/proc/<pid>/stat``, counted from the state, which follows the name."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process of some host.  *mark* is empty where the system does not tell."""

    pid: int
    host: str
    mark: str


def this_process() -> Process:
    """The process that runs this; right after a fork too."""
    return _describe(os.getpid())


@functools.lru_cache(maxsize=4)
def _describe(pid: int) -> Process:
    started = _started(pid)
    return Process(pid, socket.gethostname(), f"{_world()}:{started}" if started else "")


@functools.lru_cache(maxsize=1)
def _world() -> str:
    """The boot and the id namespace: ids of another one say nothing here."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}:{(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return ""


def _started(pid: int) -> str | None:
    """The start time of *pid* in clock ticks; `None` if it is gone, a zombie, or the system does not tell."""
    try:
        after_name = (_PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    if not after_name or after_name[0] in (b"Z", b"X"):
        return None
    return after_name[_START_FIELD].decode("ascii")


def alive(process: Process) -> bool | None:
    """Whether *process* is still there; `None` when this can't be told from here."""
    if process.host != socket.gethostname():
        return None
    world, _, started = process.mark.rpartition(":")
    if world:
        return _started(process.pid) == started if world == _world() else None
    if sys.platform == "win32":  # there, signal 0 is not a question
        return None
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return None
    return None
