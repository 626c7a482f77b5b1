"""
Drives real clients over recorded traffic, watched and unwatched, and compares.

    python tests/conformance/run.py --kit FOLDER [--only TEXT] [--flavours sync,async] [--opts chunk=awkward]
    python tests/conformance/run.py --kit FOLDER --fault status:429,status:500,cut,error [--most 2]

The folder holds recordings (``open/``), a server that answers with them (``replay_server.py``) and a driver that makes
the calls with the clients that are installed (``drive.py``).  For every call: what the caller gets must be the same
with and without us, there must be one span of the call, it must say what the recording says, and the call's price must
be what the provider's own arithmetic makes of the wire's numbers.  Where the server is told to fail (``--fault``, for
each of its kinds), the call must be one span, settled once, that says how it failed.  Exits with 1 if not.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import sys
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

FLAVOURS = "sync,async,sync-helper,async-helper,sync-raw,async-raw"
FAMILIES = {
    "openai": "openai", "anthropic": "anthropic", "gemini": "google.genai", "vertex": "google.genai", "groq": "groq",
    "mistral": "mistralai", "cohere": "cohere", "ollama": "ollama", "bedrock": "botocore",
}  # fmt: skip
DATE = re.compile(r"""["'][Dd]ate["']: ["'][^"']*["']""")
OURS = ("invoke_agent", "execute_tool", "step")
CLASSES = {
    "status:401": "auth", "status:429": "rate_limited", "status:500": "upstream_error", "status:503": "upstream_error",
    "status:529": "upstream_error", "cut": "connection", "hang": "timeout",
}  # fmt: skip
"""The error class that a fault comes to; an error inside a stream is told in each provider's own words."""


def load(folder: Path, name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def outcome(drive: Any, result: Any) -> Any:
    """What the caller got, comparable."""
    if result.exception is not None:
        kind = type(result.exception)
        return f"{kind.__module__}.{kind.__qualname__}: {DATE.sub('', str(result.exception))}"
    # the answers of one client carry the time at which the server answered
    many = result.value if isinstance(result.value, list) else [result.value]
    return [
        (type(one).__name__, DATE.sub("", json.dumps(drive.dump(one), sort_keys=True, default=str))) for one in many
    ]


def expected(endpoint: str, facts: dict[str, Any]) -> dict[str, Any]:
    """The recording's facts, which are wire values, in the convention's meaning."""
    into, out = facts.get("input_tokens"), facts.get("output_tokens")
    if endpoint.startswith(("anthropic", "bedrock")) and into is not None:
        into += (facts.get("cached_tokens") or 0) + (facts.get("cache_creation_tokens") or 0)
    if endpoint.startswith(("gemini", "vertex")):
        into = None if into is None else into + (facts.get("tool_use_input_tokens") or 0)
        out = None if out is None else out + (facts.get("reasoning_tokens") or 0)
    found = {
        "gen_ai.response.id": facts.get("response_id"),
        "gen_ai.response.model": facts.get("model"),
        "gen_ai.usage.input_tokens": into,
        "gen_ai.usage.output_tokens": out,
        "gen_ai.usage.cache_read.input_tokens": facts.get("cached_tokens"),
        "gen_ai.usage.cache_write.input_tokens": facts.get("cache_creation_tokens"),
        "gen_ai.usage.reasoning.output_tokens": facts.get("reasoning_tokens"),
        "gen_ai.usage.audio.input_tokens": facts.get("audio_input_tokens"),
        "openai.response.service_tier": facts.get("service_tier"),
        "openai.response.system_fingerprint": facts.get("system_fingerprint"),
    }
    if facts.get("finish_reasons"):
        found["gen_ai.response.finish_reasons"] = tuple(facts["finish_reasons"])
    if endpoint.startswith("openai.responses"):
        found["gen_ai.response.status"] = facts.get("status")
    if endpoint in ("openai.responses.retrieve", "openai.responses.input_tokens") or "count" in endpoint:
        found = {name: value for name, value in found.items() if not name.startswith("gen_ai.usage")}
    if "count" in endpoint or endpoint == "openai.responses.input_tokens":
        return {}
    return {name: value for name, value in found.items() if value}


def said(facts: dict[str, Any]) -> tuple[list[Any], str]:
    calls = [
        (call.get("name"), call.get("id"), arguments(call.get("arguments"))) for call in facts.get("tool_calls") or []
    ]
    return calls, "".join((facts.get("text") or {}).values())


def arguments(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) and value else value or {}
    except ValueError:
        return value


def messages_of(attributes: Any) -> tuple[list[Any], str]:
    calls, texts = [], []
    for message in json.loads(attributes.get("gen_ai.output.messages", "[]")):
        assert message["role"] == "assistant"
        assert message["finish_reason"]
        for part in message["parts"]:
            if part["type"] == "tool_call":
                calls.append((part["name"], part.get("id"), part["arguments"] or {}))
            elif part["type"] == "text":
                texts.append(part["content"])
    return calls, "".join(texts)


def check(interaction: dict[str, Any], spans: list[Any], failed: bool | None, fault: str = "") -> list[str]:
    """What is wrong with the spans of one call; *failed* tells whether a call that was made to fail did."""
    calls = [span for span in spans if span.attributes.get("gen_ai.operation.name") not in OURS]
    if len(calls) != 1:
        return [f"{len(calls)} spans: {[span.name for span in calls]}"]
    attributes, facts, status = calls[0].attributes, interaction["facts"], interaction["response"]["status"]
    if status >= 400 or facts.get("stream_error"):
        failed = True
    if failed is not None:
        if ("error.type" in attributes) is not failed:
            return [f"failed: {failed}, {attributes.get('error.type')}"]
        known = CLASSES.get(fault) or CLASSES.get(fault.partition(":")[0])
        told = attributes.get("agent.error.class")
        return [f"class: {told} != {known}"] if failed and known and told != known else []
    wrong = [
        f"{name}: {value!r} != {attributes.get(name)!r}"
        for name, value in expected(interaction["endpoint"], facts).items()
        if attributes.get(name) != value
    ]
    if "text" in facts or "tool_calls" in facts:
        (want_calls, want_text), (calls_, text) = said(facts), messages_of(attributes)
        if not all("arguments" in call for call in facts.get("tool_calls") or []):
            calls_ = [(name, id_, {}) for name, id_, _ in calls_]
        if interaction["endpoint"].startswith("ollama"):  # the client drops the identities
            want_calls = [(name, None, arguments) for name, _, arguments in want_calls]
        if interaction["endpoint"] == "openai.responses.compact":
            return wrong
        if want_calls and want_calls != calls_:
            wrong.append(f"tool calls: {want_calls} != {calls_}")
        if want_text and not text[:400].startswith(want_text[:400]):
            wrong.append(f"text: {want_text[:80]!r} != {text[:80]!r}")
    return wrong


def parsed() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kit", type=Path, required=True)
    options.add_argument("--only", default="")
    options.add_argument("--flavours", default=FLAVOURS)
    options.add_argument("--opts", default="", help="options of the server, e.g. chunk=awkward or gzip=1~chunk=awkward")
    options.add_argument("--fault", default="", help="ways to fail, e.g. status:429,cut:0.5,error")
    options.add_argument("--most", type=int, default=0, help="how many recordings of each kind; 0 is all")
    return options.parse_args()


def main() -> int:
    chosen = parsed()
    warnings.simplefilter("ignore")
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "SPAN_ONLY"
    load(chosen.kit, "kit_facts")
    replay_server, drive = load(chosen.kit, "replay_server"), load(chosen.kit, "drive")
    folder = str(chosen.kit / "open")
    server, base = replay_server.start([folder])
    installed = {family for family, package in FAMILIES.items() if _installed(package)}
    many, faults, cases = Counter(), chosen.fault.split(","), []
    for interaction in drive.load([folder]):
        endpoint = interaction["endpoint"]
        if endpoint.split(".")[0] not in installed or chosen.only not in interaction["id"]:
            continue
        if chosen.fault and interaction["response"]["status"] >= 400:
            continue  # it has failed as it is
        kind = endpoint, interaction["provider"], "stream" in interaction["tags"]
        many[kind] += 1
        if not chosen.most or many[kind] <= chosen.most:
            cases += [(interaction, flavour) for flavour in chosen.flavours.split(",")]
    report = 0
    for fault in faults:
        extra = "".join(f"~{one}" for one in (chosen.opts, fault and f"fault={fault}") if one)
        if fault:
            print(f"--- {fault}", flush=True)
        some = [case for case in cases if not fault.startswith("error") or "stream" in case[0]["tags"]]
        plain = [outcome(drive, drive.drive(interaction, base, flavour, extra)) for interaction, flavour in some]
        report |= watched(drive, base, extra, some, plain, server.RequestHandlerClass.log)
    server.shutdown()
    return report


def _installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:
        return False


def _failed_inside(interaction: dict[str, Any], extra: str) -> bool:
    """Whether the failure came as an event, which the client hands on."""
    streamed = "stream" in interaction["tags"]
    return (
        streamed
        and "fault=error" in extra
        and interaction["endpoint"].startswith(("openai.responses", "gemini.interactions"))
    )


def watched(drive: Any, base: str, extra: str, cases: list[Any], plain: list[Any], log: list[Any]) -> int:
    """The same calls again, watched."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from prices import difference

    from spanledger import pricing
    from spanledger.instrument import instrument
    from spanledger.providers import ADAPTERS

    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    watching = instrument(tracer_provider=provider, adapters=ADAPTERS)
    calls: list[Any] = []
    watching.engine.listeners.append(lambda call: calls.append(call.model_call))
    good, all_, skipped, prices = Counter(), Counter(), Counter(), Counter()
    for (interaction, flavour), before in zip(cases, plain, strict=True):
        exporter.clear()
        log.clear()
        calls.clear()
        result = drive.drive(interaction, base, flavour, extra)
        endpoint = interaction["endpoint"]
        if not log:  # the client refused to send it
            skipped[endpoint] += 1
            continue
        failed = (result.exception is not None or _failed_inside(interaction, extra)) if "fault=" in extra else None
        wrong = check(interaction, list(exporter.get_finished_spans()), failed, extra.rpartition("fault=")[2])
        if len(calls) != 1:
            wrong.append(f"settled {len(calls)} times")
        if (after := outcome(drive, result)) != before:
            wrong.append(f"the caller gets another thing: {str(before)[:300]} != {str(after)[:300]}")
        if calls and calls[-1] is not None and failed is None:
            price = pricing.price_call(calls[-1])
            prices[price.status] += 1
            if unlike := difference(interaction, calls[-1].provider, price):
                wrong.append(f"price: {unlike}")
        all_[endpoint] += 1
        good[endpoint] += not wrong
        if wrong:
            print(interaction["id"], flavour, *wrong, sep="\n    ")
    watching.undo()
    for endpoint in sorted(all_ | skipped):
        note = f"  ({skipped[endpoint]} not drivable here)" if skipped[endpoint] else ""
        print(f"{endpoint:36} {good[endpoint]:4} / {all_[endpoint]:4}{note}")
    print(f"{'all':36} {good.total():4} / {all_.total():4}")
    print("prices:", ", ".join(f"{count} {status}" for status, count in prices.most_common()))
    return 0 if good.total() == all_.total() else 1


if __name__ == "__main__":
    sys.exit(main())
