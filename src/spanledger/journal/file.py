"""
Opening the journal's file: its modes, its version, and what to do when it is not what it should be.

The file is 0600 in a directory of 0700, in WAL mode, so that one process writes while others read.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Final

from .. import private_file
from ..errors import JournalError, JournalTooNew
from ..version import __version__
from .schema import APPLICATION_ID, MIGRATIONS, format_version, migrate

__all__ = ["damaged", "open_to_read", "open_to_write", "set_aside", "transaction", "unreadable"]


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing; takes the write lock at once, so that it can't fail halfway for want of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def open_to_write(path: Path, *, busy: float) -> sqlite3.Connection:
    """
    Open *path*, made and migrated where needed; wait up to *busy* seconds for others.

    `JournalTooNew` for a newer file and `JournalError` for somebody else's or what is no file, all untouched, their
    modes too; `sqlite3.Error` and `OSError` as they come.
    """
    _is_file(path)
    try:
        connection = _connect_to_own(path, busy)
    except (FileNotFoundError, sqlite3.OperationalError):  # another process has just set it aside
        connection = _connect_to_own(path, busy)
    try:
        _check(connection, path)
        _to_mode(path)
        if format_version(connection) == 0:
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        _to_wal(connection, busy)
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA secure_delete = ON")
        migrate(connection, written_by=__version__)
    except BaseException:
        connection.close()
        raise
    return connection


def open_to_read(path: Path, *, busy: float) -> sqlite3.Connection:
    """
    Open *path* for commands: the file itself, or a copy in memory of one that can't be written, or an empty journal.

    `JournalTooNew`, or `JournalError` when the file is damaged, not ours or not ours to read.
    """
    if not path.exists():
        return _empty()
    _is_file(path)
    try:
        if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
            with contextlib.suppress(sqlite3.OperationalError):
                return open_to_write(path, busy=busy)
        return _copy(path, busy)
    except (sqlite3.Error, OSError) as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> JournalError:
    """What a command says when the file can't be read."""
    advice = "; the next run that is recorded sets it aside and begins a new one" if damaged(error) else ""
    return JournalError(f"can't read the journal {path}: {error}{advice}")


def _is_file(path: Path) -> None:
    """Refuse a directory and a device: what is done to a journal, modes and names included, is not for them."""
    if path.exists() and not path.is_file():
        advice = f"set SPANLEDGER_JOURNAL to a file, such as {path / 'journal.db'}" if path.is_dir() else _OFF
        raise JournalError(f"{path} is {'a directory' if path.is_dir() else 'no file'}; {advice}")


_OFF: Final = "set SPANLEDGER_JOURNAL to a file, or SPANLEDGER_JOURNAL_OFF=1 to keep no journal"


def _to_mode(path: Path) -> None:
    """Let nobody else read the journal; its side files have the mode that it had when they were made."""
    for suffix in ("", "-wal", "-shm"):
        file = path.with_name(path.name + suffix)
        with contextlib.suppress(FileNotFoundError):
            if file.stat().st_mode & 0o077:
                file.chmod(private_file.MODE)


def _connect_to_own(path: Path, busy: float) -> sqlite3.Connection:
    private_file.make(path)
    return _connect(path, "rw", busy)


def _connect(path: Path, mode: str, busy: float) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, timeout=busy, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    return connection


def _empty() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    migrate(connection, written_by=__version__)
    return connection


def _copy(path: Path, busy: float) -> sqlite3.Connection:
    """A copy in memory: may be migrated and have its vanished runs marked, without touching the file."""
    try:
        return _copied(path, "ro", busy)
    except sqlite3.OperationalError:  # a WAL file in a directory where we may not write
        if os.access(path.parent, os.W_OK):
            raise
        return _copied(path, "ro&immutable=1", busy)


def _copied(path: Path, mode: str, busy: float) -> sqlite3.Connection:
    with contextlib.closing(_connect(path, mode, busy)) as source:
        _check(source, path)
        copy = sqlite3.connect(":memory:", isolation_level=None)
        copy.row_factory = sqlite3.Row
        source.backup(copy)
    migrate(copy, written_by=__version__)
    return copy


def _check(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN")  # one look: another process may be making it
    try:
        found = format_version(connection)
        ours = int(connection.execute("PRAGMA application_id").fetchone()[0]) == APPLICATION_ID
        empty = connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None
    finally:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
    if not ours and (found or not empty):
        raise JournalError(f"{path} is a database, but no spanledger journal; set SPANLEDGER_JOURNAL to another file")
    if found > len(MIGRATIONS):
        raise JournalTooNew(
            f"the journal {path} was written by spanledger {_writer(connection)} in format {found}; "
            f"this is spanledger {__version__}, which knows formats up to {len(MIGRATIONS)}: "
            "upgrade it, or set SPANLEDGER_JOURNAL to another file"
        )


def _writer(connection: sqlite3.Connection) -> str:
    with contextlib.suppress(sqlite3.Error):
        if row := connection.execute("SELECT value FROM meta WHERE key = 'written_by'").fetchone():
            return str(row[0])
    return "of an unknown version"


def _to_wal(connection: sqlite3.Connection, busy: float) -> None:
    """Switch to WAL; SQLite does not wait for others here, so we do.  A file system that can't has the old mode."""
    until = time.monotonic() + busy
    while True:
        try:
            if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:  # noqa: PERF203 - waiting is what it does
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return


def damaged(error: BaseException) -> bool:
    """Whether *error* says that the file's content is broken, rather than busy, full or forbidden."""
    return type(error) is sqlite3.DatabaseError


def set_aside(path: Path) -> Path | None:
    """
    Rename a damaged journal, so that a new one can begin; `None` when it turns out to be fine.

    Another process may have done it already: the file is looked at again, by one process at a time.
    """
    with _alone(path):
        try:
            with contextlib.closing(_connect(path, "rw", 1.0)) as connection:
                if connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok":
                    return None
        except sqlite3.Error as error:
            if not path.exists():
                return None
            if not damaged(error):
                raise
        stamp = f"{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}"
        target = path.with_name(f"{path.name}.corrupt-{stamp}")
        number = 1
        while target.exists():
            number += 1
            target = path.with_name(f"{path.name}.corrupt-{stamp}.{number}")
        for suffix in ("-wal", "-shm", ""):  # the journal last: a new one begins when it is gone, with its own -wal
            with contextlib.suppress(FileNotFoundError):
                path.with_name(path.name + suffix).rename(target.with_name(target.name + suffix))
        return target


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let one process at a time decide about *path*, where the platform has file locks."""
    with path.with_name(f"{path.name}.lock").open("a") as lock:
        try:
            import fcntl  # noqa: PLC0415 - not everywhere

            fcntl.flock(lock, fcntl.LOCK_EX)
        except ImportError:
            pass
        yield
