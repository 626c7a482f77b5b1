"""
A kit of recordings, however it is laid out: the folders that hold them, and the server and driver that come with it.

What cannot be read is named, and the rest goes on.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Kit", "open_kit"]

TOOLS = ("kit_facts", "replay_server", "drive")
FAMILIES = {
    "openai": "openai", "anthropic": "anthropic", "gemini": "google.genai", "vertex": "google.genai", "groq": "groq",
    "mistral": "mistralai", "cohere": "cohere", "ollama": "ollama", "bedrock": "botocore",
}  # fmt: skip
"""The first word of an endpoint -> the module of the client that the driver takes for it."""


@dataclass
class Kit:
    """What was found: *left* are the recordings that are not driven here, with the reason, and *unread* other files."""

    drive: Any
    server: Any
    base: str
    recordings: list[dict[str, Any]] = field(default_factory=list)
    left: dict[str, list[str]] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)


def open_kit(folder: Path, only: str = "") -> Kit:
    """The kit in *folder*, its server running; ends the program where there is no kit."""
    found, unread = _recordings(folder)
    tools = next((place for place in _places(folder) if all((place / f"{name}.py").is_file() for name in TOOLS)), None)
    if not found or tools is None:
        missing = f"recordings ({len(unread)} files could not be read)" if not found else f"{', '.join(TOOLS)} (.py)"
        sys.exit(f"no kit in {folder}: {missing} not found in it, below it or beside it")
    sys.path.insert(0, str(tools))
    _, replay_server, drive = (_load(tools, name) for name in TOOLS)
    with tempfile.TemporaryDirectory() as readable:  # the server would stop at the first that is not
        for number, recording in enumerate(found.values()):
            (Path(readable) / f"{number}.json").write_text(json.dumps(recording), encoding="utf-8")
        server, base = replay_server.start([readable])
    kit = Kit(drive, server, base, unread=unread)
    for recording in found.values():
        if only not in recording["id"]:
            continue
        if why := _not_here(recording):
            kit.left.setdefault(f"{recording['endpoint']}: {why}", []).append(recording["id"])
        else:
            kit.recordings.append(recording)
    return kit


def _places(folder: Path) -> list[Path]:
    return [folder, *sorted(path.parent for path in folder.glob("*/drive.py")), folder.resolve().parent]


def _recordings(folder: Path) -> tuple[dict[Path, dict[str, Any]], list[str]]:
    found: dict[Path, dict[str, Any]] = {}
    unread: list[str] = []
    told: dict[str, Any] = {}
    if not folder.is_dir():
        return found, unread
    for path in sorted(folder.rglob("*.json")):
        data = _read(path)
        if path.name == "index.json":
            told.update({one["id"]: one.get("expected") for one in data.get("interactions") or () if "id" in one})
        elif data.keys() >= {"id", "endpoint", "provider", "url", "request", "response"}:
            found[path] = data
        else:
            unread.append(f"{path.name}: not a recording")
    for recording in found.values():
        recording.setdefault("facts", told.get(recording["id"]) or {})
        for name, value in (("tags", []), ("session", recording["id"]), ("step", 0)):
            recording.setdefault(name, value)
    return found, unread


def _read(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError):
        return {}
    return data if isinstance(data, dict) else {}


def _load(folder: Path, name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _not_here(recording: dict[str, Any]) -> str | None:
    package = FAMILIES.get(recording["endpoint"].split(".")[0])
    if package is None:
        return "the driver has no client for it"
    try:
        return None if importlib.util.find_spec(package) else f"{package} is not installed"
    except ModuleNotFoundError:
        return f"{package} is not installed"
