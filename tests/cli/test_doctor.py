"""What is wrong is found and said with what to do; looking changes nothing."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import sys
from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest

from recorded import SUPPORT
from spanledger import named_exporters, shield
from spanledger.instrument import TOOLS
from spanledger.journal import Journal
from spanledger.notes import note, noted
from spanledger.providers import Adapter, Seam
from spanledger.report import checks
from spanledger.report.checks import _clients as clients
from spanledger.report.checks import _exporters as exporters
from spanledger.report.checks import _others as others
from spanledger.report.checks import _ways as ways
from spanledger.report.checks._finding import surroundings
from spanledger.understood import REFUSED

OURS = [
    EntryPoint("spanledger", "spanledger.launch:Configurator", "opentelemetry_configurator"),
    EntryPoint("spanledger", "spanledger.launch:Instrumentor", "opentelemetry_instrumentor"),
    *(
        EntryPoint(name, "opentelemetry.sdk.trace.export:ConsoleSpanExporter", "opentelemetry_traces_exporter")
        for name in ("spanledger", "otlp_proto_http")
    ),
]
GRPC = EntryPoint("otlp_proto_grpc", OURS[-1].value, OURS[-1].group)


@pytest.fixture
def points(monkeypatch):
    """The entry points that are installed; ours at first."""
    found = list(OURS)
    for module in (ways, others):
        monkeypatch.setattr(module, "group", lambda name: [point for point in found if point.group == name])
    monkeypatch.setattr(
        named_exporters, "entry_points", lambda group: [point for point in found if point.group == group]
    )
    return found


def problems(findings):
    return [finding.text for finding in findings if finding.level == "problem"]


def texts(findings):
    return " | ".join(finding.text for finding in findings)


def look(check, **environ):
    return check(surroundings(environ))


def test_a_place_where_all_is_fine(call, points):
    result = call("doctor")
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "all fine")
    assert "opentelemetry-instrument and spanledger exec: ready" in result.output
    found = json.loads(call("doctor", "--json").output)
    assert (found["schema"], found["problems"]) == ("spanledger.doctor/1", 0)
    assert set(found["areas"]) == {"configuration", *checks.CHECKS}


def test_looking_changes_nothing(call, points, path):
    call("doctor")
    assert not path.parent.exists()


def test_findings_that_matter_are_the_exit_code(call, points, monkeypatch):
    monkeypatch.setenv("SPANLEDGER_REDACT", "false")
    result = call("doctor")
    assert result.exit_code == 1
    assert "PROBLEM redaction is off" in result.output
    assert result.output.splitlines()[-1] == "1 problem found"


def test_a_configuration_that_cannot_be_understood_is_a_finding(call, points, monkeypatch):
    monkeypatch.setenv("SPANLEDGER_CONTENT", "yes")
    result = call("doctor")
    assert result.exit_code == 1
    assert "PROBLEM unknown variable SPANLEDGER_CONTENT" in result.output
    assert "redaction is on" in result.output


def test_what_a_program_left_out_when_it_started_is_said_until_it_starts_without(call, points, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/srv/agent.py"])
    note(REFUSED, ["budget_steps is 'x'"])
    result = call("doctor")
    assert result.exit_code == 1
    assert re.search(r"PROBLEM /srv/agent.py \(started [^)]*\): budget_steps is 'x'", result.output)
    note(REFUSED, [])
    assert call("doctor").exit_code == 0


@pytest.mark.parametrize(
    ("given", "program"),
    [
        (["python", "-X", "dev", "-u", "/srv/a.py", "x"], "/srv/a.py"), (["python", "-m", "my.agent"], "-m my.agent"),
        (["python", "-c", "pass"], sys.executable), (["python"], sys.executable),
    ],
)  # fmt: skip
def test_a_program_has_a_name_before_python_has_looked_at_it(given, program, monkeypatch):
    monkeypatch.delattr(sys, "argv")
    monkeypatch.setattr(sys, "orig_argv", given)
    note("kind", ["wrong"])
    assert [each["program"] for each in noted("kind")] == [program]


def test_tools_that_are_none_and_modules_that_are_not_there(call, points, monkeypatch):
    monkeypatch.setenv("SPANLEDGER_TOOLS", "spanledger.cli:*,time:sleep,__main__:look,no_such_module.tools:*")
    assert call("doctor").exit_code == 0
    assert "SPANLEDGER_TOOLS: there is no module 'no_such_module' to be found from here" in call("doctor").output
    assert call("doctor").output.count("there is no module") == 1
    note(TOOLS, ["tools:Box is a class"])
    result = call("doctor")
    assert result.exit_code == 1
    assert "SPANLEDGER_TOOLS: tools:Box is a class" in result.output


def test_a_check_that_fails_does_not_hide_the_others(call, points, monkeypatch):
    def broken(around):
        raise RuntimeError("no idea")

    shield.strict(False)

    monkeypatch.setitem(checks.CHECKS, "clients", broken)
    result = call("doctor")
    assert "could not be examined: RuntimeError: no idea" in result.output
    assert "redaction is on" in result.output


def test_who_sets_the_sdk_up(points):
    points.insert(0, EntryPoint("acme", "acme:Configurator", "opentelemetry_configurator"))
    points.append(EntryPoint("acme", "acme:Distro", "opentelemetry_distro"))
    assert "lets 'acme' set the SDK up" in problems(look(ways.ways))[0]
    assert "'acme' sets defaults of its own" in texts(look(ways.ways))
    ours = look(ways.ways, OTEL_PYTHON_CONFIGURATOR="spanledger", OTEL_PYTHON_DISTRO="spanledger")
    assert problems(ours) == []
    assert "acme" not in texts(ours)


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"OTEL_SDK_DISABLED": "true"}, "the SDK records nothing"),
        ({"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "redis, spanledger"}, "does not start spanledger"),
        ({"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "*"}, "does not start spanledger"),
        ({"OTEL_CONFIG_FILE": "/nowhere.yaml"}, "can't be read"),
    ],
)
def test_what_keeps_us_out(points, environ, said):
    assert said in texts(f for f in look(ways.ways, **environ) if f.level == "problem")


def test_without_entry_points_the_launcher_does_not_know_us(points):
    points.clear()
    assert "pip install spanledger" in problems(look(ways.ways))[0]


DECLARED = "file_format: '1.0'\ntracer_provider: {processors: ["


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (DECLARED + "{batch: {exporter: {spanleger: {}}}}]}", "'spanleger'; did you mean 'spanledger'?"),
        (DECLARED.replace("processors", "procesors") + "]}", "'procesors' was unexpected"),
        (DECLARED.replace("1.0", "9.0") + "{batch: {exporter: {spanledger: {}}}}]}", "file_format '9.0'"),
        ("tracer_provider: [", "Failed to parse YAML"),
    ],
)
def test_a_declarative_configuration_that_the_sdk_cannot_use(points, tmp_path, text, said, caplog):
    file = tmp_path / "otel.yaml"
    file.write_text(text)
    points.append(EntryPoint("spanledger", "spanledger.launch:SpanledgerExporter", "opentelemetry_traces_exporter"))
    (told,) = problems(look(ways.ways, OTEL_CONFIG_FILE=str(file)))
    assert f"{file} can't be used: " in told
    assert said in told
    assert not caplog.records


def test_the_ways_that_can_be_seen(points, tmp_path):
    file = tmp_path / "otel.yaml"
    file.write_text(f"{DECLARED}{{batch: {{exporter: {{spanledger: {{}}}}}}}}]}}")
    found = look(
        ways.ways, OTEL_CONFIG_FILE=str(file), OTEL_TRACES_EXPORTER="spanledger",
        PYTHONPATH="/x/opentelemetry/instrumentation/auto_instrumentation",
    )  # fmt: skip
    assert problems(found) == []
    assert "this environment runs under it" in texts(found)
    assert "OTEL_TRACES_EXPORTER names spanledger" in texts(found)
    assert f"{file} names spanledger" in texts(found)


SEAM = Seam("collections", "OrderedDict.move_to_end", "OrderedDict.popitem", lambda client, args, kwargs: None)


@pytest.mark.parametrize(
    ("adapter", "level", "said"),
    [
        (Adapter("pytest", "pytest", "7.0", (SEAM,)), "ok", "watched in 2 places"),
        (Adapter("pytest", "pytest", "999", (SEAM,)), "note", "older than what is tested"),
        (Adapter("acme", "acme-llm", "1.0", (SEAM,)), "note", "acme-llm >= 1.0: not installed"),
        (Adapter("pytest", "pytest", "7.0", (Seam("collections", "OrderedDict.gone", None, SEAM.recognize),)),
         "problem", "has no collections.OrderedDict.gone"),
        (Adapter("pytest", "pytest", "7.0", (Seam("no_such_module", "X.y", None, SEAM.recognize),)),
         "problem", "has no no_such_module; calls"),
        (Adapter("pytest", "pytest", "7.0", (SEAM, Seam("collections.gone", "X.y", None, SEAM.recognize))),
         "ok", "watched in 2 places"),
    ],
)  # fmt: skip
def test_clients_and_their_seams(monkeypatch, adapter, level, said):
    monkeypatch.setattr(clients, "ADAPTERS", (adapter,))
    [finding] = look(clients.clients)
    assert finding.level == level
    assert said in finding.text


def test_calls_that_would_be_traced_twice(points, monkeypatch):
    monkeypatch.setattr(others, "ADAPTERS", (Adapter("openai", "openai", "1.0", ()),))
    for name in ("openai", "openai_agents", "redis", "openlit"):
        points.append(EntryPoint(name, f"acme.{name}:Instrumentor", "opentelemetry_instrumentor"))
    found = look(others.others)
    assert len(problems(found)) == 2
    assert "traces openai too" in problems(found)[0]
    assert "traces every client too" in problems(found)[1]
    assert "also loads openai_agents, redis" in texts(found)
    assert problems(look(others.others, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="openai,openlit")) == []


def test_where_spans_go(points):
    assert "spans stay in the journal" in texts(look(exporters.exporters))
    [finding] = look(exporters.exporters, OTEL_EXPORTER_OTLP_ENDPOINT="http://localhost:4318")
    assert finding.text == "otlp over http/protobuf to http://localhost:4318/v1/traces"
    found = look(
        exporters.exporters, OTEL_TRACES_EXPORTER="otlp,console", OTEL_EXPORTER_OTLP_HEADERS="api-key=hush,x=y",
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="http://me:hush@collector.example:4318/in?token=hush",
    )  # fmt: skip
    assert "http://collector.example:4318/in, with headers api-key, x" in found[0].text
    assert "unencrypted" in found[1].text
    assert "'console', which nothing installed here provides" in found[2].text
    assert "hush" not in str(found)


def test_grpc_without_its_exporter_is_a_problem(points, monkeypatch):
    monkeypatch.setattr(exporters, "installed", lambda name: None)
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    found = look(exporters.exporters, **environ)
    assert "otlp over grpc to http://localhost:4317" in found[0].text
    assert problems(found) == ["grpc needs opentelemetry-exporter-otlp-proto-grpc, which is not installed"]


def test_an_exporter_that_nothing_provides_is_a_problem_with_a_remedy(points):
    found = look(exporters.exporters, OTEL_TRACES_EXPORTER="otlp", OTEL_EXPORTER_OTLP_PROTOCOL="grpc")
    assert [each.level for each in found] == ["problem", "note"]
    assert "pip install 'spanledger[grpc]'" in found[0].text
    assert found[1].text == "spans stay in the journal"


def test_the_state_of_the_journal(call, points, recorded_path):
    assert f"{recorded_path}: format 5, 1 runs," in call("doctor").output
    recorded_path.chmod(0o644)
    # reading makes it private again, as writing does
    assert "mode 0600, writable" in call("doctor").output


def test_a_locked_journal_and_what_it_cost(call, points, recorded_path):
    other = sqlite3.connect(recorded_path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    journal = Journal(recorded_path, days=100_000, busy=0.01, retry=0)
    assert not journal.write_runs([SUPPORT])
    locked = call("doctor")
    other.execute("ROLLBACK")
    other.close()
    assert journal.write_runs([SUPPORT])
    assert locked.exit_code == 1
    assert "can't be written: database is locked" in locked.output
    after = call("doctor")
    assert after.exit_code == 0
    assert "1 runs could not be written at some time" in after.output


def test_a_damaged_journal_and_one_set_aside(call, points, path):
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no journal at all" * 100)
    assert "PROBLEM can't read the journal" in call("doctor").output
    Journal(path).write_runs([SUPPORT])
    result = call("doctor")
    assert result.exit_code == 0
    assert f"set aside as damaged: {path}.corrupt-" in result.output


def test_the_hash_key(call, points, monkeypatch, path):
    assert "no hash key yet" in call("doctor").output
    monkeypatch.setenv("SPANLEDGER_HASH_KEY", "c2hvcnQ=")
    assert "must be base64 of at least 32 random bytes" in call("doctor").output
    monkeypatch.delenv("SPANLEDGER_HASH_KEY")
    path.parent.mkdir(parents=True)
    key = path.parent / "hash.key"
    key.write_text("A" * 43 + "=")
    key.chmod(0o644)
    assert f"others can read the hash key: chmod 600 {key}" in call("doctor").output
    key.chmod(0o600)
    assert f"from {key}" in call("doctor").output


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"OTEL_TRACES_EXPORTER": "none"}, "spans stay in the journal"),
        ({"OTEL_TRACES_EXPORTER": "spanledger"}, "no OTLP endpoint is set"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x:port"}, "is no address"),
        ({"OTEL_TRACES_SAMPLER": "traceidratio"}, "accounting is complete, spans may be not"),
        ({"OTEL_TRACES_EXPORTER": "otlp_proto_grpc"}, "over grpc to http://localhost:4317"),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "over grpc to http://localhost:4317"),
        ({"OTEL_METRICS_EXPORTER": "x"}, "OTEL_METRICS_EXPORTER names 'x', which nothing installed here provides"),
    ],
)
def test_exporters_in_words(points, environ, said):
    points.append(GRPC)
    assert said in texts(look(exporters.exporters, **environ))


def test_a_journal_that_is_off_or_cannot_be(call, points, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("SPANLEDGER_JOURNAL", str(tmp_path / "file" / "journal.db"))
    assert f"can't be made, {tmp_path / 'file'} can't be written" in call("doctor").output
    monkeypatch.setenv("SPANLEDGER_JOURNAL_OFF", "1")
    assert "off (SPANLEDGER_JOURNAL_OFF)" in call("doctor").output


def test_who_is_known_to_trace_beside_us_and_what_becomes_of_it(points, monkeypatch):
    distribution = SimpleNamespace(name="opentelemetry-instrumentation-openai", version="0.62")
    point = EntryPoint("openai", "theirs:Instrumentor", "opentelemetry_instrumentor")
    vars(point)["dist"] = distribution
    points.append(point)
    monkeypatch.setattr(others, "installed", lambda name: "1.45" if name in ("openlit", "langfuse") else None)
    found = look(others.others)
    assert problems(found) == []
    assert "OpenLLMetry traces openai too: a call has one span" in texts(found)
    assert "OpenLIT (openlit 1.45) is here; where a program starts it, a call has one span" in texts(found)
    assert "Langfuse (langfuse 1.45) is here; a program that starts it may trace calls twice" in texts(found)


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "kept silent while we watch, by ACME_SPEAKS=no"),
        ({"ACME_SPEAKS": "yes"}, "(ACME_SPEAKS=yes): where it does, a call has one span, the client's, completed"),
        ({"SPANLEDGER_NATIVE_SPANS": "true"}, "(SPANLEDGER_NATIVE_SPANS): where it does, a call has one span"),
    ],
)  # fmt: skip
def test_what_becomes_of_the_spans_that_a_client_makes_itself(points, monkeypatch, environ, said):
    speaking = Adapter("pytest", "pytest", "1.0", (), quiet=("ACME_SPEAKS", "no"), voices=("pytest:fixture",))
    silent = Adapter("wrapt", "wrapt", "1.0", (), quiet=("WRAPT_SPEAKS", "no"), voices=("wrapt:gone", "gone:gone"))
    monkeypatch.setattr(others, "ADAPTERS", (speaking, silent))
    assert said in texts(look(others.others, **environ))
    assert "wrapt" not in texts(look(others.others, **environ)).split("opentelemetry")[0]


def test_a_client_that_begins_its_spans_where_nobody_knows_is_a_problem(points, monkeypatch):
    moved = Adapter(
        "pytest", "pytest", "1.0", (), quiet=("ACME_SPEAKS", "no"), voices=("pytest:gone",), speaks="pytest:Item.name"
    )
    monkeypatch.setattr(others, "ADAPTERS", (moved,))
    (found,) = problems(look(others.others))
    assert "kept silent while we watch, by ACME_SPEAKS=no" in found
    assert "two spans beside another instrumentation" in found


def test_a_full_disk_is_a_problem(call, points, recorded_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=4096))
    result = call("doctor")
    assert result.exit_code == 1
    assert "can't be written: the disk is full, 4,096 bytes are free" in result.output
