"""Exporters beside us that get spans as they are: here, and in the programs that were started lately."""

from __future__ import annotations

from opentelemetry import trace

from ...notes import noted
from ...pipeline import BYPASSING, unprotected
from ...pipeline.attach import raw_ways_out
from ._finding import Finding, Surroundings, started

__all__ = ["bypass"]


def bypass(around: Surroundings) -> list[Finding]:
    """Each exporter that bypasses us, by class and endpoint, and the program that has it."""
    found = [_named(name, "this process", {}) for name in unprotected(trace.get_tracer_provider())]
    for note in noted(BYPASSING):
        found += [_named(name, started(note), note) for name in note["said"]]
    if around.settings.redact:
        found += [_leaving(name) for name in raw_ways_out()]
    disabled = {"spanledger", "*"} & set(around.names("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"))
    configured = (around.environ.get("OTEL_PYTHON_CONFIGURATOR") or "spanledger") == "spanledger"
    names = around.names("OTEL_TRACES_EXPORTER")
    if disabled and not configured and "spanledger" in names:
        found += [_named(name, "OTEL_TRACES_EXPORTER", {}) for name in names if name not in ("spanledger", "none")]
    return found or [Finding("ok", "no exporter is known to bypass spanledger")]


def _leaving(name: str) -> Finding:
    return Finding("problem", f"{name} leave as they are: nothing of ours protects them", {"provider": name})


def _named(name: str, where: str, facts: dict[str, object]) -> Finding:
    text = (
        f"{name} gets spans that nothing was taken out of, in {where}: use LedgerSpanProcessor() without an exporter, "
        "or give it to LedgerSpanProcessor(exporter)"
    )
    return Finding("problem", text, {"exporter": name, "where": where, **facts})
