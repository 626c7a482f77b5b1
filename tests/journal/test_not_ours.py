"""What is no journal of ours keeps its content, its name and its mode, whatever SPANLEDGER_JOURNAL says."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import stat
import sys

import pytest

from recorded import SUPPORT, record_support
from spanledger.errors import JournalError
from spanledger.journal import Archive, Journal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="modes and devices of POSIX")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def refused(path, said, caplog):
    journal = Journal(path)
    assert not journal.write_runs([SUPPORT])
    journal.close()
    assert journal.lost == {"runs": 1}
    [told] = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert said in told
    with pytest.raises(JournalError, match=said):
        Archive(path)


def somebody_elses(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE customers (x)")


def a_newer_one(path):
    record_support(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(("made", "said"), [(somebody_elses, "no spanledger journal"), (a_newer_one, "in format 99")])
def test_a_database_that_others_may_read_stays_readable(path, caplog, made, said):
    path.parent.mkdir(exist_ok=True)
    made(path)
    path.chmod(0o644)
    refused(path, said, caplog)
    assert mode(path) == 0o644


def test_a_directory_is_told_and_stays_one_that_can_be_entered(path, caplog):
    path.mkdir(parents=True)
    path.chmod(0o755)
    refused(path, f"is a directory; set SPANLEDGER_JOURNAL to a file, such as {path / 'journal.db'}", caplog)
    assert mode(path) == 0o755
    assert not [*path.parent.glob("*.corrupt-*")]


def test_a_device_stays_as_it_is(path, caplog):
    """As ``/dev/null`` would be, which people take for a switch."""
    path.parent.mkdir()
    os.mkfifo(path)
    path.chmod(0o666)
    refused(path, "is no file; set SPANLEDGER_JOURNAL to a file, or SPANLEDGER_JOURNAL_OFF=1", caplog)
    assert mode(path) == 0o666
    assert [*path.parent.iterdir()] == [path]


def test_what_is_beside_a_journal_becomes_private_with_it(path):
    record_support(path)
    with contextlib.closing(sqlite3.connect(path)) as reader:
        path.chmod(0o644)
        reader.execute("BEGIN IMMEDIATE")
        reader.execute("ROLLBACK")
        for file in path.parent.glob("journal.db*"):
            file.chmod(0o644)
        assert Journal(path).write_runs([SUPPORT])
        assert {mode(file) for file in path.parent.glob("journal.db*")} == {0o600}
