"""Who else traces LLM calls here, and which calls would be traced twice."""

from __future__ import annotations

import re
from contextlib import suppress
from importlib import import_module
from importlib.metadata import EntryPoint
from operator import attrgetter
from typing import Final

from ...providers import ADAPTERS, Adapter
from ._finding import Finding, Surroundings, group, installed

__all__ = ["others"]

_FAMILIES: Final = (
    ("opentelemetry-instrumentation-genai-", "OpenTelemetry"),
    ("opentelemetry-instrumentation-openai-v2", "OpenTelemetry"),
    ("opentelemetry-instrumentation-google-genai", "OpenTelemetry or OpenLLMetry"),
    ("openinference-instrumentation-", "OpenInference"), ("opentelemetry-instrumentation-", "OpenLLMetry"),
)  # fmt: skip
_COMPLETED: Final = "a call has one span, theirs, with what we know on it"
_MET: Final = {
    "OpenTelemetry": _COMPLETED,
    "OpenInference": f"{_COMPLETED}; its wrapper of Anthropic's stream helper is taken off while we watch",
    "OpenLLMetry": f"{_COMPLETED}; its wrappers of Anthropic's methods and of responses.create are taken off while we "
                   "watch, and those calls have a span of ours",
}  # fmt: skip
"""What becomes of the spans of those that `tests/ownership` runs beside us, for the clients that it runs."""
_TESTED: Final = ("openai", "anthropic")
_STARTED: Final = {
    "openlit": _COMPLETED,
    "logfire": f"{_COMPLETED}; where it sends to a backend of its own, each backend gets one",
}
"""The same for products that a program starts itself."""
_EVERYTHING: Final = ("openlit", "traceloop")
"""Instrumentors that stand for all clients at once."""
_PRODUCTS: Final = {
    "openlit": "OpenLIT", "logfire": "Logfire", "langfuse": "Langfuse", "traceloop-sdk": "OpenLLMetry",
    "arize-phoenix-otel": "Phoenix", "ddtrace": "Datadog", "langsmith": "LangSmith", "agentops": "AgentOps",
    "mlflow": "MLflow", "weave": "Weave", "braintrust": "Braintrust", "opik": "Opik",
}  # fmt: skip


def others(around: Surroundings) -> list[Finding]:
    """Other instrumentations that the launcher loads, and products that trace when their own code is called."""
    disabled = set(around.names("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"))
    points = [point for point in group("opentelemetry_instrumentor") if point.name != "spanledger"]
    found, harmless = [], []
    for point in points:
        package = _watched_too(point)
        if package is None or disabled & {point.name, "*"}:
            harmless.append(point.name)
            continue
        family = _family(point)
        said = _MET.get(family) if package in _TESTED else None
        facts = {"instrumentor": point.name, "by": family, "client": package, "doubled": said is None}
        if said is not None:
            text = f"{family} traces {package} too: {said}"
        else:
            text = (
                f"{family} traces {package} too, and was not tested beside spanledger: a call may have two spans; "
                f"set OTEL_PYTHON_DISABLED_INSTRUMENTATIONS={point.name}"
            )
        found.append(Finding("problem" if said is None else "note", text, facts))
    if harmless:
        text = f"the launcher also loads {', '.join(sorted(harmless))}: their spans join the runs"
        found.append(Finding("ok", text, {"instrumentors": sorted(harmless)}))
    for distribution, name in _PRODUCTS.items():
        if number := installed(distribution):
            what = _STARTED.get(distribution)
            then = f"where a program starts it, {what}" if what else "a program that starts it may trace calls twice"
            text = f"{name} ({distribution} {number}) is here; {then}"
            found.append(Finding("note", text, {"product": distribution, "version": number}))
    found += filter(None, [_speaking(adapter, around) for adapter in ADAPTERS])
    return found or [Finding("ok", "none")]


def _speaking(adapter: Adapter, around: Surroundings) -> Finding | None:
    """What becomes of the spans that a client makes itself, where the installed version makes some."""
    number = installed(adapter.distribution) if adapter.quiet is not None else None
    if adapter.quiet is None or number is None or not (_has_voice(adapter) or _there(adapter.speaks)):
        return None
    variable, value = adapter.quiet
    client = f"{adapter.distribution} {number}"
    if not _has_voice(adapter):
        text = (
            f"{client} makes spans of its own, but not where spanledger knows them: kept silent while we watch, by "
            f"{variable}={value}; a client that is told to make them all the same (open_telemetry=...) may give a call "
            "two spans beside another instrumentation"
        )
        return Finding("problem", text, {"client": adapter.package, "native_spans": False})
    said = around.environ.get(variable)
    if around.settings.native_spans or said is not None:
        why = "SPANLEDGER_NATIVE_SPANS" if around.settings.native_spans else f"{variable}={said}"
        text = (
            f"{client} makes spans of its own ({why}): where it does, a call has one span, the client's, completed; "
            "where another instrumentation's is around it, that one stays and the client's is left out"
        )
    else:
        text = f"{client} makes spans of its own: kept silent while we watch, by {variable}={value}"
    return Finding("ok", text, {"client": adapter.package, "native_spans": around.settings.native_spans})


def _has_voice(adapter: Adapter) -> bool:
    return any(map(_there, adapter.voices))


def _there(place: str) -> bool:
    module, _, path = place.partition(":")
    with suppress(Exception):  # not there, or broken: the clients' own check says so
        attrgetter(path)(import_module(module))
        return True
    return False


def _watched_too(point: EntryPoint) -> str | None:
    """The client of ours that an instrumentor watches too, ``every client``, or `None`."""
    name = _plain(point.name)
    if name in _EVERYTHING:
        return "every client"
    packages = {_plain(adapter.package): adapter.package for adapter in ADAPTERS}
    return next((packages[key] for key in packages if name in (key, f"{key}v2", f"genai{key}")), None)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _family(point: EntryPoint) -> str:
    distribution = (point.dist.name if point.dist else "").lower()
    return next((family for start, family in _FAMILIES if distribution.startswith(start)), distribution or point.value)
