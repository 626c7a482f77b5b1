"""
The exporters and propagators that the environment names: which can be had, and what to say of the others.

For an exporter that it does not know the SDK sets up nothing at all, and the program goes on unwatched.  With a
propagator that it does not know OpenTelemetry's API can't be imported.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import entry_points
from typing import Final

from .spelling import hint

__all__ = ["DECLARED", "PROPAGATORS", "SIGNALS", "examined", "only", "propagators"]

DECLARED: Final = "OTEL_CONFIG_FILE"
PROPAGATORS: Final = "OTEL_PROPAGATORS"
SIGNALS: Final = ("traces", "metrics", "logs")
_PROTOCOLS: Final = {"grpc": "otlp_proto_grpc", "http/protobuf": "otlp_proto_http"}
_INSTALL: Final = {
    "otlp_proto_grpc": "pip install 'spanledger[grpc]'",
    "otlp_proto_http": "pip install opentelemetry-exporter-otlp-proto-http",
    "prometheus": "pip install opentelemetry-exporter-prometheus",
    "zipkin": "pip install opentelemetry-exporter-zipkin-json",
    "zipkin_json": "pip install opentelemetry-exporter-zipkin-json",
    "zipkin_proto": "pip install opentelemetry-exporter-zipkin-proto-http",
    "jaeger": "Jaeger takes OTLP: use 'otlp'",
}
"""What brings those that people name most."""


def examined(signal: str, environ: Mapping[str, str] | None = None) -> tuple[list[str], list[str]]:
    """
    The exporters of a *signal* that *environ* names and that can be had, as the SDK looks them up; what is wrong.

    ``otlp`` without a protocol is HTTP with protobuf, as the standard says, where the SDK's own default, gRPC, is not
    installed.
    """
    environ = os.environ if environ is None else environ
    variable = f"OTEL_{signal.upper()}_EXPORTER"
    known, wrong = [], []
    points = {point.name: point for point in entry_points(group=f"opentelemetry_{signal}_exporter")}
    for name in filter(None, (part.strip() for part in environ.get(variable, "").split(","))):
        if name.lower() == "none":
            continue
        looked_up, why = _resolved(name, signal, environ, points)
        if why is None:
            try:
                points[looked_up].load()
            except Exception as error:  # noqa: BLE001 - whatever a package does when it is imported
                why = f"which can't be imported: {type(error).__name__}: {error}"
        if why is None:
            known.append(looked_up)
        else:
            wrong.append(f"{variable} names {name!r}, {why}")
    return known, wrong


def _resolved(
    name: str, signal: str, environ: Mapping[str, str], points: Mapping[str, object]
) -> tuple[str, str | None]:
    looked_up = name
    if name == "otlp":
        variables = f"OTEL_EXPORTER_OTLP_{signal.upper()}_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"
        protocol = next((said for each in variables if (said := environ.get(each, "").strip())), "")
        if protocol and protocol not in _PROTOCOLS:
            return name, f"whose protocol is {protocol!r}; the Python exporters speak 'grpc' and 'http/protobuf'"
        default = "grpc" if _PROTOCOLS["grpc"] in points else "http/protobuf"
        looked_up = _PROTOCOLS[protocol or default]
    if looked_up in points:
        return looked_up, None
    if (advice := _INSTALL.get(looked_up)) is not None:
        return name, f"which nothing installed here provides; {advice}"
    return name, _nothing_provides(name, {*points, "otlp"})


def _nothing_provides(name: str, known: Iterable[str]) -> str:
    return f"which nothing installed here provides; {hint(name, sorted({*known, 'none'}))}"


def propagators(environ: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """The propagators that *environ* names and that can be had, as the API looks them up; what is wrong."""
    named = [part.strip() for part in environ.get(PROPAGATORS, "").split(",")]
    if named == [""]:
        return [], []
    points = {point.name: point for point in entry_points(group="opentelemetry_propagator")}
    known, wrong = [], []
    for name in named:
        if name.lower() == "none" or name in points:
            known.append(name)
        else:
            wrong.append(f"{PROPAGATORS} names {name!r}, {_nothing_provides(name, points)}")
    return known, wrong


@contextmanager
def only(known: Mapping[str, list[str]]) -> Iterator[None]:
    """In the block the environment names the *known* exporters of each signal alone; afterwards it is as it was."""
    variables = {f"OTEL_{signal.upper()}_EXPORTER": ",".join(names) or "none" for signal, names in known.items()}
    before = {variable: os.environ[variable] for variable in variables if variable in os.environ}
    os.environ.update({variable: variables[variable] for variable in before})
    try:
        yield
    finally:
        os.environ.update(before)
