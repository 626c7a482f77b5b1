"""Exporters by name: those that can be had, as the SDK finds them, and what is said of the others."""

from __future__ import annotations

import os
from importlib.metadata import EntryPoint

import pytest

from spanledger import named_exporters
from spanledger.named_exporters import examined, only, propagators

HTTP = EntryPoint(
    "otlp_proto_http", "opentelemetry.sdk.trace.export:ConsoleSpanExporter", "opentelemetry_traces_exporter"
)
GRPC = EntryPoint("otlp_proto_grpc", HTTP.value, HTTP.group)
CONSOLE = EntryPoint("console", HTTP.value, HTTP.group)
BROKEN = EntryPoint("broken", "spanledger.nothing_here:Exporter", HTTP.group)


@pytest.fixture
def points(monkeypatch):
    found = [HTTP, CONSOLE, BROKEN]
    monkeypatch.setattr(named_exporters, "entry_points", lambda group: [each for each in found if each.group == group])
    return found


@pytest.mark.parametrize("named", ["", "none", " None ", ","])
def test_nothing_named_is_nothing_wrong(named, points):
    assert examined("traces", {"OTEL_TRACES_EXPORTER": named}) == ([], [])


def test_those_that_can_be_had_are_kept(points):
    assert examined("traces", {"OTEL_TRACES_EXPORTER": "console, otlp"}) == (["console", "otlp_proto_http"], [])
    points.append(GRPC)
    assert examined("traces", {"OTEL_TRACES_EXPORTER": "otlp"}) == (["otlp_proto_grpc"], [])  # the SDK's own default
    environ = {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}
    assert examined("traces", environ) == (["otlp_proto_http"], [])


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"OTEL_TRACES_EXPORTER": "otpl"}, "names 'otpl', which nothing installed here provides; did you mean 'otlp'?"),
        ({"OTEL_TRACES_EXPORTER": "qqq"}, "valid: broken, console, none, otlp, otlp_proto_http"),
        ({"OTEL_TRACES_EXPORTER": "jaeger"}, "use 'otlp'"),
        ({"OTEL_TRACES_EXPORTER": "broken"}, "can't be imported: ModuleNotFoundError"),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"}, "spanledger[grpc]"),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}, "'http/json'"),
    ],
)  # fmt: skip
def test_those_that_cannot_are_told_with_what_to_do(environ, said, points):
    known, [wrong] = examined(
        "traces", {**environ, "OTEL_TRACES_EXPORTER": f"console,{environ['OTEL_TRACES_EXPORTER']}"}
    )
    assert known == ["console"]
    assert wrong.startswith("OTEL_TRACES_EXPORTER names")
    assert said in wrong


@pytest.mark.parametrize(
    ("named", "known", "said"),
    [
        (None, [], []),
        ("", [], []),
        ("tracecontext, baggage", ["tracecontext", "baggage"], []),
        ("None", ["None"], []),
        ("tracecontext,", ["tracecontext"], ["names ''"]),
        ("b4", [], ["names 'b4', which nothing installed here provides; valid: baggage, none, tracecontext"]),
        ("tracecontex", [], ["did you mean 'tracecontext'?"]),
    ],
)
def test_propagators_are_looked_up_as_the_api_does(named, known, said, points):
    points += [EntryPoint(name, "nowhere:Nothing", "opentelemetry_propagator") for name in ("baggage", "tracecontext")]
    found, wrong = propagators({} if named is None else {"OTEL_PROPAGATORS": named})
    assert found == known
    assert len(wrong) == len(said)
    assert all(part in text for part, text in zip(said, wrong, strict=True))


def test_the_environment_is_another_for_the_sdk_alone(monkeypatch):
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console,otpl")
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "nothing")
    monkeypatch.delenv("OTEL_LOGS_EXPORTER", raising=False)
    before = dict(os.environ)
    with only({"traces": ["console"], "metrics": [], "logs": []}):
        assert (os.environ["OTEL_TRACES_EXPORTER"], os.environ["OTEL_METRICS_EXPORTER"]) == ("console", "none")
        assert "OTEL_LOGS_EXPORTER" not in os.environ
    assert dict(os.environ) == before
