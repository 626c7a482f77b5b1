"""How a process ends that is watched, and that what it did is delivered all the same."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from threading import Event, Thread

import pytest

from processes import AGENT, CALLING, LAUNCHER, both, spans_of, waits_for
from spanledger.journal import Archive, Journal, RunRow
from spanledger.testing import ScriptedServer


def test_a_collector_that_is_not_there_loses_nothing(ended, runs_of, tmp_path):
    ended(AGENT, *LAUNCHER, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", SPANLEDGER_FLUSH_SECONDS="1")
    assert len(runs_of()) == 1
    with Archive(tmp_path / "journal.db") as archive:
        assert len(archive.spans(runs_of()[0].run_id)) == 1


RUNNING = """
    import time, spanledger
    spanledger.configure()
    with spanledger.run("slow") as run:
        with run.step():
            print("in", flush=True)
            time.sleep(600)
"""


ENDINGS = [pytest.param(getattr(signal, name), id=name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


@pytest.mark.parametrize("number", ENDINGS)
def test_a_process_that_is_asked_to_end_says_how_its_runs_ended(number, start, runs_of):
    process = start(RUNNING)
    waits_for(process, "in")
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == -number, err
    (run,) = runs_of()
    assert (run.stop_reason, run.steps) == ("cancelled", 1)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there are no terminals that hang up")
def test_who_ignores_that_the_terminal_is_gone_still_does(ended):
    """As ``nohup`` has it."""
    out, _ = ended("""
        import signal
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        import os, spanledger
        made = spanledger.configure()
        os.kill(os.getpid(), signal.SIGHUP)
        made.shutdown()
        print(signal.getsignal(signal.SIGHUP) == signal.SIG_IGN)
    """)
    assert out == "True\n"


def test_handlers_of_the_program_are_theirs(ended):
    out, _ = ended("""
        import os, signal
        heard = []
        signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
        import spanledger
        made = spanledger.configure()
        os.kill(os.getpid(), signal.SIGTERM)
        print(heard == [signal.SIGTERM])
    """)
    assert out == "True\n"


def test_after_configuring_again_a_termination_delivers_what_is_going_on_now(start, runs_of):
    process = start(RUNNING.replace("spanledger.configure()", "spanledger.configure(); spanledger.configure()"))
    waits_for(process, "in")
    process.terminate()
    _, err = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGTERM, err
    assert [run.stop_reason for run in runs_of()] == ["cancelled"]


def test_shutting_down_gives_signals_back_and_shuts_nobody_else_down(ended):
    out, _ = ended("""
        import signal, spanledger, spanledger.setup as setup
        first = spanledger.configure(agent="one")
        second = spanledger.configure(agent="two")
        first.shutdown()
        assert signal.getsignal(signal.SIGTERM) != signal.SIG_DFL
        with spanledger.run() as run:
            print(run.id and setup.runs.current().run.name)
        second.shutdown()
        print(signal.getsignal(signal.SIGTERM) == signal.SIG_DFL)
    """)
    assert out == "two\nTrue\n"


@pytest.mark.skipif(os.name == "nt", reason="there are no signals")
def test_who_ends_by_ctrl_c_ends_as_by_ctrl_c(start, tmp_path):
    """A shell's loop goes on otherwise; while Python ends we compile things, and then it forgets."""
    process = start(
        CALLING + """
    import signal, os, spanledger.running as running
    call("done")
    within = running.within
    def compiling(*args):
        exec("pass")  # as dataclasses do, where a module is loaded at last
        return within(*args)
    running.within = compiling
    os.kill(os.getpid(), signal.SIGINT)
    """, *LAUNCHER,
    )  # fmt: skip
    _, err = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT, err
    assert err.endswith("KeyboardInterrupt\n")
    assert spans_of(tmp_path) == both("done")


@pytest.mark.skipif(os.name == "nt", reason="there are no signals")
def test_whoever_presses_ctrl_c_again_while_it_is_delivered_gets_no_traceback_of_ours(start):
    process = start(
        CALLING + """
    import signal, os, spanledger.running as running
    call("done")
    within = running.within
    def interrupted(*args):
        running.within = within
        os.kill(os.getpid(), signal.SIGINT)
        return within(*args)
    running.within = interrupted
    os.kill(os.getpid(), signal.SIGINT)
    """, *LAUNCHER,
    )  # fmt: skip
    _, err = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT, err
    assert err.count("Traceback") == 1, err


@pytest.mark.parametrize("kind", ["fork", "spawn"])
@pytest.mark.skipif(os.name == "nt", reason="there are no signals")
def test_a_worker_with_a_handler_of_its_own_hears_each_signal_once(ended, kind):
    out, _ = ended(
        f"""
    import multiprocessing, os, signal, threading, time, spanledger
    def work(heard):
        spanledger.configure()
        os.kill(os.getpid(), 0)
        def mine(number, frame):
            heard.value += 1
        signal.signal(signal.SIGTERM, mine)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1.5)  # in which a thread of ours would have asked again
    if __name__ == "__main__":
        context = multiprocessing.get_context("{kind}")
        heard = context.Value("i", 0)
        child = context.Process(target=work, args=(heard,))
        child.start()
        child.join(60)
        print(heard.value, child.exitcode)
    """,
        *LAUNCHER,
    )
    assert out == "1 0\n"


def test_a_process_that_is_killed_leaves_an_abandoned_run(start, runs_of):
    process = start(RUNNING)
    waits_for(process, "in")
    for _ in range(600):
        try:
            if [run.status for run in runs_of()] == ["running"]:
                break
        except Exception:  # noqa: BLE001 - the file is not there yet
            pass
        time.sleep(0.1)
    process.kill()
    process.communicate()
    assert [run.stop_reason for run in runs_of()] == ["abandoned"]


def test_a_forked_child_has_runs_of_its_own(ended, runs_of):
    ended("""
        import multiprocessing, spanledger
        def work():
            with spanledger.run("child"):
                pass
        if __name__ == "__main__":
            spanledger.configure()
            with spanledger.run("parent"):
                child = multiprocessing.get_context("fork").Process(target=work)
                child.start()
                child.join()
    """)
    found = {run.name: run.stop_reason for run in runs_of()}
    assert found["parent"] == "completed"
    assert found.get("child") == "completed"


def test_under_the_launcher_too_what_ended_before_a_termination_is_delivered(start, tmp_path):
    process = start(
        CALLING + """
    call("done")
    print("in", flush=True)
    import time; time.sleep(600)
    """, *LAUNCHER,
    )  # fmt: skip
    waits_for(process, "in")
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGTERM, err
    assert spans_of(tmp_path) == both("done")


def test_a_termination_while_the_program_ends_waits_for_the_end(start, tmp_path):
    process = start(
        CALLING + """
    call("done")
    import atexit, os, signal, threading, spanledger.running as running, spanledger.setup as setup
    made, within = setup.current(), running.within
    def interrupted(*args):
        os.kill(os.getpid(), signal.SIGTERM)
        return within(*args)
    running.within = interrupted
    """, *LAUNCHER,
    )  # fmt: skip
    _, err = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGTERM, err
    assert spans_of(tmp_path) == both("done")


def in_a_child(kind):
    """A program whose one call is made by a process that it started by *kind*."""
    return (
        CALLING
        + f"""
    import multiprocessing
    if __name__ == "__main__":
        child = multiprocessing.get_context("{kind}").Process(target=call, args=("child",))
        child.start()
        child.join()
        sys.exit(child.exitcode)
    """
    )


@pytest.mark.parametrize("kind", ["fork", "spawn", "forkserver"])
@pytest.mark.skipif(os.name == "nt", reason="there are no forks")
def test_under_the_launcher_children_deliver_what_they_did(ended, tmp_path, kind):
    ended(in_a_child(kind), *LAUNCHER)
    assert spans_of(tmp_path) == both("child")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
def test_a_child_that_is_forked_while_we_load_has_everything(ended, tmp_path):
    """Half an import stays half in the child; what is in the parent's queue is not the child's to miss."""
    _, err = ended(
        CALLING + """
    import os
    call("parent")  # prices, patterns and SQLite are being loaded by now
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
    else:
        call("child")
    """, *LAUNCHER,
    )  # fmt: skip
    assert spans_of(tmp_path) == both("parent") | both("child")
    assert "spanledger failed" not in err
    assert "unsent" not in err


def test_dead_collectors_of_all_signals_are_given_up_and_counted(ended, tmp_path):
    _, err = ended(
        CALLING + """
    call("done")
    """, *LAUNCHER,
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf",
        OTEL_METRICS_EXPORTER="otlp", OTEL_LOGS_EXPORTER="otlp", SPANLEDGER_FLUSH_SECONDS="1.5",
    )  # fmt: skip
    to = "OTLPSpanExporter (http://127.0.0.1:9/v1/traces)"
    assert err.count(f"2 spans were left unsent after 1.5 s, to {to}\n") == 1
    with Archive(tmp_path / "journal.db") as archive:
        [run] = archive.runs()
        [(exporter, found)] = archive.unsent(run.run_id).items()
        assert (exporter, found["spans"]) == ("OTLPSpanExporter (http://127.0.0.1:9/v1/traces)", 2)
    assert "shutdown can only be called once" not in err
    assert "Traceback" not in err
    assert spans_of(tmp_path) == both("done")


@pytest.mark.parametrize("kind", ["fork", "spawn"])
@pytest.mark.skipif(os.name == "nt", reason="there are no forks")
def test_a_worker_says_and_remembers_what_it_could_not_send(ended, tmp_path, kind):
    _, err = ended(
        in_a_child(kind), *LAUNCHER, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", SPANLEDGER_FLUSH_SECONDS="3",
    )  # fmt: skip
    assert err.count("2 spans were left unsent") == 1, err
    assert spans_of(tmp_path) == both("child")
    with Archive(tmp_path / "journal.db") as archive:
        [run] = archive.runs()
        assert [found["spans"] for found in archive.unsent(run.run_id).values()] == [2]


def test_a_collector_that_refuses_takes_no_time(ended):
    """It answers 404: there is nothing to wait for."""
    with ScriptedServer([]) as nobody:
        _, err = ended(CALLING + '    call("done")', *LAUNCHER, OTEL_EXPORTER_OTLP_ENDPOINT=f"{nobody.url}/nothing")
    assert "2 spans were left unsent, to OTLPSpanExporter (" in err


def test_without_any_time_the_journal_has_it_and_what_did_not_leave_is_said(ended, tmp_path):
    """On a busy machine the deadline may be over before a thread of ours has begun."""
    _, err = ended(
        CALLING + """
    import spanledger.running as running
    running.JOURNAL_SECONDS = 60
    call("done")
    """, *LAUNCHER,
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf",
        SPANLEDGER_FLUSH_SECONDS="0",
    )  # fmt: skip
    assert err.count("2 spans were left unsent after 0.0 s") == 1
    assert spans_of(tmp_path) == both("done")
    with Archive(tmp_path / "journal.db") as archive:
        [run] = archive.runs()
        assert [found["spans"] for found in archive.unsent(run.run_id).values()] == [2]


@pytest.mark.parametrize("kind", ["fork", "spawn"])
@pytest.mark.skipif(os.name == "nt", reason="there are no signals")
def test_a_worker_that_waits_for_a_lock_ends_when_it_is_asked_to(ended, tmp_path, kind):
    """The signal arrives while its main thread is about to wait, so that nothing wakes it up."""
    ended(
        CALLING + f"""
    import multiprocessing, signal, threading, time
    def work(lock, ready):
        call("child")
        def ask():
            time.sleep(0.5)  # or the main thread would hear of it on its way to the lock
            ready.set()
            signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
        threading.Thread(target=ask).start()
        lock.acquire()
    if __name__ == "__main__":
        context = multiprocessing.get_context("{kind}")
        lock, ready = context.Lock(), context.Event()
        lock.acquire()
        child = context.Process(target=work, args=(lock, ready))
        child.start()
        child.join(60)
        assert child.exitcode == -signal.SIGTERM, child.exitcode
    """, *LAUNCHER,
    )  # fmt: skip
    assert spans_of(tmp_path) == both("child")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
def test_a_child_does_not_inherit_the_journals_locks(tmp_path):
    """Forked in the middle of a write, a child would find the file busy for ever."""
    path, ready = tmp_path / "journal.db", Event()
    journal = Journal(path, busy=0.5)
    now = time.time_ns()
    run = RunRow(run_id="parent", started=now, heartbeat=now)

    def write():
        def slowly(connection):
            ready.set()
            time.sleep(0.3)  # the fork must come while the lock is held; it waits for us

        journal._write("runs", 1, slowly)

    assert journal.write_runs([run])
    writing = Thread(target=write)
    writing.start()
    ready.wait(60)
    pid = os.fork()
    if pid == 0:
        signal.alarm(30)
        os._exit(0 if journal.write_runs([replace(run, run_id="child")]) else 1)
    writing.join()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    with Archive(path) as archive:
        assert {each.run_id for each in archive.runs()} == {"parent", "child"}
    journal.close()
