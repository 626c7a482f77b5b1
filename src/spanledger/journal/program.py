"""Which program is running: service, version and commit, from its resource and environment alone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from .rows import Version

__all__ = ["version_of", "version_of_environment"]

_COMMIT: Final = ("vcs.ref.head.revision", "vcs.repository.ref.revision")
_COMMIT_VARIABLES: Final = ("GIT_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA", "SOURCE_VERSION")
_UNNAMED: Final = "unknown_service"


def version_of(resource: Mapping[str, Any]) -> Version:
    """The program that *resource* describes; the SDK's made-up service name is no name."""
    name = resource.get("service.name")
    commit = next((str(resource[key]) for key in _COMMIT if resource.get(key)), None)
    version = resource.get("service.version")
    return Version(
        None if name is None or str(name).startswith(_UNNAMED) else str(name),
        None if version is None else str(version),
        commit or next((value for key in _COMMIT_VARIABLES if (value := os.environ.get(key))), None),
    )


def version_of_environment() -> Version:
    """The program as ``OTEL_SERVICE_NAME`` and ``OTEL_RESOURCE_ATTRIBUTES`` describe it."""
    from opentelemetry.sdk.resources import OTELResourceDetector  # noqa: PLC0415 - on the worker's thread

    return version_of(OTELResourceDetector().detect().attributes)
