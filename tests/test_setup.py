"""The four ways in, each in a process of its own, and how such a process ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanledger.journal import Archive, Journal, RunRow
from spanledger.testing import ScriptedServer

BIN = Path(sys.executable).parent
AGENT = """
    import openai
    client = openai.OpenAI()
    said = client.chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": "I am dana@example.com"}]
    )
    print(said.choices[0].message.content)
"""


class Sink:
    """A collector on loopback that keeps what it is sent."""

    def __init__(self):
        self.bodies = []
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                sink.bodies.append(body)
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self.server.shutdown()
        self.server.server_close()

    @property
    def spans(self):
        found = []
        for body in self.bodies:
            request = ExportTraceServiceRequest.FromString(body)
            found += [s for r in request.resource_spans for scope in r.scope_spans for s in scope.spans]
        return found


@pytest.fixture
def model():
    with ScriptedServer(["Hello"] * 20) as server:
        yield server


@pytest.fixture
def start(tmp_path, model):
    def start(code, *command, **env):
        program = tmp_path / "agent.py"
        program.write_text(textwrap.dedent(code))
        environ = {k: v for k, v in os.environ.items() if not k.startswith(("OTEL_", "SPANLEDGER_"))}
        environ |= {
            "OPENAI_BASE_URL": f"{model.url}/v1", "OPENAI_API_KEY": "none", "HOME": str(tmp_path),
            "XDG_STATE_HOME": str(tmp_path / "state"), "SPANLEDGER_JOURNAL": str(tmp_path / "journal.db"),
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY", "PATH": f"{BIN}:{os.environ['PATH']}",
        }  # fmt: skip
        command = command or (sys.executable,)
        return subprocess.Popen(
            [*command, str(program)], env=environ | env, cwd=tmp_path, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    return start


@pytest.fixture
def ended(start):
    def ended(code, *command, **env):
        process = start(code, *command, **env)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        return out, err

    return ended


@pytest.fixture
def runs_of(tmp_path):
    def runs_of():
        with Archive(tmp_path / "journal.db") as archive:
            return archive.runs()

    return runs_of


LAUNCHER = (str(BIN / "opentelemetry-instrument"), sys.executable)
EXEC = (str(BIN / "spanledger"), "exec", sys.executable)


@pytest.mark.parametrize("command", [LAUNCHER, EXEC], ids=["opentelemetry-instrument", "spanledger exec"])
def test_without_a_line_of_code(command, ended, runs_of, tmp_path):
    with Sink() as sink:
        out, _ = ended(AGENT, *command, OTEL_EXPORTER_OTLP_ENDPOINT=sink.url)
    assert out == "Hello\n"
    (run,) = runs_of()
    assert run.stop_reason == "completed"
    (span,) = sink.spans
    assert span.name == "chat gpt-4o-mini"
    sent = b"".join(sink.bodies) + (tmp_path / "journal.db").read_bytes()
    assert b"dana@example.com" not in sent
    assert b"[EMAIL" in sent


def test_by_name(ended, runs_of):
    with Sink() as sink:
        ended(AGENT, *LAUNCHER, OTEL_EXPORTER_OTLP_ENDPOINT=sink.url, OTEL_TRACES_EXPORTER="spanledger")
    assert [span.name for span in sink.spans] == ["chat gpt-4o-mini"]
    assert b"dana@example.com" not in b"".join(sink.bodies)
    assert len(runs_of()) == 1


def test_in_a_declarative_configuration_file(ended, runs_of, tmp_path):
    config = tmp_path / "otel.yaml"
    config.write_text(
        "file_format: '1.0'\ntracer_provider:\n  processors:\n    - batch:\n        exporter:\n          spanledger: {}\n"
    )
    with Sink() as sink:
        _, err = ended(AGENT, *LAUNCHER, OTEL_EXPORTER_OTLP_ENDPOINT=sink.url, OTEL_CONFIG_FILE=str(config))
    assert [span.name for span in sink.spans] == ["chat gpt-4o-mini"], err
    assert b"dana@example.com" not in b"".join(sink.bodies)
    assert len(runs_of()) == 1


IN_CODE = """
    import spanledger
    made = spanledger.configure(agent="support")
""" + AGENT


def test_in_code(ended, runs_of):
    with Sink() as sink:
        ended(IN_CODE, OTEL_EXPORTER_OTLP_ENDPOINT=sink.url)
    assert [span.name for span in sink.spans] == ["chat gpt-4o-mini"]
    (run,) = runs_of()
    assert (run.name, run.stop_reason) == ("support", "completed")


IN_PLACE = """
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    before, after = InMemorySpanExporter(), InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(before))
    trace.set_tracer_provider(provider)
    {how}
    provider.add_span_processor(SimpleSpanProcessor(after))
""" + AGENT + """
    provider.force_flush()
    for exporter in (before, after):
        (span,) = exporter.get_finished_spans()
        assert "dana" not in span.attributes["gen_ai.input.messages"], span.attributes
        assert span.attributes["gen_ai.usage.cost.amount"] > 0
"""


@pytest.mark.parametrize(
    "how",
    [
        "import spanledger; spanledger.configure()",
        "import spanledger as s, spanledger.instrument as i; provider.add_span_processor(s.LedgerSpanProcessor()); i.instrument()",
    ],
    ids=["configure", "one span processor"],
)
def test_in_an_existing_set_up_every_exporter_is_protected_whatever_the_order(how, ended):
    ended(IN_PLACE.replace("{how}", how))


def test_a_collector_that_is_not_there_loses_nothing(ended, runs_of, tmp_path):
    ended(AGENT, *LAUNCHER, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", SPANLEDGER_FLUSH_SECONDS="1")
    assert len(runs_of()) == 1
    with Archive(tmp_path / "journal.db") as archive:
        assert len(archive.spans(runs_of()[0].run_id)) == 1


def test_a_configuration_that_means_nothing_does_not_stop_the_program(ended):
    out, err = ended(AGENT, *LAUNCHER, SPANLEDGER_REDAKT="1")
    assert out == "Hello\n"
    assert "unknown variable SPANLEDGER_REDAKT; did you mean 'SPANLEDGER_REDACT'?" in err
    assert "Traceback" not in err


def test_a_journal_that_cannot_be_written_does_not_stop_the_program(ended, tmp_path):
    (tmp_path / "file").write_text("")
    out, err = ended(AGENT, *LAUNCHER, SPANLEDGER_JOURNAL=str(tmp_path / "file" / "journal.db"))
    assert out == "Hello\n"
    assert "Traceback" not in err


def waits_for(process, line):
    assert process.stdout.readline().strip() == line


RUNNING = """
    import time, spanledger
    spanledger.configure()
    with spanledger.run("slow") as run:
        with run.step():
            print("in", flush=True)
            time.sleep(600)
"""


def test_a_process_that_is_terminated_says_how_its_runs_ended(start, runs_of):
    process = start(RUNNING)
    waits_for(process, "in")
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGTERM, err
    (run,) = runs_of()
    assert (run.stop_reason, run.steps) == ("cancelled", 1)


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


def test_configuring_again_replaces_and_shutting_down_takes_everything_back(ended):
    ended("""
        import openai, spanledger
        request = vars(openai._base_client.SyncAPIClient)["request"]
        first = spanledger.configure(journal_off=True)
        second = spanledger.configure(journal_off=True)
        assert vars(openai._base_client.SyncAPIClient)["request"] is not request
        second.shutdown()
        assert vars(openai._base_client.SyncAPIClient)["request"] is request
    """)


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


def test_runs_are_listed_as_json(ended, tmp_path):
    ended(IN_CODE)
    done = subprocess.run(
        [BIN / "spanledger", "show", "latest", "--json"], capture_output=True, text=True, check=True,
        env={**os.environ, "SPANLEDGER_JOURNAL": str(tmp_path / "journal.db")},
    )  # fmt: skip
    assert json.loads(done.stdout)["run"]["stop_reason"] == "completed"


CALLING = """
    import openai, spanledger, sys
    def call(name):
        with spanledger.run(name):
            openai.OpenAI().chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "hi"}])
"""


def spans_of(tmp_path):
    with Archive(tmp_path / "journal.db") as archive:
        return {run.name: sorted(span.name for span in archive.spans(run.run_id)) for run in archive.runs()}


def both(name):
    return {name: ["chat gpt-4o-mini", f"invoke_agent {name}"]}


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
    import atexit, os, signal, threading, spanledger.setup as setup
    made, within = setup.current(), setup.within
    def interrupted(*args):
        os.kill(os.getpid(), signal.SIGTERM)
        return within(*args)
    setup.within = interrupted
    """, *LAUNCHER,
    )  # fmt: skip
    _, err = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGTERM, err
    assert spans_of(tmp_path) == both("done")


@pytest.mark.parametrize("kind", ["fork", "spawn", "forkserver"])
@pytest.mark.skipif(os.name == "nt", reason="there are no forks")
def test_under_the_launcher_children_deliver_what_they_did(ended, tmp_path, kind):
    ended(
        CALLING + f"""
    import multiprocessing
    if __name__ == "__main__":
        child = multiprocessing.get_context("{kind}").Process(target=call, args=("child",))
        child.start()
        child.join()
        sys.exit(child.exitcode)
    """, *LAUNCHER,
    )  # fmt: skip
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
    assert err.count("2 spans were left unsent after 1.5 s") == 1
    with Archive(tmp_path / "journal.db") as archive:
        [run] = archive.runs()
        [(exporter, found)] = archive.unsent(run.run_id).items()
        assert (exporter, found["spans"]) == ("OTLPSpanExporter (http://127.0.0.1:9/v1/traces)", 2)
    assert "shutdown can only be called once" not in err
    assert "Traceback" not in err
    assert spans_of(tmp_path) == both("done")


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


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"SPANLEDGER_TOOLS": "nothing"}, "'nothing' names no tool"),
        ({"SPANLEDGER_HASH_KEY": "zz"}, "must be base64 of at least 32"),
        ({"SPANLEDGER_LIMITS_STORE": "carrier-pigeon"}, "carrier-pigeon"),
        ({"SPANLEDGER_PRICES": "nowhere.toml"}, "nowhere.toml"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}, "http/json"),
        ({"OTEL_TRACES_EXPORTER": "otpl"}, "did you mean 'otlp'?"),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}, "http/json"),
        ({"OTEL_METRICS_EXPORTER": "nothing"}, "OTEL_METRICS_EXPORTER names 'nothing'"),
        ({"OTEL_PYTHON_ID_GENERATOR": "nothing"}, "'nothing' not found"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_once_and_the_program_is_watched_all_the_same(wrong, said, ended, tmp_path):
    out, err = ended(AGENT, *LAUNCHER, **wrong)
    assert out == "Hello\n"
    assert err.count(said) == 1, err
    assert "Traceback" not in err
    [path] = [*tmp_path.rglob("journal.db")]  # where it was to be, or where the safe defaults put it
    with Archive(path) as archive:
        assert [run.stop_reason for run in archive.runs()] == ["completed"]


def test_brakes_hold_though_something_else_that_was_set_is_wrong(ended, tmp_path):
    (tmp_path / "spanledger.yaml").write_text(
        "budgets:\n"
        "  - {tokens: 3, action: stop, retires: 4}\n"
        "  - {scope: usr, usd: 5, action: stop}\n"
        "price: 7\n",
        encoding="utf-8",
    )
    program = """
import openai, spanledger
client = openai.OpenAI()
try:
    client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Hi"}])
except spanledger.BudgetExceeded:
    print("stopped")
"""
    out, err = ended(program, *LAUNCHER, SPANLEDGER_PRICES="nowhere.toml")
    assert out == "stopped\n", err
    for said in ("'retires'; did you mean 'retries'?", "scope is 'usr'", "unknown setting 'price'", "nowhere.toml"):
        assert err.count(said) == 1, err


def test_otlp_without_a_protocol_is_what_is_installed(ended, runs_of):
    """The SDK's default is gRPC, which few have; then it would set up nothing."""
    out, err = ended(AGENT, *LAUNCHER, OTEL_TRACES_EXPORTER="otlp", OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9",
                     SPANLEDGER_FLUSH_SECONDS="3")  # fmt: skip
    assert out == "Hello\n"
    assert "not found in entry point" not in err
    assert [run.stop_reason for run in runs_of()] == ["completed"]
