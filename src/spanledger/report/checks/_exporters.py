"""Where spans go besides the journal, as the environment says."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from ...named_exporters import SIGNALS, examined, propagators
from ._finding import Finding, Surroundings, installed

__all__ = ["exporters"]

_TRACES: Final = "OTEL_EXPORTER_OTLP_TRACES_"
_ALL: Final = "OTEL_EXPORTER_OTLP_"
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


def exporters(around: Surroundings) -> list[Finding]:
    """Every exporter of traces and where it points; credentials are not shown."""
    names = around.names("OTEL_TRACES_EXPORTER")
    endpoint = _of(around, "ENDPOINT")
    found: list[Finding] = []
    if not names and not endpoint:
        text = "no OTLP endpoint is set: spans stay in the journal"
        found.append(Finding("note", text, {"exporters": []}))
    known, wrong = examined("traces", around.environ)
    if names == ["none"]:
        found.append(Finding("note", "OTEL_TRACES_EXPORTER=none: spans stay in the journal", {"exporters": []}))
    for name in known or ([] if names else ["otlp"] if endpoint else []):
        if name.startswith("otlp") or name == "spanledger":
            found += _otlp(around, name, endpoint)
        else:
            found.append(Finding("ok", f"{name}", {"exporter": name}))
    for signal in SIGNALS:
        for each in wrong if signal == "traces" else examined(signal, around.environ)[1]:
            found.append(Finding("problem", each, {"signal": signal}))
    for each in propagators(around.environ)[1]:
        text = f"{each}; with it no program that uses OpenTelemetry starts, spanledger exec leaves it out"
        found.append(Finding("problem", text, {}))
    if wrong and not known:
        found.append(Finding("note", "spans stay in the journal", {"exporters": []}))
    if sampler := around.environ.get("OTEL_TRACES_SAMPLER"):
        text = f"OTEL_TRACES_SAMPLER={sampler}: accounting is complete, spans may be not"
        found.append(Finding("note", text, {"sampler": sampler}))
    return found


def _of(around: Surroundings, what: str) -> str | None:
    return around.environ.get(_TRACES + what) or around.environ.get(_ALL + what) or None


def _otlp(around: Surroundings, name: str, endpoint: str | None) -> list[Finding]:
    grpc = name == "otlp_proto_grpc" or (_of(around, "PROTOCOL") == "grpc" and name != "otlp_proto_http")
    protocol = "grpc" if grpc else "http/protobuf"
    if name == "spanledger" and not endpoint:
        return [Finding("note", "no OTLP endpoint is set: spans stay in the journal", {"exporter": name})]
    target = endpoint or ("http://localhost:4317" if grpc else "http://localhost:4318")
    parts = urlsplit(target if "//" in target else f"//{target}")
    try:
        host = f"{parts.hostname or ''}" + (f":{parts.port}" if parts.port else "")
    except ValueError as error:
        return [Finding("problem", f"the OTLP endpoint is no address: {error}", {"exporter": name})]
    path = parts.path
    if not grpc and not around.environ.get(_TRACES + "ENDPOINT"):
        path = f"{path.rstrip('/')}/v1/traces"
    shown = f"{parts.scheme + '://' if parts.scheme else ''}{host}{path}"
    headers = [pair.partition("=")[0].strip() for pair in (_of(around, "HEADERS") or "").split(",") if pair]
    facts = {"exporter": name, "protocol": protocol, "endpoint": shown, "headers": headers}
    extra = f", with headers {', '.join(headers)}" if headers else ""
    found = [Finding("ok", f"{name} over {protocol} to {shown}{extra}", facts)]
    package = f"opentelemetry-exporter-otlp-proto-{'grpc' if grpc else 'http'}"
    if installed(package) is None:
        found.append(Finding("problem", f"{protocol} needs {package}, which is not installed", {"missing": package}))
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        found.append(Finding("note", f"spans go to {host} unencrypted", {"unencrypted": True}))
    return found
