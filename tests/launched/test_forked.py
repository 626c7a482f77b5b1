"""Children that are forked in the middle of a run: what they use is in the run's account."""

from __future__ import annotations

import os
from decimal import Decimal

import pytest

from spanledger.journal import Archive
from spanledger.report.costs import read_costs

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

FORKING = """
    import multiprocessing, openai, spanledger

    def call():
        openai.OpenAI().chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hi"}])

    @spanledger.tool
    def look():
        raise ValueError

    def forked(work):
        child = multiprocessing.get_context("fork").Process(target=work)
        child.start()
        child.join()
        assert child.exitcode == 0

"""


def accounts(runs):
    return {run.name: (run.model_calls, run.tool_calls, run.tool_errors, sum(run.models.values())) for run in runs}


def test_calls_of_children_and_theirs_are_the_runs(ended, runs_of, tmp_path):
    ended(
        FORKING
        + """
    def deeper():
        call()

    def work():
        call()
        forked(deeper)
        try:
            look()
        except ValueError:
            pass

    spanledger.configure()
    with spanledger.run("alone"):
        call()
    with spanledger.run("outer"), spanledger.run("support"):
        call()
        forked(work)
        forked(work)
        call()
    """
    )
    runs = {run.name: run for run in runs_of()}
    assert accounts(runs.values()) == {"alone": (1, 0, 0, 1), "outer": (6, 2, 2, 6), "support": (6, 2, 2, 6)}
    one, outer, support = (runs[name] for name in ("alone", "outer", "support"))
    assert one.cost > 0
    for run in (outer, support):
        assert (run.cost, run.input_tokens, run.output_tokens, run.unpriced, run.unknown_usage, run.status) == (
            6 * one.cost, 6 * one.input_tokens, 6 * one.output_tokens, 0, 0, "success",
        )  # fmt: skip
    with Archive(tmp_path / "journal.db") as archive:
        assert archive.run(support.run_id) == support
        assert archive.children(outer.run_id) == [support]
        costs = read_costs(archive)
    assert costs.total().cost == 7 * one.cost == sum((group.cost for group in costs.by("model")), Decimal(0))


def test_a_run_that_a_child_opens_is_in_its_parents(ended, runs_of, tmp_path):
    ended(
        FORKING
        + """
    def work():
        with spanledger.run("inner"):
            call()

    spanledger.configure()
    with spanledger.run("outer"):
        forked(work)
    """
    )
    runs = {run.name: run for run in runs_of()}
    assert accounts(runs.values()) == {"outer": (1, 0, 0, 1), "inner": (1, 0, 0, 1)}
    assert runs["inner"].parent_id == runs["outer"].run_id
    with Archive(tmp_path / "journal.db") as archive:
        costs = {group.name: group.cost for group in read_costs(archive).by("agent")}
    assert costs == {"outer": 0, "inner": runs["inner"].cost}


def test_a_child_that_leaves_the_run_by_itself_does_not_end_it(ended, runs_of):
    ended(
        FORKING
        + """
    import os
    spanledger.configure()
    with spanledger.run("support"):
        call()
        pid = os.fork()
        call()
        if pid:
            assert os.waitpid(pid, 0)[1] == 0
            call()
    """
    )
    (run,) = runs_of()
    assert (run.model_calls, run.status) == (4, "success")


def test_a_user_who_is_forgotten_is_forgotten_with_what_children_used(ended, tmp_path):
    ended(
        FORKING
        + """
    spanledger.configure()
    with spanledger.run("support", user_id="u-7"):
        forked(call)
    """
    )
    with Archive(tmp_path / "journal.db") as archive:
        assert len(archive.ask("SELECT * FROM shares")) == 1
        assert archive.delete_user("u-7")[0] == 1
        assert not archive.ask("SELECT * FROM shares")
