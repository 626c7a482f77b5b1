"""Which LLM clients are installed, and whether the places where we stand are still there."""

from __future__ import annotations

import importlib
import platform
import re
from typing import Any, Final

from ...providers import ADAPTERS, Adapter
from ._finding import Finding, Surroundings, installed

__all__ = ["clients", "versions"]

_OURS: Final = (
    "spanledger", "opentelemetry-api", "opentelemetry-sdk", "opentelemetry-instrumentation",
    "opentelemetry-exporter-otlp-proto-http", "genai-prices", "wrapt",
)  # fmt: skip


def versions(around: Surroundings) -> list[Finding]:  # noqa: ARG001 - one shape for all checks
    """Python, spanledger and what it stands on."""
    found = {"python": platform.python_version(), **{name: installed(name) for name in _OURS}}
    text = ", ".join(f"{name} {number or '(not installed)'}" for name, number in found.items())
    return [Finding("ok", text, found)]


def clients(around: Surroundings) -> list[Finding]:  # noqa: ARG001 - one shape for all checks
    """Every client that can be watched: its version, the oldest supported one, and its seams."""
    return [_client(adapter) for adapter in ADAPTERS]


def _client(adapter: Adapter) -> Finding:
    number = installed(adapter.distribution)
    facts: dict[str, Any] = {"client": adapter.distribution, "version": number, "oldest": adapter.oldest}
    wanted = f"{adapter.distribution} >= {adapter.oldest}"
    if number is None:
        return Finding("note", f"{wanted}: not installed", facts)
    there, missing, absent = _seams(adapter)
    facts |= {"seams": len(there), "missing_seams": missing, "absent_modules": absent}
    if missing or not there:
        gone = ", ".join(missing or absent)
        return Finding("problem", f"{wanted}: {number} has no {gone}; calls through it are not watched", facts)
    if _release(number) < _release(adapter.oldest):
        return Finding("note", f"{wanted}: {number} is older than what is tested", facts)
    return Finding("ok", f"{wanted}: {number}, watched in {len(there)} places", facts)


def _seams(adapter: Adapter) -> tuple[list[str], list[str], list[str]]:
    """
    The places that are there, those that are gone, and the modules that are not in this version.

    A client of several generations has seams for each, so an absent module alone is no failure.
    """
    there: list[str] = []
    missing: list[str] = []
    absent: list[str] = []
    for seam in adapter.seams:
        try:
            module = importlib.import_module(seam.module)
        except ModuleNotFoundError as error:  # noqa: PERF203 - there are few
            if seam.module.startswith(f"{error.name}"):
                absent.append(seam.module)
            else:
                missing.append(f"importable {seam.module} (it needs {error.name})")
        except Exception as error:  # noqa: BLE001 - a client that can't be imported is a finding
            missing.append(f"importable {seam.module} ({type(error).__name__})")
        else:
            for path in filter(None, (seam.sync, seam.asyncio)):
                (there if _has(module, path) else missing).append(f"{seam.module}.{path}")
    return there, missing, absent


def _has(owner: Any, path: str) -> bool:
    for name in path.split("."):
        if not hasattr(owner, name):
            return False
        owner = getattr(owner, name)
    return callable(owner)


def _release(number: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", number)[:3])
