"""What runs now is in the journal while it runs; what died is found."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from dataclasses import astuple, replace
from decimal import Decimal

import pytest

from spanledger import pricing
from spanledger.journal import Archive, Journal, LiveRuns, Version
from spanledger.ledger import Ledger, ModelCall, Run, ToolUse
from spanledger.limits import Decision
from spanledger.model import Usage


@pytest.fixture
def ledger():
    return Ledger()


@pytest.fixture
def live(path, ledger):
    follower = LiveRuns(Journal(path, days=100_000), ledger, interval=3600, version=Version("shop", "1.2", "abc"))
    yield follower
    assert follower.close()


def stored(path, run_id="r1"):
    with Archive(path) as archive:
        return archive.run(run_id)


def test_a_going_on_run_is_there_before_it_ends(path, ledger, live, monkeypatch):
    monkeypatch.setattr(pricing, "price_call", lambda call: pricing.Price(Decimal("0.5"), "priced"))
    run = Run(id="r1", name="support", user_id="u-7", labels={"team": "a"})
    ledger.open(run)
    run.steps = 3
    run.settle_model(ModelCall("chat", "openai", "m", "m-1", Usage(uncached=10, output=2), 1, 2, 3))
    run.settle_tool(ToolUse("search", None, 0.1, 3))
    assert live.flush()
    row = stored(path)
    assert (row.status, row.stop_reason, row.ended) == ("running", None, None)
    assert (row.steps, row.last_tool, row.cost, row.unpriced) == (3, "search", Decimal("0.5"), 0)
    assert (row.input_tokens, row.output_tokens, row.models) == (10, 2, {"m-1": 1})
    assert (row.user_id, row.labels, row.pid) == ("u-7", {"team": "a"}, os.getpid())
    assert (row.service_name, row.service_version, row.commit_id) == ("shop", "1.2", "abc")
    ledger.close(run, "completed")
    assert live.flush()
    assert (stored(path).status, stored(path).stop_reason, stored(path).ended) == ("success", "completed", run.ended)


def test_somebody_can_look_after_runs_before_they_are_written(path, ledger):
    """As those are that have their answer and wait for nothing else."""
    run = Run(id="r1")
    done = threading.Event()

    def before():
        ledger.close(run, "completed")
        done.set()

    follower = LiveRuns(Journal(path, days=100_000), ledger, interval=3600, before=before)
    ledger.open(run)
    assert done.wait(30)
    assert follower.flush()
    assert stored(path).stop_reason == "completed"
    assert follower.close()


def test_a_call_that_ends_after_its_run_is_in_the_runs_account(path, ledger, live):
    """A stream that was open when its generator was left is let go of a moment later."""
    run = Run(id="r1")
    ledger.open(run)
    ledger.close(run, "cancelled")
    assert live.flush()
    assert stored(path).model_calls == 0
    run.settle_model(ModelCall("chat", "openai", "m", "m-1", Usage(), 1, 2, 3))
    assert live.flush()
    row = stored(path)
    assert (row.model_calls, row.unknown_usage, row.unpriced, row.stop_reason) == (1, 1, 1, "cancelled")


def test_the_beginning_and_the_end_of_a_run_wake_the_thread_at_once(path, ledger, live):
    written = threading.Event()
    write = live._journal.write_runs

    def watched(rows, **given):
        done = write(rows, **given)
        written.set()
        return done

    live._journal.write_runs = watched
    run = Run(id="r1")
    ledger.open(run)
    assert written.wait(30)
    written.clear()
    ledger.close(run, "completed")
    assert written.wait(30)
    assert live.flush()
    assert stored(path).status == "success"


def test_the_first_row_waits_for_nothing_that_takes_its_time_to_load(path, ledger, monkeypatch):
    """Prices, and what redacts: in a busy program that is a second, and one that dies meanwhile leaves its run."""
    first = []
    monkeypatch.setattr(pricing, "warm", lambda: first.append(stored(path)))

    def describe(row):
        assert first, "the first row waited for the policy"
        return replace(row, user_id=f"hashed:{row.user_id}")

    live = LiveRuns(Journal(path), ledger, interval=3600, describe=describe, version=Version("shop", "1.2", "abc"))
    ledger.open(Run(id="r1", name="support", user_id="u-7", session_id="s", request_id="q", labels={"team": "a"}))
    assert live.flush()
    (row,) = first
    assert (row.status, row.pid) == ("running", os.getpid())
    assert not {"support", "u-7", "s", "q", "a", "shop", "1.2", "abc"} & {str(value) for value in astuple(row)}
    assert row.labels == {}
    assert (stored(path).name, stored(path).user_id, stored(path).labels) == ("support", "hashed:u-7", {"team": "a"})
    assert live.close()


def test_without_a_policy_the_first_row_is_whole(path, ledger, live, monkeypatch):
    first = []
    monkeypatch.setattr(pricing, "warm", lambda: first.append(stored(path).name))
    ledger.open(Run(id="r1", name="support"))
    assert live.flush()
    assert first == ["support"]


def test_the_heart_beats_while_nothing_changes(path, ledger, live):
    ledger.open(Run(id="r1"))
    assert live.flush()
    first = stored(path)
    assert live.flush()
    assert stored(path).heartbeat > first.heartbeat
    assert stored(path).active == first.active


def test_no_thread_before_the_first_run(ledger, live):
    assert live._thread is None
    ledger.open(Run(id="r1"))
    assert live._thread is not None


def test_closing_writes_what_is_left_and_stops_following(path, ledger):
    live = LiveRuns(Journal(path), ledger, interval=3600)
    run = Run(id="r1")
    ledger.open(run)
    ledger.close(run, "max_steps")
    assert live.close()
    assert stored(path).stop_reason == "max_steps"
    assert ledger._started == ledger._ended == ()


def test_who_a_run_is_for_passes_through_the_policy(path, ledger):
    live = LiveRuns(Journal(path), ledger, describe=lambda row: replace(row, user_id="hashed:" + row.user_id))
    ledger.open(Run(id="r1", user_id="u-7"))
    assert live.close()
    assert stored(path).user_id == "hashed:u-7"


def test_a_policy_that_fails_names_nobody(path, ledger):
    def broken(row):
        raise ValueError("u-7 is not to be named")

    journal = Journal(path)
    live = LiveRuns(journal, ledger, describe=broken)
    ledger.open(Run(id="r1", user_id="u-7", session_id="s-42", request_id="q-1", labels={"mail": "a@b.c"}))
    assert live.close()
    journal.close()
    row = stored(path)
    assert (row.user_id, row.session_id, row.request_id, row.labels) == (None, None, None, {})
    content = path.read_bytes()
    assert not [text for text in (b"u-7", b"s-42", b"q-1", b"a@b.c") if text in content]


def test_a_journal_that_is_back_gets_the_going_on_runs(tmp_path, ledger):
    blocker = tmp_path / "state"
    blocker.write_text("in the way")
    live = LiveRuns(Journal(blocker / "journal.db", retry=0), ledger, interval=3600)
    ledger.open(Run(id="r1"))
    live.flush()
    blocker.unlink()
    live.flush()
    assert stored(blocker / "journal.db").status == "running"
    assert live.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_writes_its_own_runs_only(path, ledger, live):
    inherited = Run(id="r1", name="parent")
    ledger.open(inherited)
    assert live.flush()
    pid = os.fork()
    if not pid:
        inherited.name = "changed in the child"
        ledger.close(inherited, "error")
        own = Run(id="child")
        ledger.open(own)
        ledger.close(own, "completed")
        os._exit(0 if live.close() else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert (stored(path).name, stored(path).status) == ("parent", "running")
    assert stored(path, "child").stop_reason == "completed"


def in_child(work):
    """Whether *work* gave something true in a forked child."""
    pid = os.fork()
    if not pid:
        signal.alarm(60)
        os._exit(0 if work() else 1)
    return os.waitpid(pid, 0)[1] == 0


class Told(Journal):
    """Says when a share was written, and takes none as long as it is `busy`."""

    busy = False

    def __init__(self, path):
        super().__init__(path, days=100_000)
        self.refused, self.written = threading.Event(), threading.Event()

    def write_runs(self, rows, *, shares=(), **more):
        if shares and self.busy:
            self.refused.set()
            return False
        done = super().write_runs(rows, shares=shares, **more)
        if shares:
            self.written.set()
        return done


@pytest.fixture
def told(path):
    return Told(path)


@pytest.fixture
def inherited(told, ledger):
    live = LiveRuns(told, ledger, interval=0.01, version=Version("shop", "1.2", "abc"))
    run = Run(id="r1", name="support")
    ledger.open(run)
    assert live.flush()
    yield run
    assert live.close()


def used():
    return ModelCall("chat", "openai", "m", "m-1", Usage(uncached=10, output=2), 1, 2, 3)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_share_that_could_not_be_written_is_written_when_that_is_possible_again(path, inherited, told):
    def work():
        told.busy = True
        inherited.settle_model(used())
        assert told.refused.wait(30)
        told.busy = False
        return told.written.wait(30)

    assert in_child(work)
    assert stored(path).model_calls == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_a_limit_says_after_a_share_was_written_is_in_it_too(path, inherited, told):
    decision = Decision("warn", "tokens", "agent", "support", 12, 10, 1, "passed")

    def work():
        inherited.settle_model(used())
        assert told.written.wait(30)
        told.written.clear()
        inherited.decisions.append(decision)
        return told.written.wait(30)

    assert in_child(work)
    assert [each["reason"] for each in stored(path).decisions] == ["passed"]


DYING = """
import sys, time
from pathlib import Path
from spanledger.journal import Journal, LiveRuns
from spanledger.ledger import Run, ledger
live = LiveRuns(Journal(Path(sys.argv[1])), ledger, interval=0.05)
ledger.open(Run(id="r1", name="doomed"))
live.flush()
print("running", flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_killed_process_leaves_an_abandoned_run(path):
    child = subprocess.Popen([sys.executable, "-c", DYING, path], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout.readline() == "running\n"
        assert stored(path).status == "running"
        child.send_signal(signal.SIGKILL)
        child.wait()
        row = stored(path)
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    assert (row.status, row.stop_reason, row.ended) == ("failure", "abandoned", row.heartbeat)


def test_ended_runs_that_nobody_can_write_are_bounded(ledger, live, monkeypatch):
    from spanledger import shield

    monkeypatch.setattr("spanledger.journal.live.MAX_ENDED", 3)
    monkeypatch.setattr(LiveRuns, "_write", lambda self: None)
    for number in range(5):
        run = Run(id=f"r{number}")
        ledger.open(run)
        ledger.close(run, "completed")
    assert list(live._ended) == ["r2", "r3", "r4"]
    assert shield.failures["keeping up with ended runs"] == 2
    live._ended.clear()


def test_a_closed_follower_starts_no_thread(path, ledger):
    live = LiveRuns(Journal(path), ledger)
    assert live.close()
    ledger.open(Run(id="late"))
    live._started(Run(id="later"))
    assert live._thread is None
    assert live.flush()


def test_the_program_is_read_from_the_environment(path, ledger, monkeypatch):
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.version=2,vcs.ref.head.revision=abc")
    live = LiveRuns(Journal(path), ledger)
    ledger.open(Run(id="r1"))
    assert live.close()
    row = stored(path)
    assert (row.service_name, row.service_version, row.commit_id) == ("shop", "2", "abc")
