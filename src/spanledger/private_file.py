"""
Files that only this user may read, made by whoever comes first.

A file that is there is never opened here.  SQLite's locks belong to the process, and closing any descriptor of a
database drops all of them: another process would then take itself for the last one and delete the write-ahead log
under the feet of those that go on (https://www.sqlite.org/howtocorrupt.html, 2.2).
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final

__all__ = ["make", "state_directory"]

MODE: Final = 0o600
DIRECTORY_MODE: Final = 0o700


def make(path: Path, content: bytes = b"") -> None:
    """
    Make *path* with *content* and mode 0600, and its directory, unless it is there; of several processes one wins.

    The file appears whole or not at all.  Raises `OSError` when it can't be made.
    """
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=DIRECTORY_MODE)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        except OSError:
            if not path.exists():
                draft.replace(path)  # a file system without links
    finally:
        draft.unlink(missing_ok=True)


def state_directory() -> Path:
    """
    Where this user's spanledger keeps its state: ``$XDG_STATE_HOME/spanledger`` or ``~/.local/state/spanledger``.

    A user without a home, as some containers have, is at home in the root directory, as containers say themselves.
    """
    if base := os.environ.get("XDG_STATE_HOME"):
        return Path(base) / "spanledger"
    try:
        home = Path.home()
    except RuntimeError:
        home = Path(os.sep)
    return home / ".local" / "state" / "spanledger"
