"""
What stands in a configuration file, before anybody looks at what it means.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .errors import ConfigurationError

__all__ = ["settings_in"]


def settings_in(path: Path) -> Mapping[Any, Any]:
    """The mapping in *path*; raises `ConfigurationError`, whose key is ``file``, when there is none."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        msg = f"can't read the configuration file {path}: {why}; set SPANLEDGER_CONFIG to one that exists"
        raise ConfigurationError(msg, "file") from error
    try:
        import yaml  # noqa: PLC0415 - most programs have no file
    except ImportError as error:
        msg = f"{path} needs PyYAML: pip install 'spanledger[yaml]'"
        raise ConfigurationError(msg, "file") from error
    try:
        data = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        msg = f"{path} is not valid YAML: {error}"
        raise ConfigurationError(msg, "file") from error
    if not isinstance(data, Mapping):
        msg = f"{path} must hold a mapping of settings, not a {type(data).__name__}"
        raise ConfigurationError(msg, "file")
    return data
