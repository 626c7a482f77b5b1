"""
One budget for the processes of a machine: counters in a SQLite file.

Each decision is one write transaction.  What a process held when it vanished is given back after `HOLD_SECONDS`.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from .. import private_file
from ..forks import closes
from .store import HOLD_SECONDS, Kill, Refused, StoreDown, Want

__all__ = ["SqliteStore"]

BUSY_SECONDS: Final = 2.0
"""How long another process's transaction is waited for."""
_SWEEP_SECONDS: Final = 5.0
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS counters (key TEXT, unit TEXT, spent INTEGER NOT NULL, held INTEGER NOT NULL,
    expires INTEGER NOT NULL, PRIMARY KEY (key, unit)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS holds (id INTEGER PRIMARY KEY, expires REAL NOT NULL, charges TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS kills (target TEXT PRIMARY KEY, by TEXT NOT NULL, why TEXT NOT NULL, at REAL NOT NULL);
"""
_READ: Final = "SELECT spent, held FROM counters WHERE key = ? AND unit = ?"
_ADD: Final = (
    "INSERT INTO counters VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (key, unit)"
    " DO UPDATE SET spent = spent + ?3, held = max(0, held + ?4) RETURNING spent, held"
)


class _Asked:
    """The store's connection for one question at a time; its errors as `StoreDown`."""

    __slots__ = ("_store",)

    def __init__(self, store: SqliteStore) -> None:
        self._store = store

    def __enter__(self) -> sqlite3.Connection:
        store = self._store
        store.lock.acquire()
        try:
            return store.connection()
        except (sqlite3.Error, OSError) as error:
            store.abandon()
            store.lock.release()
            raise StoreDown(f"{store.path}: {error}") from error
        except BaseException:  # whatever it is, the next one must not wait for ever
            store.lock.release()
            raise

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is not None:
            self._store.abandon()
        self._store.lock.release()
        if isinstance(error, (sqlite3.Error, OSError)):
            raise StoreDown(f"{self._store.path}: {error}") from error


class SqliteStore:
    """Counters in *path*, made with mode 0600 when it is not there."""

    shared = True

    def __init__(self, path: str | Path, *, hold_seconds: float = HOLD_SECONDS) -> None:
        self.path = Path(path)
        self._hold_seconds = hold_seconds
        self.lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._pid = 0
        self._left: list[sqlite3.Connection] = []  # a parent's: closing them in a fork would drop the parent's locks
        self._swept = 0.0
        closes(self)

    def connection(self) -> sqlite3.Connection:
        """The connection of this process, opened when it is first needed."""
        if self._connection is not None and self._pid == os.getpid():
            return self._connection
        if self._connection is not None:
            self._left.append(self._connection)
            self._connection = None
        private_file.make(self.path)
        connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        self._connection, self._pid = connection, os.getpid()
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(_SCHEMA)
        return connection

    def __del__(self) -> None:
        if getattr(self, "_connection", None) is not None and self._pid == os.getpid():
            self.abandon()

    def _asked(self) -> _Asked:
        return _Asked(self)

    def abandon(self) -> None:
        """Close the connection, which rolls back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    def reserve(
        self, wants: Sequence[Want], targets: Sequence[str]
    ) -> tuple[Any, list[tuple[int, int]]] | Refused | Kill:
        """See `Store.reserve`."""
        with self._asked() as db:
            db.execute("BEGIN IMMEDIATE")
            answer: Any = self._killed(db, targets)
            if answer is None:
                answer = self._take(db, wants)
            db.execute("ROLLBACK" if type(answer) is Refused else "COMMIT")
        return answer  # type: ignore[no-any-return]

    def _take(self, db: sqlite3.Connection, wants: Sequence[Want]) -> tuple[Any, list[tuple[int, int]]] | Refused:
        now = time.time()
        if now - self._swept > _SWEEP_SECONDS:
            self._sweep(db, now)
        after, held = [], []
        for place, (counter, amount, hold) in enumerate(wants):
            change = (0, amount) if hold else (amount, 0)
            row = db.execute(_ADD, (*counter.name, *change, counter.expires)).fetchone()
            if counter.limit is not None and row[0] + row[1] > counter.limit:
                return Refused(place, row[0] if hold else row[0] - amount, row[1] - amount if hold else row[1])
            if hold and amount:
                held.append((*counter.name, amount))
            after.append(row)
        if not held:
            return None, after
        name = random.getrandbits(62)
        db.execute("INSERT INTO holds VALUES (?, ?, ?)", (name, now + self._hold_seconds, json.dumps(held)))
        return name, after

    def _sweep(self, db: sqlite3.Connection, now: float) -> None:
        """Give back what nobody settled in time, and drop counters whose time is over."""
        self._swept = now
        for number, charges in db.execute("SELECT id, charges FROM holds WHERE expires < ?", (now,)).fetchall():
            for key, unit, amount in json.loads(charges):
                db.execute(_ADD, (key, unit, 0, -amount, 0))
            db.execute("DELETE FROM holds WHERE id = ?", (number,))
        db.execute("DELETE FROM counters WHERE expires < ?", (int(now),))

    def settle(self, hold: Any, charges: Sequence[tuple[str, str, int, int, int]]) -> list[tuple[int, int]]:
        """See `Store.settle`."""
        after = []
        with self._asked() as db:
            db.execute("BEGIN IMMEDIATE")
            ours = hold is not None and db.execute("DELETE FROM holds WHERE id = ?", (hold,)).rowcount
            for key, unit, held, spent, expires in charges:
                after.append(db.execute(_ADD, (key, unit, spent, -held if ours else 0, expires)).fetchone())
            db.execute("COMMIT")
        return after

    def read(self, counters: Sequence[tuple[str, str]]) -> list[tuple[int, int]]:
        """See `Store.read`."""
        with self._asked() as db:
            return [db.execute(_READ, counter).fetchone() or (0, 0) for counter in counters]

    @staticmethod
    def _killed(db: sqlite3.Connection, targets: Sequence[str]) -> Kill | None:
        marks = ", ".join("?" * len(targets))
        row = db.execute(f"SELECT target, by, why, at FROM kills WHERE target IN ({marks})", targets).fetchone()  # noqa: S608
        return Kill(*row) if row else None

    def killed(self, targets: Sequence[str]) -> Kill | None:
        """See `Store.killed`."""
        with self._asked() as db:
            return self._killed(db, targets)

    def kill(self, kill: Kill) -> None:
        """See `Store.kill`."""
        with self._asked() as db:
            db.execute("INSERT OR REPLACE INTO kills VALUES (?, ?, ?, ?)", (kill.target, kill.by, kill.why, kill.at))

    def revive(self, target: str) -> bool:
        """See `Store.revive`."""
        with self._asked() as db:
            return db.execute("DELETE FROM kills WHERE target = ?", (target,)).rowcount > 0

    def kills(self) -> list[Kill]:
        """See `Store.kills`."""
        with self._asked() as db:
            return [Kill(*row) for row in db.execute("SELECT target, by, why, at FROM kills ORDER BY at")]

    def begin_anew(self) -> None:
        """See `Store.begin_anew`; the connection is opened anew when it is needed."""
        self.lock = threading.RLock()

    def close(self) -> None:
        """See `Store.close`."""
        with self.lock:
            self.abandon()
