"""What a check gives back, and what it may look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from typing import Any

from ...config import Settings
from ...errors import ConfigurationError

__all__ = ["Finding", "Surroundings", "group", "installed", "surroundings"]


@dataclass(frozen=True, slots=True)
class Finding:
    """*level* is ``ok``, ``note`` or ``problem``; *facts* are the same for programs."""

    level: str
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The environment, and the settings that come of it; the safe defaults when it can't be understood."""

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
    try:
        settings = Settings.load(environ)
    except ConfigurationError as error:
        text = f"{error}; the defaults are shown below"
        return Surroundings(environ, Settings(), [Finding("problem", text, {"error": str(error)})])
    source = environ.get("SPANLEDGER_CONFIG")
    return Surroundings(environ, settings, [Finding("ok", "understood" + (f", with {source}" if source else ""))])


def installed(distribution: str) -> str | None:
    """The installed version of *distribution*, or `None`."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def group(name: str) -> list[EntryPoint]:
    """The entry points of a group, in the order in which the launcher sees them."""
    return list(entry_points(group=name))
