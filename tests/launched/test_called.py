"""Runs that answer the requests of other processes' runs."""

from __future__ import annotations

import textwrap

import pytest

from processes import LAUNCHER
from spanledger.journal import Archive
from spanledger.report.costs import read_costs

CALLEE = """
    import json, os, sys, openai, spanledger
    from opentelemetry import propagate, trace
    from opentelemetry.context import attach
    attach(propagate.extract(json.loads(sys.argv[1])))
    spanledger.configure(agent="callee")
    def call():
        openai.OpenAI().chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hi"}])
    how = os.environ["HOW"]
    if how == "entered":
        with spanledger.run("callee"):
            call()
    elif how == "server request":
        with trace.get_tracer("web").start_as_current_span("POST /", kind=trace.SpanKind.SERVER):
            call()
    elif how == "killed":
        try:
            call()
        except spanledger.Killed:
            print("stopped")
    else:
        call()
"""
CALLER = """
    import json, subprocess, sys, openai, spanledger
    from opentelemetry import propagate
    spanledger.configure(propagate_runs=True)
    with spanledger.run("caller", session_id="s-1", user_id="u-7") as run:
        with run.step():
            openai.OpenAI().chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hi"}])
            brought = {}
            propagate.inject(brought)
            assert "u-7" not in str(brought)
            subprocess.run([sys.executable, "callee.py", json.dumps(brought)], check=True)
"""


@pytest.fixture
def called(ended, tmp_path):
    def called(how, caller=CALLER, *command, **env):
        (tmp_path / "callee.py").write_text(textwrap.dedent(CALLEE))
        return ended(caller, *command, HOW=how, **env)

    return called


@pytest.mark.parametrize("how", ["entered", "server request", "neither"])
def test_a_run_says_whose_request_it_answers(called, runs_of, tmp_path, how):
    called(how)
    runs = {run.name: run for run in runs_of()}
    caller, callee = runs["caller"], runs["callee"]
    assert (callee.called_by, callee.parent_id, callee.session_id, callee.user_id) == (caller.run_id, None, "s-1", None)
    assert callee.trace_id == caller.trace_id
    assert (caller.model_calls, callee.model_calls) == (1, 1)
    assert caller.cost == callee.cost > 0
    with Archive(tmp_path / "journal.db") as archive:
        assert [run.run_id for run in archive.children(caller.run_id)] == [callee.run_id]
        (above,) = [s for s in archive.spans(callee.run_id) if s.span_id == callee.span_id]
        assert above.attributes["agent.run.called_by"] == caller.run_id
        costs = read_costs(archive)
        assert costs.total().cost == 2 * caller.cost
        assert {group.name: group.cost for group in costs.by("agent")} == {"caller": caller.cost, "callee": callee.cost}
        assert archive.delete_user("u-7")[0] == 2


def test_nothing_travels_unless_somebody_says_so(called, runs_of):
    called("entered", CALLER.replace("propagate_runs=True", ""))
    runs = {run.name: run for run in runs_of()}
    assert (runs["callee"].called_by, runs["callee"].session_id) == (None, None)
    assert runs["callee"].trace_id == runs["caller"].trace_id


def test_under_the_launcher_it_is_a_variable(called, runs_of):
    called("entered", CALLER.replace("spanledger.configure(propagate_runs=True)", ""), *LAUNCHER, SPANLEDGER_PROPAGATE_RUNS="1",
           OTEL_TRACES_EXPORTER="none", OTEL_METRICS_EXPORTER="none", OTEL_LOGS_EXPORTER="none")  # fmt: skip
    runs = {run.name: run for run in runs_of()}
    assert runs["callee"].called_by == runs["caller"].run_id


@pytest.mark.parametrize("told", ["x", "a" * 31, "A" * 32, "a" * 33, "%00" * 32, ""])
def test_what_is_no_id_of_a_run_is_left_alone(ended, runs_of, tmp_path, told):
    program = CALLEE.replace("json.loads(sys.argv[1])", repr({"baggage": f"agent.run.id={told},session.id=s"}))
    ended(program, HOW="entered")
    (run,) = runs_of()
    assert (run.called_by, run.session_id) == (None, None)


def test_a_process_that_asks_itself_has_one_run_in_the_other(ended, runs_of):
    ended("""
    import openai, spanledger
    from opentelemetry import propagate, context
    spanledger.configure(propagate_runs=True)
    brought = {}
    with spanledger.run("caller", user_id="u-7"):
        propagate.inject(brought)
        token = context.attach(propagate.extract(brought, context.Context()))
        with spanledger.run("callee"):
            openai.OpenAI().chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hi"}])
        context.detach(token)
    """)
    runs = {run.name: run for run in runs_of()}
    assert (runs["callee"].parent_id, runs["callee"].called_by) == (runs["caller"].run_id, None)
    assert runs["callee"].user_id == runs["caller"].user_id is not None
    assert runs["caller"].cost == runs["callee"].cost > 0


def test_who_kills_the_caller_stops_what_it_called(called):
    """Through the store that both see."""
    caller = CALLER.replace("propagate_runs=True)", "propagate_runs=True)\n    made = spanledger.setup.current()").replace(
        "            brought = {}", """
            from spanledger.cli import main
            made.force_flush()
            main(["kill", run.id, "--why", "test"], standalone_mode=False)
            brought = {}""")  # fmt: skip
    out, _ = called("killed", caller.replace("\n            \n", "\n"))
    assert out.splitlines()[-1] == "stopped"


def test_no_run_brings_the_step_of_another_one(ended):
    ended("""
    import spanledger
    from opentelemetry import baggage, propagate
    from opentelemetry.context import Context, attach, detach
    from spanledger.frameworks._baggage import carried

    def brought():
        headers, meta = {}, carried()
        propagate.inject(headers)
        found = {baggage.get_baggage("agent.step.id", propagate.extract(each, Context())) for each in (headers, meta)}
        assert len(found) == 1, (headers, meta)
        return headers, found.pop()

    spanledger.configure(propagate_runs=True)
    with spanledger.run("outer") as outer:
        with outer.step():
            headers, step = brought()
            assert step == f"{outer.id}.1"
            with spanledger.run("inner"):
                assert brought()[1] is None
            assert brought()[1] == step
    token = attach(propagate.extract(headers, Context()))
    with spanledger.run("callee") as callee:
        assert brought()[1] is None
        with callee.step():
            assert brought()[1] == f"{callee.id}.1"
    detach(token)
    """)
