"""Providers and propagators that a program sets after us are protected as well, however it came to set them."""

from __future__ import annotations

import os
import subprocess
import sys
import types

import pytest

from spanledger import shield
from spanledger.pipeline import late

BEGIN = """
from opentelemetry import _logs, baggage, metrics, propagate, trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import attach
from opentelemetry.metrics import set_meter_provider
from opentelemetry.propagate import inject, set_global_textmap
import spanledger

early = metrics.get_meter("early").create_counter("early")
told = spanledger.configure(instrument=False)

from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from spanledger.pipeline.attach import raw_ways_out
MAIL = "jane@leak.example.com"
reader, kept = InMemoryMetricReader(), InMemoryLogRecordExporter()
meters, loggers = MeterProvider([reader], shutdown_on_exit=False), LoggerProvider(shutdown_on_exit=False)
loggers.add_log_record_processor(SimpleLogRecordProcessor(kept))
"""
SET = {
    "by names imported before": "set_meter_provider(meters); set_logger_provider(loggers)",
    "by names of the module": "metrics.set_meter_provider(meters); _logs.set_logger_provider(loggers)",
}
TELL = """
propagate.set_global_textmap(W3CBaggagePropagator())
early.add(1, {"to": MAIL})
metrics.get_meter("late").create_counter("late").add(1, {"to": MAIL})
_logs.get_logger("l").emit(body="card 4111 1111 1111 1111", attributes={"to": MAIL})
attach(baggage.set_baggage("to", MAIL, baggage.set_baggage("tenant", "acme")))
headers = {}
propagate.inject(headers)
print(headers, reader.get_metrics_data().to_json(), *((r.log_record.body, dict(r.log_record.attributes)) for r in kept.get_finished_logs()), raw_ways_out())
"""


def ran(code, tmp_path):
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "SPANLEDGER_"))}
    environ["XDG_STATE_HOME"] = str(tmp_path)
    return subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("how", SET)
def test_what_is_set_after_us_is_protected(how, tmp_path):
    said = ran(BEGIN + SET[how] + TELL, tmp_path)
    assert "jane" not in said
    assert "1111 1111" not in said
    assert said.count("[EMAIL]") >= 3
    assert "'baggage': 'tenant=acme'" in said
    assert said.endswith(" []\n")


def test_a_propagator_set_by_a_name_from_before_us_is_protected(tmp_path):
    code = """
attach(baggage.set_baggage("to", MAIL, baggage.set_baggage("tenant", "acme")))
for _ in range(2):
    set_global_textmap(W3CBaggagePropagator())
    headers = {}
    inject(headers)
    print(headers)
told.shutdown()
set_global_textmap(W3CBaggagePropagator())
inject(headers)
print(MAIL.partition("@")[0] in str(headers))
"""
    said = ran(BEGIN + code, tmp_path).splitlines()
    assert said[:2] == ["{'baggage': 'tenant=acme'}"] * 2
    assert said[2] == "True"


def test_after_our_end_nothing_of_ours_is_left(tmp_path):
    code = """
told.shutdown()
from opentelemetry._logs import _internal as l
from opentelemetry.metrics import _internal as m
from spanledger.pipeline.late import MARK
print([hasattr(each, MARK) for each in (m._set_meter_provider, l._set_logger_provider, propagate.set_global_textmap, propagate.get_global_textmap)])
"""
    assert ran(BEGIN + SET["by names of the module"] + code, tmp_path) == "[False, False, False, False]\n"


def test_what_nobody_protects_is_named(tmp_path):
    code = "told.shutdown(); set_meter_provider(meters); set_logger_provider(loggers); print(raw_ways_out())"
    said = ran(BEGIN + code, tmp_path)
    assert "metrics of opentelemetry.sdk.metrics" in said
    assert "log records of opentelemetry.sdk._logs" in said


def test_an_api_that_moved_is_said(caplog):
    late._around(types.SimpleNamespace(), "_set_meter_provider", "metrics", lambda _given: lambda: None, [])()
    assert "metrics of a provider that is set later are NOT protected" in caplog.text


def test_a_protection_that_breaks_does_not_keep_a_provider_from_being_set():
    given = []
    module = types.SimpleNamespace(setter=lambda provider, more: given.append((provider, more)))

    shield.strict(False)  # as in a program

    def breaks(_provider):
        raise ValueError("no")

    undo = late._around(module, "setter", "metrics", breaks, [])
    module.setter("p", more=1)
    undo()
    module.setter("q", more=2)
    assert given == [("p", 1), ("q", 2)]
    assert shield.failures["protecting metrics"] == 1
