"""
What stands in a configuration file, before anybody looks at what it means.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .errors import ConfigurationError

__all__ = ["settings_in"]


def settings_in(path: Path) -> tuple[Mapping[Any, Any], list[ConfigurationError]]:
    """
    The mapping in *path*, and what is wrong with keys that stand twice: of those it has the last.

    Raises `ConfigurationError`, whose key is ``file``, when there is none.
    """
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
    twice: list[ConfigurationError] = []
    try:
        if (top := yaml.compose(text, Loader=yaml.SafeLoader)) is not None:
            twice = _said_twice(top, str(path))
        data = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        msg = f"{path} is not valid YAML: {error}"
        raise ConfigurationError(msg, "file") from error
    if not isinstance(data, Mapping):
        msg = f"{path} must hold a mapping of settings, not a {type(data).__name__}"
        raise ConfigurationError(msg, "file")
    return data, twice


def _said_twice(
    node: Any, where: str, setting: str | None = None, above: tuple[Any, ...] = ()
) -> list[ConfigurationError]:
    """Keys that stand twice in one mapping: YAML's readers take the last, and what stood first is gone in silence."""
    found: list[ConfigurationError] = []
    if node in above:  # an alias may name what it stands in
        return found
    lines: dict[str, int] = {}
    for item in node.value if node.id in ("mapping", "sequence") else ():
        key, value = item if isinstance(item, tuple) else (None, item)
        name = setting
        if key is not None:
            name = setting or str(key.value)
            line = key.start_mark.line + 1
            if key.id == "scalar" and key.value in lines:
                said = f"{where}: {key.value!r} stands twice, in lines {lines[key.value]} and {line}; write it once"
                found.append(ConfigurationError(said, name))
            lines[str(key.value)] = line
        found += _said_twice(value, where, name, (*above, node))
    return found
