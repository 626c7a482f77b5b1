"""What is written comes back; what can't be written stops nobody."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sqlite3
import stat
import string
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recorded import BEGAN, RUN, SUPPORT, record_support
from spanledger import private_file
from spanledger.errors import JournalError, JournalTooNew
from spanledger.journal import Archive, Journal, RunRow, SpanRow, file
from spanledger.journal.file import set_aside
from spanledger.journal.schema import APPLICATION_ID, MIGRATIONS

SPAN = SpanRow(trace_id="a" * 32, span_id="b" * 16, run_id=RUN, name="chat", started=BEGAN, ended=BEGAN + 5)
TESTS = Path(__file__).parents[1]
unprivileged = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")


def warnings_of(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_recorded_run_comes_back_as_it_was(path):
    record_support(path)
    with Archive(path) as archive:
        assert archive.run(RUN) == SUPPORT
        spans = archive.spans(RUN)
    assert [span.name for span in spans] == [
        "invoke_agent support", "chat gpt-4o-mini", "execute_tool lookup_customer", "GET", "chat house-model",
        "execute_tool send_email", "execute_tool web_search",
    ]  # fmt: skip
    assert spans[3].parent_id == spans[2].span_id
    assert spans[1].step == 1
    assert spans[1].attributes["gen_ai.usage.input_tokens"] == 1000


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(string.printable), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@settings(deadline=None, max_examples=50)
@given(attributes=st.dictionaries(st.text(), json_values), cost=st.decimals(0, 10**6, places=12), name=st.text())
def test_any_row_survives_the_round_trip(tmp_path_factory, attributes, cost, name):
    path = tmp_path_factory.mktemp("journal") / "journal.db"
    journal = Journal(path, days=100_000)
    span = replace(SPAN, attributes=attributes, name="chat")
    assert journal.write_spans([span])
    assert journal.write_runs([replace(SUPPORT, cost=cost, name=name)])
    journal.close()
    with Archive(path) as archive:
        assert archive.spans(RUN) == [span]
        run = archive.run(RUN)
    assert run.cost == cost
    assert run.name == name.encode("utf-8", "replace").decode()


def test_the_file_is_private(path):
    record_support(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_file_that_others_could_read_is_made_private(path):
    record_support(path)
    path.chmod(0o644)
    assert Journal(path).write_runs([SUPPORT])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_is_opened_before_the_first_write(path):
    Journal(path)
    assert not path.parent.exists()


def test_writing_sqlite_is_loaded_with_the_first_write():
    code = "import sys, spanledger.journal; sys.exit('sqlite3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("seen", range(len(MIGRATIONS)))
def test_a_file_of_each_older_format_is_brought_up_to_date(path, seen):
    path.parent.mkdir()
    old = sqlite3.connect(path)
    for step in MIGRATIONS[:seen]:
        step(old)
    if seen:
        old.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        old.execute(f"PRAGMA user_version = {seen}")
        there = {column[1] for column in old.execute("PRAGMA table_info(runs)")}
        row = {name: value for name, value in zip(*columns_and_values(SUPPORT), strict=True) if name in there}
        old.execute(f"INSERT INTO runs ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", list(row.values()))
    old.commit()
    old.close()
    assert Journal(path, days=100_000).write_spans([SPAN])
    with Archive(path) as archive:
        assert archive.format == len(MIGRATIONS)
        assert archive.runs() == ([SUPPORT] if seen else [])
        assert archive.spans(RUN) == [SPAN]
        assert archive.counters() == {}


def columns_and_values(run):
    names = list(RunRow.__slots__)
    values = [getattr(run, name) for name in names]
    return names, [
        json.dumps(v) if isinstance(v, (dict, list)) else str(v) if isinstance(v, Decimal) else v for v in values
    ]


def test_a_migration_that_fails_changes_nothing(path, monkeypatch):
    record_support(path)

    def broken(connection):
        connection.execute("CREATE TABLE half_done (x)")
        connection.execute("this is no SQL")

    monkeypatch.setattr("spanledger.journal.schema.MIGRATIONS", [*MIGRATIONS, broken])
    monkeypatch.setattr("spanledger.journal.file.MIGRATIONS", [*MIGRATIONS, broken])
    journal = Journal(path, days=100_000)
    assert not journal.write_spans([SPAN])
    assert "syntax error" in journal.trouble
    with contextlib.closing(sqlite3.connect(path)) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    assert "half_done" not in tables


def test_a_file_of_a_newer_version_is_named_and_not_touched(path, caplog):
    record_support(path)
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 99")
    newer.execute("UPDATE meta SET value = '7.5.0' WHERE key = 'written_by'")
    newer.commit()
    newer.close()
    before = path.read_bytes()
    journal = Journal(path, days=100_000)
    assert not journal.write_spans([SPAN])
    assert not journal.write_runs([SUPPORT])
    journal.close()
    assert path.read_bytes() == before
    assert journal.lost == {"spans": 1, "runs": 1}
    assert len(warnings_of(caplog)) == 1
    with pytest.raises(JournalTooNew, match=r"written by spanledger 7\.5\.0 in format 99; this is spanledger .* up to"):
        Archive(path)


def test_somebody_elses_database_is_not_touched(path):
    path.parent.mkdir()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE runs (x)")
    other.close()
    before = path.read_bytes()
    assert not Journal(path).write_runs([SUPPORT])
    assert path.read_bytes() == before
    with pytest.raises(JournalError, match="no spanledger journal"):
        Archive(path)


@pytest.mark.parametrize("where", ["header", "pages"])
def test_a_damaged_file_is_set_aside_and_a_new_one_begun(path, caplog, where):
    record_support(path)
    content = bytearray(path.read_bytes())
    start = 0 if where == "header" else 4096
    content[start : start + 20_000] = b"\xde" * len(content[start : start + 20_000])
    path.write_bytes(content)
    with pytest.raises(JournalError, match="sets it aside and begins a new one"):
        read_everything(path)
    journal = Journal(path, days=100_000)
    assert journal.write_runs([SUPPORT])
    assert journal.write_spans([SPAN])
    [aside] = path.parent.glob("journal.db.corrupt-*Z")
    assert aside.read_bytes()[start : start + 1000] == b"\xde" * 1000
    assert [w for w in warnings_of(caplog) if str(aside) in w]
    with Archive(path) as archive:
        assert archive.runs() == [SUPPORT]


def read_everything(path):
    with Archive(path) as archive:
        for run in archive.runs():
            archive.spans(run.run_id)


def test_several_processes_meet_one_damaged_file(path):
    path.parent.mkdir()
    path.write_bytes(b"no journal at all" * 1000)
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[2]); from recorded import *;"
        "from spanledger.journal import Journal; j = Journal(Path(sys.argv[1]), days=100_000);"
        "sys.exit(not j.write_runs([replace(SUPPORT, run_id=sys.argv[3])]))"
    )
    children = [subprocess.Popen([sys.executable, "-c", code, path, TESTS, f"run{n}"]) for n in range(4)]
    assert [child.wait() for child in children] == [0] * 4
    assert len(list(path.parent.glob("journal.db.corrupt-*"))) >= 1


def test_a_file_that_another_process_sets_aside_while_it_is_opened_is_made_again(path, monkeypatch):
    make, made = private_file.make, []

    def made_and_gone(at):
        make(at)
        made.append(at)
        if len(made) == 1:
            at.rename(at.with_name("journal.db.corrupt-by-another"))

    monkeypatch.setattr(private_file, "make", made_and_gone)
    assert Journal(path, days=100_000).write_runs([SUPPORT])
    assert len(made) == 2


def test_a_locked_file_costs_one_warning_and_is_written_again_later(path, caplog):
    record_support(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    journal = Journal(path, days=100_000, busy=0.01, retry=0)
    for _ in range(3):
        assert not journal.write_spans([SPAN, SPAN])
    assert "locked" in journal.trouble
    assert journal.lost == {"spans": 6}
    assert len(warnings_of(caplog)) == 1
    other.execute("ROLLBACK")
    other.close()
    assert journal.write_spans([SPAN])
    assert journal.trouble is None
    with Archive(path) as archive:
        [(name, counter)] = archive.counters().items()
    assert (name, counter["value"]) == ("lost_spans", 6)
    assert "locked" in counter["reason"]


def test_a_file_that_failed_is_left_alone_for_a_while(path):
    record_support(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    journal = Journal(path, busy=0.01, retry=3600)
    assert not journal.write_spans([SPAN])
    other.execute("ROLLBACK")
    other.close()
    assert not journal.write_spans([SPAN])
    assert journal.lost == {"spans": 2}


def test_a_directory_that_cannot_be_made_stops_nobody(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    journal = Journal(tmp_path / "file" / "journal.db")
    assert not journal.write_runs([SUPPORT])
    assert journal.lost == {"runs": 1}
    assert len(warnings_of(caplog)) == 1


@unprivileged
def test_a_read_only_directory_stops_nobody(path, caplog):
    record_support(path)
    path.chmod(0o400)
    path.parent.chmod(0o500)
    try:
        assert not Journal(path).write_runs([SUPPORT])
        with Archive(path) as archive:
            assert archive.runs() == [SUPPORT]
            with pytest.raises(JournalError, match="nothing was deleted"):
                archive.delete_user("u-7")
    finally:
        path.parent.chmod(0o700)
    assert len(warnings_of(caplog)) == 1


def test_a_full_disk_stops_nobody(path):
    record_support(path)
    journal = Journal(path, days=100_000, retry=0)
    assert journal.write_spans([SPAN])
    pages = journal._connection.execute("PRAGMA page_count").fetchone()[0]
    journal._connection.execute(f"PRAGMA max_page_count = {pages}")
    huge = replace(SPAN, attributes={"text": "x" * 200_000})
    assert not journal.write_spans([huge])
    assert "full" in journal.trouble
    assert journal.write_spans([SPAN])


def test_a_journal_that_another_process_makes_at_the_same_moment_is_ours(path, monkeypatch):
    looks = []

    class Looking(sqlite3.Connection):
        def execute(self, sql, *values):
            if "sqlite_master" in sql and not looks:
                looks.append(sql)
                with contextlib.suppress(sqlite3.OperationalError):  # it may have to wait for us
                    file.open_to_write(path, busy=0.1).close()
            return super().execute(sql, *values)

    monkeypatch.setattr(file.sqlite3, "connect", partial(sqlite3.connect, factory=Looking))
    file.open_to_write(path, busy=5).close()
    assert looks


def test_several_processes_write_at_once(path):
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[2]); from recorded import *;"
        "from spanledger.journal import Journal, SpanRow; j = Journal(Path(sys.argv[1]), days=100_000, busy=60);"
        "n = sys.argv[3]\n"
        "for i in range(50):\n"
        "    assert j.write_runs([replace(SUPPORT, run_id=f'{n}-{i}')])\n"
        "    assert j.write_spans([SpanRow(trace_id=n, span_id=str(i), run_id=f'{n}-{i}', name='x', started=1,"
        " ended=2)])\n"
    )
    children = [subprocess.Popen([sys.executable, "-c", code, path, TESTS, str(n)]) for n in range(6)]
    assert [child.wait() for child in children] == [0] * 6
    with Archive(path) as archive:
        assert len(archive.runs()) == 300
        assert all(len(archive.spans(run.run_id)) == 1 for run in archive.runs())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_opens_the_file_anew(path):
    journal = Journal(path, days=100_000)
    assert journal.write_runs([SUPPORT])
    pid = os.fork()
    if not pid:
        ok = journal._connection is None and journal.write_runs([replace(SUPPORT, run_id="child")])
        os._exit(0 if ok else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert journal.write_runs([replace(SUPPORT, run_id="parent")])
    with Archive(path) as archive:
        assert {run.run_id for run in archive.runs()} == {RUN, "child", "parent"}


def test_a_file_that_turns_out_to_be_fine_is_not_set_aside(path):
    record_support(path)
    assert set_aside(path) is None
    assert set_aside(path.with_name("none.db")) is None
    assert path.exists()


def test_files_set_aside_in_the_same_second_do_not_meet(path):
    path.parent.mkdir()
    aside = set()
    for number in range(3):
        path.write_bytes(bytes([number]) * 5000)
        aside.add(set_aside(path))
    assert len(aside) == 3
    assert sorted(file.read_bytes()[:1] for file in aside) == [b"\x00", b"\x01", b"\x02"]
