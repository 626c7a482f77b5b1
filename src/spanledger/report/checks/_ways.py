"""Which of the four ways in is open: the launcher, the exporter's name; code can't be seen from here."""

from __future__ import annotations

import logging
import os
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any, Final

from ...instrument import TOOLS
from ...named_exporters import DECLARED
from ...notes import noted
from ...spelling import hint
from ._finding import Finding, Surroundings, group, started

__all__ = ["ways"]

_US: Final = "spanledger"


def ways(around: Surroundings) -> list[Finding]:
    """What would happen to a program that is started in this environment."""
    found = [*_launcher(around), *_by_name(around), *_tools(around)]
    if around.on("OTEL_SDK_DISABLED"):
        found.append(Finding("problem", "OTEL_SDK_DISABLED=true: the SDK records nothing"))
    found.append(
        Finding("note", "in code, configure() and LedgerSpanProcessor can't be seen from here", {"code": "unknown"})
    )
    return found


def _launcher(around: Surroundings) -> list[Finding]:
    active = any(
        Path(part).name == "auto_instrumentation" for part in around.environ.get("PYTHONPATH", "").split(os.pathsep)
    )
    facts: dict[str, Any] = {"launcher_active": active}
    names = [point.name for point in group("opentelemetry_configurator")]
    if _US not in names or _US not in [point.name for point in group("opentelemetry_instrumentor")]:
        text = "the launcher does not know spanledger: it is importable, but not installed here; pip install spanledger"
        return [Finding("problem", text, facts)]
    disabled = {_US, "*"} & set(around.names("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"))
    if disabled:
        text = f"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS has {disabled.pop()!r}: the launcher does not start spanledger"
        return [Finding("problem", text, facts)]
    chosen = around.environ.get("OTEL_PYTHON_CONFIGURATOR") or names[0]
    facts |= {"configurator": chosen, "configurators": names}
    found = []
    if chosen != _US:
        text = (
            f"opentelemetry-instrument lets {chosen!r} set the SDK up, and exporters that it adds on its own are "
            "protected in place only; use `spanledger exec` or set OTEL_PYTHON_CONFIGURATOR=spanledger"
        )
        found.append(Finding("problem", text, facts))
    else:
        now = "this environment runs under it" if active else "ready"
        found.append(Finding("ok", f"opentelemetry-instrument and spanledger exec: {now}", facts))
    distros = [point.name for point in group("opentelemetry_distro") if point.name != _US]
    chosen_distro = around.environ.get("OTEL_PYTHON_DISTRO")
    if distros and chosen_distro != _US:
        chosen_distro = chosen_distro or distros[0]
        text = f"the distribution {chosen_distro!r} sets defaults of its own; `spanledger exec` keeps it out"
        found.append(Finding("note", text, {"distributions": distros}))
    return found


def _by_name(around: Surroundings) -> list[Finding]:
    found = []
    if _US in around.names("OTEL_TRACES_EXPORTER"):
        found.append(Finding("ok", "OTEL_TRACES_EXPORTER names spanledger", {"exporter_by_name": True}))
    if file := around.environ.get(DECLARED):
        found += _declared(file)
    return found


def _declared(file: str) -> list[Finding]:
    """Whether the SDK can read its declarative configuration *file*, and finds us in there."""
    try:
        named = _US in Path(file).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        return [Finding("problem", f"{DECLARED}={file} can't be read: {error}")]
    text = f"the declarative configuration {file} " + ("names spanledger" if named else "does not name spanledger")
    found = [Finding("ok" if named else "note", text, {"declarative": named})]
    try:
        from opentelemetry.configuration import load_config_file  # noqa: PLC0415 - few have it
    except ImportError:
        advice = "the SDK needs a package that is not installed: pip install opentelemetry-configuration"
        return [*found, Finding("problem", f"for the declarative configuration {file} {advice}")]
    before = logging.root.manager.disable
    logging.disable()  # it says the same in its own words
    try:
        wrong = _unknown_exporters(load_config_file(file))
    except Exception as error:  # noqa: BLE001 - whatever stands in there
        wrong = [str(error)]
    finally:
        logging.disable(before)
    return [*found, *(Finding("problem", f"the declarative configuration {file} can't be used: {w}") for w in wrong)]


def _unknown_exporters(config: Any) -> list[str]:
    """The exporters of spans that *config* names and nothing provides."""
    known = {point.name for point in group("opentelemetry_traces_exporter")}
    processors = getattr(getattr(config, "tracer_provider", None), "processors", None) or ()
    named = [
        name for each in processors for kind in ("batch", "simple")
        for name in getattr(getattr(getattr(each, kind, None), "exporter", None), "additional_properties", None) or ()
    ]  # fmt: skip
    unknown = [name for name in named if name not in known]
    return [f"nothing installed here provides its exporter {name!r}; {hint(name, sorted(known))}" for name in unknown]


def _tools(around: Surroundings) -> list[Finding]:
    """The modules that are named as those of tools and can't be found from here, and what programs found to be none."""
    path = [str(Path.cwd()), *sys.path]
    packages = {name.partition(":")[0].partition(".")[0]: name for name in around.settings.tools}
    found = [
        Finding("note", f"SPANLEDGER_TOOLS: there is no module {package!r} to be found from here", {"tools": name})
        for package, name in packages.items()
        if package not in (*sys.builtin_module_names, "__main__") and PathFinder.find_spec(package, path) is None
    ]
    for note in noted(TOOLS):
        found += [Finding("problem", f"{started(note)}: SPANLEDGER_TOOLS: {each}", note) for each in note["said"]]
    return found
