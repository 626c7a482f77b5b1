from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from recorded import RUN, SUPPORT
from spanledger.config import Settings
from spanledger.journal import Archive, Journal, protection

MAIL = "jane@acme.example"


@pytest.fixture
def stored(path):
    """Two runs of a user whose id is stored as a hash, one of somebody else."""
    path.parent.mkdir(parents=True, exist_ok=True)
    theirs = protection(Settings())(replace(SUPPORT, run_id="theirs", user_id=MAIL))
    journal = Journal(path, days=100_000)
    journal.write_runs([theirs, replace(SUPPORT, run_id="inner", user_id=None, parent_id="theirs"), SUPPORT])
    journal.close()
    return path, theirs.user_id


def left(path):
    with Archive(path) as archive:
        return sorted(run.run_id for run in archive.runs())


@pytest.mark.parametrize("how", ["as given", "as stored"])
def test_a_user_is_forgotten_by_the_id_as_given_or_as_stored(stored, call, how):
    path, hashed = stored
    assert hashed != MAIL
    found = call("forget", "--user", MAIL if how == "as given" else hashed)
    assert found.exit_code == 0
    assert "2 runs and 0 spans of" in found.output
    assert "theirs  support" in found.output
    assert left(path) == [RUN]


def test_a_dry_run_says_the_same_and_deletes_nothing(recorded_path, call):
    would = json.loads(call("forget", "--user", "u-7", "--dry-run", "--json").output)
    assert left(recorded_path) == [RUN]
    assert "would be deleted" in call("forget", "--user", "u-7", "--dry-run").output
    done = json.loads(call("forget", "--user", "u-7", "--json").output)
    assert done == {**would, "dry_run": False}
    assert done == {
        "schema": "spanledger.forgotten/1", "user": "u-7", "dry_run": False, "runs": [RUN], "spans": 7, "going_on": [],
        "not_searched": [],
    }  # fmt: skip
    assert left(recorded_path) == []


def test_nothing_stored_is_said_and_no_mistake(recorded_path, call):
    found = call("forget", "--user", "nobody")
    assert (found.exit_code, found.output) == (0, "nothing of nobody is stored\n")
    assert left(recorded_path) == [RUN]


def test_what_goes_on_and_what_could_not_be_read_is_named(recorded_path, call):
    journal = Journal(recorded_path, days=100_000)
    journal.write_runs([replace(SUPPORT, run_id="live", ended=None, heartbeat=time.time_ns())])
    journal.close()
    damaged = recorded_path.with_name(recorded_path.name + ".corrupt-20260101")
    damaged.write_bytes(b"x")
    found = call("forget", "--user", "u-7", "--dry-run")
    assert "1 of them still going on" in found.stderr
    assert str(damaged) in found.stderr


def test_what_could_not_be_done_is_exit_code_two(recorded_path, call, monkeypatch):
    monkeypatch.setattr("spanledger.journal.file.os.access", lambda path, mode: False)
    found = call("forget", "--user", "u-7")
    assert found.exit_code == 2
    assert "nothing was deleted" in found.stderr
    assert call("forget").exit_code == 2
