"""Runs are found, counted, ended when they vanished, dropped when old, deleted by user."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from recorded import BEGAN, RUN, SUPPORT, record_support
from spanledger.errors import JournalError, RunNotFound
from spanledger.journal import Archive, Journal, RunRow, SpanRow, process, total
from spanledger.journal.process import Process, alive, this_process

HOUR = 3600 * 10**9
GOING_ON = RunRow(run_id="live", started=BEGAN, heartbeat=BEGAN)


@pytest.fixture(autouse=True)
def _known_anew():
    """What a process knows of itself is kept; a test that changes what it can know must not leave that behind."""
    process._describe.cache_clear()
    yield
    process._describe.cache_clear()


@pytest.fixture
def journal(path):
    return Journal(path, days=100_000)


def ids(path, **filters):
    with Archive(path) as archive:
        return [run.run_id for run in archive.runs(**filters)]


def test_each_filter_keeps_what_it_names(path, journal):
    mine = this_process()
    journal.write_runs([
        SUPPORT,
        replace(SUPPORT, run_id="b", name="sales", user_id="u-8", started=BEGAN + HOUR, stop_reason="max_steps"),
        replace(GOING_ON, started=BEGAN + 2 * HOUR, pid=mine.pid, host=mine.host, process=mine.mark, session_id="s-9"),
    ])  # fmt: skip
    assert ids(path) == ["live", "b", RUN]
    assert ids(path, agent="sales") == ["b"]
    assert ids(path, status="running") == ids(path, live=True) == ids(path, session="s-9") == ["live"]
    assert ids(path, stop_reason="tool_error") == ids(path, user="u-7") == [RUN]
    assert ids(path, since=BEGAN + HOUR) == ["live", "b"]
    assert ids(path, limit=1) == ["live"]
    assert ids(path, agent="sales", user="u-7") == []


def test_a_run_is_found_by_id_prefix_or_as_the_latest(path, journal):
    later = replace(SUPPORT, run_id="4bf93", started=BEGAN + HOUR)
    journal.write_runs([SUPPORT, later, replace(SUPPORT, run_id="4bf9", started=BEGAN - HOUR)])
    with Archive(path) as archive:
        assert archive.run("4bf92") == SUPPORT
        assert archive.run("4bf9").run_id == "4bf9"
        assert archive.run("latest") == later
        with pytest.raises(RunNotFound, match="several runs begin with '4bf'") as several:
            archive.run("4bf")
        with pytest.raises(RunNotFound, match="no run begins with 'zzz'") as none:
            archive.run("zzz")
        with pytest.raises(RunNotFound):
            archive.run("%")
    assert several.value.candidates == none.value.candidates == ("4bf93", RUN, "4bf9")


def test_a_journal_that_does_not_exist_is_an_empty_one_and_stays_away(path):
    with Archive(path) as archive:
        assert archive.runs() == []
        with pytest.raises(RunNotFound, match="no runs in"):
            archive.run("latest")
    assert not path.exists()


def test_totals_count_a_run_inside_another_once():
    inner = replace(SUPPORT, run_id="inner", parent_id=RUN, status="success", stop_reason="completed")
    found = total([SUPPORT, inner, replace(SUPPORT, run_id="other", cost=Decimal(1))])
    assert (found.runs, found.cost, found.input_tokens, found.unpriced) == (3, Decimal("1.00041"), 3000, 2)
    assert found.by_stop_reason == {"tool_error": 2, "completed": 1}
    assert found.by_status == {"failure": 2, "success": 1}


@pytest.mark.parametrize(
    ("change", "abandoned"),
    [
        ({}, False),
        ({"pid": 2**22 + 1}, True),
        ({"mark": "started earlier"}, True),
        ({"host": "elsewhere"}, True),
        ({"host": "elsewhere", "beat": True}, False),
        ({"mark": "another boot", "beat": True}, False),
    ],
)
def test_a_run_whose_process_vanished_is_abandoned(path, journal, change, abandoned):
    import time

    me = this_process()
    if not me.mark:
        pytest.skip("this system does not tell when a process started")
    world = me.mark.rpartition(":")[0]
    mark = {"started earlier": f"{world}:1", "another boot": "other:world:1"}.get(change.get("mark"), me.mark)
    beat = time.time_ns() if change.get("beat") else BEGAN
    journal.write_runs([
        replace(GOING_ON, pid=change.get("pid", me.pid), host=change.get("host", me.host), process=mark, heartbeat=beat)
    ])  # fmt: skip
    with Archive(path) as archive:
        row = archive.run("live")
    assert (row.status, row.stop_reason) == (("failure", "abandoned") if abandoned else ("running", None))
    assert row.ended == (beat if abandoned else None)


def test_the_next_writer_finds_abandoned_runs_too(path, journal):
    journal.write_runs([replace(GOING_ON, host="elsewhere")])
    journal.close()
    another = Journal(path, days=100_000)
    another.write_spans([SpanRow(trace_id="t", span_id="s", run_id="x", name="n", started=1, ended=2)])
    rows = another._connection.execute("SELECT stop_reason FROM runs").fetchall()
    assert [row[0] for row in rows] == ["abandoned"]


def test_a_run_that_was_given_up_too_early_is_itself_again(path, journal):
    journal.write_runs([replace(GOING_ON, host="elsewhere")])
    assert ids(path, live=True) == []
    me = this_process()
    journal.write_runs([replace(GOING_ON, pid=me.pid, host=me.host, process=me.mark)])
    assert ids(path, live=True) == ["live"]


def test_a_process_of_another_host_is_not_judged():
    assert alive(Process(1, "elsewhere", "")) is None
    assert alive(this_process()) in (True, None)


def test_old_runs_are_dropped_with_their_spans(path):
    record_support(path)
    import time

    keeper = Journal(path, days=1)
    keeper.write_runs([replace(SUPPORT, run_id="new", ended=time.time_ns())])
    with Archive(path) as archive:
        assert [run.run_id for run in archive.runs()] == ["new"]
        assert archive.spans(RUN) == []


def test_a_users_runs_leave_no_byte_behind(path, journal):
    record_support(path)
    secret = SpanRow(
        trace_id="t", span_id="s", run_id="inner", name="chat", started=1, ended=2, attributes={"x": "only-his-words"}
    )
    journal.write_spans([secret])
    journal.write_runs([
        replace(SUPPORT, run_id="inner", user_id=None, parent_id=RUN), replace(SUPPORT, run_id="b", user_id="u-8"),
    ])  # fmt: skip
    with Archive(path) as archive:
        assert archive.delete_user("u-7") == (2, 8)
        assert archive.delete_user("u-7") == (0, 0)
        assert [run.run_id for run in archive.runs()] == ["b"]
    journal.close()
    everything = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"only-his-words" not in everything
    assert RUN.encode() not in everything
    assert b"u-8" in everything


def test_a_file_that_may_only_be_read_is_read_from_a_copy(path, journal, monkeypatch):
    journal.write_runs([SUPPORT, replace(GOING_ON, host="elsewhere")])
    journal.close()
    before = path.read_bytes()
    monkeypatch.setattr("spanledger.journal.file.os.access", lambda path, mode: False)
    with Archive(path) as archive:
        assert [run.run_id for run in archive.runs()] == [RUN, "live"]
        assert archive.run("live").stop_reason == "abandoned"
        with pytest.raises(JournalError, match="nothing was deleted"):
            archive.delete_user("u-7")
    assert path.read_bytes() == before


def test_where_the_system_does_not_tell_a_heartbeat_decides(monkeypatch):
    monkeypatch.setattr(process, "_world", lambda: "")
    me = this_process()
    assert alive(Process(me.pid, me.host, "")) is None
    assert alive(Process(2**22 + 1, me.host, "")) is False
    monkeypatch.setattr(process.sys, "platform", "win32")
    assert alive(Process(2**22 + 1, me.host, "")) is None


def test_a_journal_that_breaks_while_it_is_read_is_said(path, journal):
    journal.write_runs([SUPPORT])
    with Archive(path) as archive:
        archive._connection.execute("DROP TABLE spans")
        with pytest.raises(JournalError, match="no such table: spans"):
            archive.spans(RUN)
        with pytest.raises(JournalError, match="can't write the journal"):
            archive.delete_user("u-7")
