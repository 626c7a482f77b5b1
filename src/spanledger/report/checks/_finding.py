"""What a check gives back, and what it may look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from typing import Any

from ...config import Settings
from ...notes import noted
from ...understood import REFUSED, understood

__all__ = ["Finding", "Surroundings", "group", "installed", "started", "surroundings"]


@dataclass(frozen=True, slots=True)
class Finding:
    """*level* is ``ok``, ``note`` or ``problem``; *facts* are the same for programs."""

    level: str
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The environment, and the settings that come of it; without what can't be understood."""

    environ: Mapping[str, str]
    settings: Settings
    configuration: list[Finding]

    def on(self, variable: str) -> bool:
        """Whether *variable* says true."""
        return self.environ.get(variable, "").strip().lower() == "true"

    def names(self, variable: str) -> list[str]:
        """The comma-separated names in *variable*."""
        return [name.strip() for name in self.environ.get(variable, "").split(",") if name.strip()]


def surroundings(environ: Mapping[str, str]) -> Surroundings:
    """What *environ* and the configuration file come to."""
    settings, refused = understood(environ)
    found = [Finding("problem", each, {"error": each}) for each in refused]
    source = environ.get("SPANLEDGER_CONFIG")
    if found:
        found.append(Finding("note", "programs go on with the rest, which is shown below; configure() raises"))
    else:
        found.append(Finding("ok", "understood" + (f", with {source}" if source else "")))
    for note in noted(REFUSED):
        found += [Finding("problem", f"{started(note)}: {each}", note) for each in note["said"]]
    return Surroundings(environ, settings, found)


def started(note: Mapping[str, Any]) -> str:
    """The program of a *note*, and when it was started."""
    when = datetime.fromtimestamp(note["time"], timezone.utc).isoformat(timespec="minutes")
    return f"{note['program']} (started {when})"


def installed(distribution: str) -> str | None:
    """The installed version of *distribution*, or `None`."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def group(name: str) -> list[EntryPoint]:
    """The entry points of a group, in the order in which the launcher sees them."""
    return list(entry_points(group=name))
