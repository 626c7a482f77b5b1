"""The page of spans and metrics says what there is, and all that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

import spanledger
from clients import CHAT, CHAT_ASK, CHAT_EVENTS, Answers, clients
from spanledger import semconv, setup
from spanledger.signals._names import COUNTERS, HISTOGRAMS

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "telemetry.md").read_text(encoding="utf-8")
OURS = {
    value
    for name, value in vars(semconv).items()
    if name.isupper() and isinstance(value, str) and value.startswith("agent.")
}
STANDARD = {value for name, value in vars(semconv).items() if name.isupper() and isinstance(value, str)}
METRICS = {**{name: unit for name, (unit, *_) in (HISTOGRAMS | COUNTERS).items()}, "agent.run.active": "{run}"}
CALL = {
    "gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model", "server.address",
    "server.port",
}  # fmt: skip


def rows():
    """Metric to unit and labels, as the page has them."""
    found = {}
    for name, unit, labels in re.findall(
        r"^\| `([\w.]+)` \| (?:histogram|counter|gauge) \| (.*?) \| (.*) \|$", PAGE, re.MULTILINE
    ):
        said = set(re.findall(r"`([^`]+)`", labels))
        found[name] = (unit.strip("` "), said | (CALL if "CALL" in labels else set()))
    return found


def test_all_our_attributes_are_on_the_page():
    named = set(re.findall(r"`(agent\.[\w.*]+)`", PAGE))
    assert {name + "*" if name.endswith(".") else name for name in OURS} <= named


def test_what_the_page_names_is_there():
    named = set(re.findall(r"`((?:agent|gen_ai|session|user|server|error)\.[\w.]+)`", PAGE))
    known = STANDARD | set(METRICS) | {"gen_ai.token.type", "gen_ai.token.modality", "agent.usage.requests.web_search"}
    assert named <= known


def test_all_metrics_are_on_the_page_with_their_units():
    assert {name: unit for name, (unit, _) in rows().items()} == METRICS


@pytest.fixture
def reader():
    return InMemoryMetricReader()


@pytest.fixture
def configured(provider, reader):
    spanledger.configure(
        tracer_provider=provider, meter_provider=MeterProvider([reader]), journal_off=True, metric_names="both",
        budget_steps=2,
    )  # fmt: skip
    yield
    while setup._now:
        setup._now.pop().shutdown()


@pytest.mark.usefixtures("configured")
def test_labels_are_those_on_the_page(reader):
    @spanledger.tool
    def look(fails):
        if fails:
            raise TimeoutError

    cached = {"prompt_tokens_details": {"cached_tokens": 1, "cache_write_tokens": 1}}
    thought = {"completion_tokens_details": {"reasoning_tokens": 1}}
    answers = Answers(
        [
            {**CHAT, "usage": {**CHAT["usage"], **cached, **thought}},
            {**CHAT, "usage": None},
            list(CHAT_EVENTS),
            (429, {"error": {"message": "slow"}}),
            CHAT,
        ]
    )
    client = clients(answers)["openai"][0]
    with pytest.raises(Exception, match="slow"), spanledger.run("support"):
        for _ in range(2):
            client.chat.completions.create(**CHAT_ASK)
        list(client.chat.completions.create(**CHAT_ASK, stream=True))
        look(False)
        with pytest.raises(TimeoutError):
            look(True)
        client.chat.completions.create(**CHAT_ASK)
    with spanledger.run("other"):
        client.chat.completions.create(**CHAT_ASK)
        data = reader.get_metrics_data()
    seen: dict[str, set[str]] = {}
    for resource in data.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                seen[metric.name] = {label for point in metric.data.data_points for label in point.attributes}
    documented = {name: labels for name, (_, labels) in rows().items()}
    assert not {name: labels - documented[name] for name, labels in seen.items() if labels - documented[name]}
    unseen = {name: documented[name] - labels for name, labels in seen.items() if documented[name] - labels}
    assert not unseen
    assert set(METRICS) - set(seen) <= {"agent.observer.failures"}
