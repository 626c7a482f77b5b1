"""What is asked of the journal, and how it is told when there is no answer."""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import replace

import pytest

from recorded import RUN, SUPPORT, record_support
from spanledger.journal import Journal
from spanledger.journal.process import this_process


def test_a_table_of_runs(call, recorded_path):
    result = call("runs")
    head, row, sums = [line.split() for line in result.output.splitlines()]
    assert result.exit_code == 0
    assert head == ["RUN", "AGENT", "STATUS", "STEPS", "CALLS", "TOOLS", "TOKENS", "COST", "TOOK", "STARTED"]
    assert row[:13] == ["4bf92f3577b3", "support", "failure", "(tool_error)", "2", "2", "3", "1,570", "$0.00041",
                        "+", "1", "unpriced", "2.5"]  # fmt: skip
    assert " ".join(sums) == "1 run: 1 failure; 1,500 in, 70 out; $0.00041 + 1 unpriced"


def test_a_list_that_is_cut_says_so(call, recorded_path):
    Journal(recorded_path, days=100_000).write_runs(
        [replace(SUPPORT, run_id=f"r{n}", user_id="many") for n in range(3)]
    )
    cut = call("runs", "--limit", "2", "--user", "many").output.splitlines()
    assert cut[-2].startswith("the newest 2 runs: ")
    assert cut[-1] == "there are more: --limit"
    assert json.loads(call("runs", "--limit", "2", "--json").output)["more"]
    assert call("runs", "--limit", "3", "--user", "many").output.splitlines()[-1].startswith("3 runs: ")
    assert not json.loads(call("runs", "--limit", "4", "--json").output)["more"]


def test_what_is_not_known_is_no_zero_in_the_sums(call, recorded_path):
    silent = replace(SUPPORT, run_id="silent", input_tokens=0, output_tokens=0, cost=0, unpriced=2, unknown_usage=2)
    journal = Journal(recorded_path, days=100_000)
    journal.write_runs([silent])
    assert call("runs").output.splitlines()[-1] == (
        "2 runs: 2 failure; 1,500 in, 70 out + 2 calls unknown; $0.00041 + 3 unpriced"
    )
    totals = json.loads(call("runs", "--json").output)["totals"]
    assert (totals["input_tokens"], totals["calls_without_usage"]) == (1500, 2)
    journal.write_runs([replace(silent, run_id=RUN)])
    assert call("runs").output.splitlines()[-1] == "2 runs: 2 failure; tokens unknown; unpriced"
    totals = json.loads(call("runs", "--json").output)["totals"]
    assert (totals["input_tokens"], totals["output_tokens"], totals["cost"]["amount"]) == (None, None, None)


def test_runs_as_json(call, recorded_path):
    found = json.loads(call("runs", "--json").output)
    assert found["schema"] == "spanledger.runs/1"
    assert [run["run_id"] for run in found["runs"]] == [RUN]
    assert found["totals"]["by_stop_reason"] == {"tool_error": 1}
    assert json.loads(call("runs", "--json", "--agent", "nobody").output)["runs"] == []


def test_what_is_running_now(call, recorded_path):
    me, now = this_process(), time.time_ns()
    Journal(recorded_path, days=100_000).write_runs([
        replace(SUPPORT, run_id="going-on", ended=None, stop_reason=None, status="running", steps=4, started=now,
                heartbeat=now, pid=me.pid, host=me.host, process=me.mark, last_tool="send_email"),
    ])  # fmt: skip
    output = call("runs", "--live").output
    assert "going-on" in output
    assert "running (step 4)" in output
    assert "send_email" in output
    assert RUN[:12] not in output
    assert RUN[:12] not in call("runs", "--since", "2h").output
    assert RUN[:12] in call("runs", "--since", "2025-12-31").output
    assert RUN[:12] not in call("runs", "--limit", "1").output


def test_no_runs_yet(call, path):
    result = call("runs")
    assert (result.exit_code, result.output) == (0, f"no runs yet in {path}\n")
    assert call("runs", "--live").output == f"no runs match in {path}\n"
    assert not path.exists()


@pytest.mark.parametrize("given", ["yesterday", "2026-13-01", "7y", ""])
def test_a_time_that_is_none_is_refused(call, given):
    result = call("runs", "--since", given)
    assert result.exit_code == 2
    assert "is no time; try 30m" in result.stderr


@pytest.mark.parametrize("given", ["999999w", "0001-01-01", "9999-12-31"])
@pytest.mark.parametrize(
    "asked", [("runs", "--since"), ("costs", "--since"), ("costs", "--until"), ("costs", "--split")]
)
def test_a_time_that_no_journal_holds_is_refused(call, recorded_path, asked, given):
    result = call(*asked, given)
    assert result.exit_code == 2
    assert f"{given!r} is too far away; a time is between the years 1678 and 2261" in result.stderr
    assert call(*asked, "2261-12-31").exit_code == call(*asked, "1678-01-01").exit_code == 0


def test_more_runs_than_can_be_asked_for_are_refused(call, recorded_path):
    result = call("runs", "--limit", "99999999999999999999")
    assert result.exit_code == 2
    assert "99999999999999999999 is not in the range" in result.stderr
    assert call("runs", "--limit", "1000000000").exit_code == 0


def test_a_tree(call, recorded_path):
    result = call("show", "latest")
    assert result.exit_code == 0
    assert "tool  lookup_customer  args 9f3ab2c1  12 ms  success" in result.output
    assert result.output == call("show", RUN).output == call("show", RUN[:4]).output
    assert "mail [EMAIL]" not in result.output
    assert "mail [EMAIL]" in call("show", "latest", "--content").output


def test_a_tree_as_json(call, recorded_path):
    found = json.loads(call("show", "latest", "--json").output)
    assert (found["schema"], found["run"]["stop_reason"]) == ("spanledger.run/1", "tool_error")


def test_a_run_that_is_not_there_names_those_that_are(call, recorded_path):
    record_support(recorded_path, row=replace(SUPPORT, run_id="4bf9other"))
    result = call("show", "zz")
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        f"spanledger: no run begins with 'zz' in {recorded_path}; there are:", f"  {RUN}", "  4bf9other",
    ]  # fmt: skip
    several = call("show", "4bf9")
    assert several.exit_code == 2
    assert several.stderr.startswith("spanledger: several runs begin with '4bf9'; there are:\n")
    assert several.stdout == ""


def test_the_latest_of_none(call, path):
    result = call("show", "latest")
    assert (result.exit_code, result.stderr) == (2, f"spanledger: there are no runs in {path} yet\n")


def test_a_newer_journal_is_named(call, recorded_path):
    newer = sqlite3.connect(recorded_path)
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    result = call("runs")
    assert result.exit_code == 2
    assert "in format 99; this is spanledger" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_damaged_journal_is_said(call, path):
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no journal at all" * 100)
    result = call("runs")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"spanledger: can't read the journal {path}: file is not a database;")


def test_a_setting_that_is_unknown_is_named(call, monkeypatch):
    monkeypatch.setenv("SPANLEDGER_JOURNEL", "x")
    result = call("runs")
    assert (result.exit_code, result.stderr) == (
        2, "spanledger: unknown variable SPANLEDGER_JOURNEL; did you mean 'SPANLEDGER_JOURNAL'?\n",
    )  # fmt: skip
