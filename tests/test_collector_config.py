"""The configurations that are shipped speak of what spanledger sends; `make integration` runs them for real."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from spanledger import semconv
from spanledger.signals._names import COUNTERS, HISTOGRAMS

FOLDER = Path(__file__).parent.parent / "collector-config"
UNITS = {"s": "_seconds", "USD": "_USD"}
"""How Prometheus spells them; units in braces it leaves out."""


def read(name):
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


def in_prometheus():
    for name, (unit, *_) in COUNTERS.items():
        yield f"{name.replace('.', '_')}{UNITS.get(unit, '')}_total"
    for name, (unit, *_) in HISTOGRAMS.items():
        yield from (f"{name.replace('.', '_')}{UNITS.get(unit, '')}_{part}" for part in ("bucket", "sum", "count"))


def rules():
    return [rule for group in read("rules.yml")["groups"] for rule in group["rules"]]


def test_the_rules_ask_for_metrics_that_there_are():
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    asked = {name for rule in rules() for name in re.findall(r"\b(?:agent|gen_ai)[_:][A-Za-z_:0-9]+", rule["expr"])}
    asked -= {"gen_ai_agent_name", "gen_ai_provider_name", "gen_ai_request_model"}
    assert asked - recorded <= set(in_prometheus())
    assert len(asked - recorded) == len(recorded), "one metric each"


def test_every_alert_says_what_to_do_and_is_tested():
    alerts = {rule["alert"]: rule for rule in rules() if "alert" in rule}
    tested = {case["alertname"] for test in read("rules_test.yml")["tests"] for case in test.get("alert_rule_test", ())}
    assert set(alerts) == tested
    for rule in alerts.values():
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert set(rule["annotations"]) == {"summary", "do"}


def test_the_collector_looks_at_attributes_that_there_are():
    text = (FOLDER / "collector.yaml").read_text(encoding="utf-8")
    asked = {"".join(found) for found in re.findall(r'attributes\["([^"]+)"\]|key: ([a-z_.]+)|name == "([^"]+)"', text)}
    assert asked == {semconv.RUN_STATUS, semconv.RUN_COST, semconv.COST_AMOUNT, semconv.DECISION}


@pytest.mark.parametrize("kind", ["receiver", "processor", "exporter"])
def test_the_collector_that_is_built_has_every_component(kind):
    built = {line["gomod"].split()[0].rsplit("/", 1)[1] for line in read("builder.yaml")[f"{kind}s"]}
    assert {name.replace("_", "") + kind for name in read("collector.yaml")[f"{kind}s"]} == built
