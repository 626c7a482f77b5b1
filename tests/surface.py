"""What of an installed client may cost money: where it posts to, or its public methods; and whether an adapter sees it."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from spanledger.providers import ADAPTERS

FREE = re.compile(
    r"^(get|list|delete|update|retrieve|cancel|close|download|with_|archive|enable|disable|to_|set_|wait|async_|archive|bulk_|search|fetch|upload)|_async$"
)
"""Begins the names of methods that nobody pays for; what exists twice is counted once."""

POSTING = ("anthropic", "cerebras.cloud.sdk", "fireworks", "groq", "openai", "perplexity", "together")
METHODS = {
    "cohere": ("raw_base_client", "v2.raw_client", "audio.transcriptions.raw_client", "embed_jobs.raw_client", "batches.raw_client"),
    "google.genai": ("models", "batches", "chats", "live", "caches", "tunings", "file_search_stores"),
    "huggingface_hub": ("inference._client",),
    "mistralai": ("*",),
    "openrouter": ("*",),
    "replicate": ("prediction", "model", "deployment", "training"),
    "xai_sdk": ("sync.chat", "sync.image", "sync.video", "sync.batch", "aio.chat"),
    "ibm_watsonx_ai": ("foundation_models.inference.model_inference", "foundation_models.embeddings.embeddings", "foundation_models.rerank.rerank"),
}  # fmt: skip
_POST = re.compile(r"""_post\(\s*((?:[^"']{0,60}f?["']/[^"']+["']){1,2})""")
_URL = re.compile(r"""["'](/[^"']+)["']""")
_SERVICES = ("bedrock-runtime", "bedrock-agent-runtime")


def surface(package: str) -> dict[str, bool]:
    """Each name, and whether an adapter stands there; raises `ImportError` where the client is not installed."""
    if package in POSTING:
        return dict(_posts(package))
    if package == "botocore":
        return dict(_operations())
    if package == "ollama":
        return dict(_paths())
    if package == "litellm":
        return dict(_functions())
    return dict(_methods(package))


def _adapter(package: str) -> Any:
    return next(adapter for adapter in ADAPTERS if adapter.package == package)


def _posts(package: str) -> Iterator[tuple[str, bool]]:
    folder = Path(importlib.import_module(package).__file__).parent
    seam = _adapter(package).seams[0]
    for path in sorted(folder.rglob("*.py")):
        for url in _URL.findall(" ".join(_POST.findall(path.read_text(encoding="utf-8")))):
            url = url.partition("?")[0]  # noqa: PLW2901
            options = SimpleNamespace(method="post", url=url, json_data={})
            yield url, seam.recognize(SimpleNamespace(base_url="http://x.test"), (object, options), {}) is not None


def _operations() -> Iterator[tuple[str, bool]]:
    session = importlib.import_module("botocore.session").get_session()
    seam = _adapter("botocore").seams[0]
    for service in _SERVICES:
        meta = SimpleNamespace(service_model=SimpleNamespace(service_name=service), endpoint_url="http://x.test")
        for name in session.get_service_model(service).operation_names:
            if not FREE.match(name.lower()):
                yield f"{service}:{name}", seam.recognize(SimpleNamespace(meta=meta), (name, {}), {}) is not None


def _paths() -> Iterator[tuple[str, bool]]:
    source = inspect.getsource(importlib.import_module("ollama._client"))
    seam = _adapter("ollama").seams[0]
    for path in re.findall(r"'POST',\s*'([^']+)'", source):
        yield path, seam.recognize(SimpleNamespace(_client=None), (object, "POST", path), {}) is not None


def _functions() -> Iterator[tuple[str, bool]]:
    module = importlib.import_module("litellm")
    seen = {name for seam in _adapter("litellm").seams for name in (seam.sync, seam.asyncio)}
    for name in dir(module):
        if callable(getattr(module, name)) and callable(getattr(module, f"a{name}", None)) and not FREE.match(name):
            yield name, name in seen


def _methods(package: str) -> Iterator[tuple[str, bool]]:
    seen = {f"{seam.module}:{name}" for seam in _adapter(package).seams for name in (seam.sync, seam.asyncio) if name}
    for module in _modules(package):
        for kind in vars(module).values():
            if (
                not inspect.isclass(kind)
                or kind.__name__ == "BaseSDK"
                or kind.__module__ != module.__name__
                or kind.__name__.startswith(("_", "Async"))
            ):
                continue
            if package in ("mistralai", "openrouter") and "BaseSDK" not in [base.__name__ for base in kind.__mro__]:
                continue
            for name, value in vars(kind).items():
                if inspect.isfunction(value) and not name.startswith("_") and not FREE.search(name):
                    place = f"{module.__name__}:{kind.__name__}.{name}"
                    yield place, place in seen or _through(package, kind.__name__, name)


def _through(package: str, kind: str, name: str) -> bool:
    if package == "google.genai":  # through the transport
        return kind in ("Models", "Chat", "Batches")
    return f"{kind}.{name}" in ("Chat.parse", "Chat.parse_stream") and package == "mistralai"  # through the others


def _modules(package: str) -> Iterator[Any]:
    importlib.import_module(package)
    for name in METHODS[package]:
        if name != "*":
            try:
                yield importlib.import_module(f"{package}.{name}")
            except ImportError:  # not in this version
                continue
            continue
        try:
            inner = importlib.import_module(f"{package}.client.chat" if package == "mistralai" else f"{package}.chat")
        except ImportError:  # 1.x
            inner = importlib.import_module(f"{package}.chat")
        inner = importlib.import_module(inner.__package__)
        for found in pkgutil.iter_modules(inner.__path__, f"{inner.__name__}."):
            if not found.ispkg and "." not in found.name[len(inner.__name__) + 1 :]:
                yield importlib.import_module(found.name)
