"""A file that only its user may read is made once, and never opened again by the one who makes it."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys

import pytest

from recorded import SUPPORT
from spanledger import private_file
from spanledger.journal import Archive, Journal
from spanledger.limits.sqlite import SqliteStore

VISITOR = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM sqlite_master').fetchall(); c.close()"


def visit(path):
    """What `spanledger runs` does from another process: open the file, read, close."""
    subprocess.run([sys.executable, "-c", VISITOR, str(path)], check=True)


def test_it_is_whole_private_and_the_first_one_wins(tmp_path):
    path = tmp_path / "state" / "key"
    private_file.make(path, b"first")
    private_file.make(path, b"second")
    assert path.read_bytes() == b"first"
    assert [each.name for each in path.parent.iterdir()] == ["key"]
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_second_journal_of_a_process_does_not_drop_the_locks_of_the_first(tmp_path):
    path = tmp_path / "journal.db"
    first, second = Journal(path), Journal(path)
    assert first.write_runs([SUPPORT])
    assert second.write_runs([SUPPORT])
    visit(path)  # takes itself for the last one when the locks are gone, and deletes the log of writes
    assert path.with_name("journal.db-wal").exists()
    assert first.write_runs([SUPPORT])
    with Archive(path) as archive:
        assert archive.count() == 1
    first.close()
    second.close()


def test_a_second_store_of_limits_does_not_either(tmp_path):
    path = tmp_path / "limits.db"
    first, second = SqliteStore(path), SqliteStore(path)
    assert first.kills() == second.kills() == []
    visit(path)
    assert path.with_name("limits.db-wal").exists()
    first.close()
    second.close()


def test_what_can_not_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        private_file.make(tmp_path / "file" / "key")
    with pytest.raises(sqlite3.Error):
        sqlite3.connect(tmp_path / "file" / "key")
