"""The demo through the collector of `collector-config` into a real Jaeger, and its metrics into a real Prometheus."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from integration.services import ROOT, Service, read, until

CONFIG = ROOT / "collector-config"
BIN = Path(sys.executable).parent


def run_demo(folder, **env):
    env = {**os.environ, "SPANLEDGER_JOURNAL": str(folder / "journal.db"), **env}
    subprocess.run([sys.executable, str(ROOT / "examples" / "demo.py")], env=env, check=True)
    command = [str(BIN / "spanledger"), "show", "latest", "--json"]
    return json.loads(subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout)


def tags(span):
    return {tag["key"]: tag["value"] for tag in span["tags"]}


def traces(jaeger, **query):
    return jaeger.get("/api/traces", limit=100, **query)["data"]


@pytest.fixture(scope="module")
def passed_on(jaeger, collector, tmp_path_factory):
    """The demo's run as the journal has it, its trace in Jaeger, and the collector it went through."""
    folder = tmp_path_factory.mktemp("demo")
    with collector(jaeger.otlp) as through:
        told = run_demo(folder, OTEL_EXPORTER_OTLP_ENDPOINT=through.url)
        (trace,) = until(lambda: traces(jaeger, service="support-agent"))
        yield told, trace["spans"], through


def test_the_run_is_one_trace_of_its_agent_calls_and_tools(passed_on):
    _, spans, _ = passed_on
    by_id = {span["spanID"]: span for span in spans}
    kinds = sorted(tags(span)["gen_ai.operation.name"] for span in spans)
    assert kinds == ["chat"] * 7 + ["execute_tool"] * 7 + ["invoke_agent"]
    (root,) = [span for span in spans if not span["references"]]
    assert root["operationName"] == "invoke_agent support"
    assert all(span["references"][0]["spanID"] in by_id for span in spans if span is not root)
    assert {tags(span)["otel.scope.name"] for span in spans} == {"spanledger"}


def test_who_has_the_run_id_finds_the_run(passed_on, jaeger):
    told, spans, _ = passed_on
    wanted = json.dumps({"agent.run.id": told["run"]["run_id"]})
    (found,) = traces(jaeger, service="support-agent", tags=wanted)
    assert len(found["spans"]) == len(spans)


def test_failed_tools_are_errors_and_found_by_their_class(passed_on, jaeger):
    _, spans, _ = passed_on
    failed = [tags(span) for span in spans if tags(span).get("error")]
    assert sorted(found["agent.error.class"] for found in failed) == ["rate_limited", "rate_limited", "upstream_error"]
    assert traces(jaeger, service="support-agent", tags='{"agent.error.class": "rate_limited"}')
    assert not traces(jaeger, service="support-agent", tags='{"agent.error.class": "timeout"}')


def test_money_tokens_and_messages_are_what_the_journal_says(passed_on):
    told, spans, _ = passed_on
    (root,) = [tags(span) for span in spans if not span["references"]]
    calls = [tags(span) for span in spans if tags(span)["gen_ai.operation.name"] == "chat"]
    assert root["agent.run.cost"] == pytest.approx(float(told["run"]["cost"]["amount"]))
    assert sum(call["gen_ai.usage.cost.amount"] for call in calls) == pytest.approx(
        float(told["run"]["cost"]["amount"])
    )
    assert sum(call["gen_ai.usage.input_tokens"] for call in calls) == 6909
    for call in calls:
        assert all(message["parts"] for message in json.loads(call["gen_ai.input.messages"]))
        assert json.loads(call["gen_ai.output.messages"])[0]["finish_reason"] in ("tool_call", "stop")


def test_no_secret_is_in_jaeger_or_the_metrics(passed_on, jaeger):
    import demo

    _, _, through = passed_on
    everything = jaeger.text("/api/traces", service="support-agent") + read(through.metrics)
    assert "charged me twice" in everything, "the messages are there"
    assert [name for name, forms in demo.PLANTED.items() if any(form in everything for form in forms)] == []


def test_over_grpc(jaeger, collector, tmp_path):
    pytest.importorskip("opentelemetry.exporter.otlp.proto.grpc", reason="the extra `grpc` is not installed")
    with collector(jaeger.otlp) as through:
        env = {
            **os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": through.grpc, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip", "OTEL_SERVICE_NAME": "over-grpc",
            "SPANLEDGER_JOURNAL": str(tmp_path / "journal.db"), "OTEL_TRACES_EXPORTER": "otlp",
        }  # fmt: skip
        subprocess.run([str(BIN / "opentelemetry-instrument"), sys.executable, "-c", SOME], env=env, check=True)
        (trace,) = until(lambda: traces(jaeger, service="over-grpc"))
        (span,) = trace["spans"]
        assert span["operationName"] == "chat some-model"
        assert tags(span)["agent.run.status"] == "success"


SOME = """
import openai
from spanledger.testing import ScriptedServer

with ScriptedServer(["Hello!"]) as server:
    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key="none")
    client.chat.completions.create(model="some-model", messages=[{"role": "user", "content": "hi"}])
"""

MANY = """
import openai, spanledger
from spanledger.testing import ScriptedServer

spanledger.configure(rules=[{"agent": "told", "deny_models": ["*"], "action": "warn"}])

def ask(agent, model="gpt-4o-mini", **more):
    with spanledger.run(agent):
        client.chat.completions.create(model=model, messages=[{"role": "user", "content": "hi"}])
        if more:
            raise KeyError("what the program does itself")

with ScriptedServer(["Hello!"] * 20) as server:
    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key="none")
    for _ in range(8):
        ask("fine")
    ask("told")
    ask("dear", model="gpt-4")
    client.chat.completions.create(model="gpt-4", messages=[{"role": "user", "content": "hi"}])
    client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "hi"}])
    try:
        ask("broken", fails=True)
    except KeyError:
        pass
"""


def test_runs_with_news_are_kept_whole_and_of_the_rest_as_many_as_wanted(jaeger, collector, tmp_path):
    with collector(jaeger.otlp, KEEP_PERCENT="0", KEEP_ABOVE_USD="0.00005") as through:
        env = {
            **os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": through.url, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_SERVICE_NAME": "sampled", "SPANLEDGER_JOURNAL": str(tmp_path / "journal.db"),
        }  # fmt: skip
        subprocess.run([sys.executable, "-c", MANY], env=env, check=True)
        until(lambda: len(traces(jaeger, service="sampled")) >= 4)
        time.sleep(3)  # for one that should not come
        found = traces(jaeger, service="sampled")
        names = sorted(sorted(span["operationName"] for span in trace["spans"]) for trace in found)
        assert names == [
            ["chat gpt-4"],
            ["chat gpt-4", "invoke_agent dear"],
            ["chat gpt-4o-mini", "invoke_agent broken"],
            ["chat gpt-4o-mini", "invoke_agent told"],
        ]


# --- Prometheus ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def prometheus(passed_on, tmp_path_factory):
    """A Prometheus that scrapes the collector twice a second, with our rules."""
    from with_phoenix import free_ports

    if (program := shutil.which("prometheus")) is None:
        pytest.skip("PROMETHEUS IS NOT HERE, so nothing was checked against it; Debian's package has it")
    _, _, through = passed_on
    folder = tmp_path_factory.mktemp("prometheus")
    config = (CONFIG / "prometheus.yml").read_text()
    for ours, theirs in (("127.0.0.1:9464", urlsplit(through.metrics).netloc), ("15s", "500ms")):
        assert ours in config
        config = config.replace(ours, theirs)
    (folder / "prometheus.yml").write_text(config)
    shutil.copy(CONFIG / "rules.yml", folder)
    (port,) = free_ports(1)
    command = [
        program, f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    with Service(command, folder, f"http://127.0.0.1:{port}", ready="/-/ready") as service:
        yield service


def asked(prometheus, query):
    return prometheus.get("/api/v1/query", query=query)["data"]["result"]


def test_runs_money_tokens_and_tools_can_be_asked_for(prometheus, passed_on):
    told, _, _ = passed_on
    (runs,) = until(lambda: asked(prometheus, 'agent_run_status_total{job="support-agent"}'))
    assert runs["metric"]["gen_ai_agent_name"] == "support"
    assert runs["metric"]["status"] == "success"
    assert runs["value"][1] == "1"
    for query, value in {
        "sum by (job) (agent_cost_USD_total)": float(told["run"]["cost"]["amount"]),
        "sum by (job) (gen_ai_client_inference_operation_input_tokens_sum)": 6909,
        "sum by (job) (gen_ai_client_inference_duration_seconds_count)": 7,
        "sum by (job) (gen_ai_invoke_agent_tool_calls_sum)": 7,
        'sum by (job) (agent_tool_errors_total{agent_error_class="rate_limited"})': 2,
    }.items():
        (found,) = asked(prometheus, query)
        assert found["metric"] == {"job": "support-agent"}
        assert float(found["value"][1]) == pytest.approx(value), query


def test_the_rules_are_evaluated_and_see_a_program_that_is_gone_already(prometheus):
    until(lambda: asked(prometheus, "agent:runs:new10m"))
    groups = prometheus.get("/api/v1/rules")["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(rules) == 14
    assert {rule["health"] for rule in rules} <= {"ok", "unknown"}, rules
    until(lambda: {rule["health"] for group in prometheus.get("/api/v1/rules")["data"]["groups"]
                  for rule in group["rules"]} == {"ok"})  # fmt: skip
    (runs,) = asked(prometheus, "agent:runs:new10m")
    assert runs["metric"]["status"] == "success"
    assert runs["value"][1] == "1"
    (tool,) = asked(prometheus, 'agent:tool_errors:new10m{tool_name="search_orders"}')
    assert tool["value"][1] == "3"


def test_the_tests_of_the_rules_pass():
    if (program := shutil.which("promtool")) is None:
        pytest.skip("PROMETHEUS IS NOT HERE, so nothing was checked against it; Debian's package has it")
    for command in (["check", "config", "prometheus.yml"], ["test", "rules", "rules_test.yml"]):
        done = subprocess.run([program, *command], cwd=CONFIG, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
