"""
Gemini and Vertex AI with Google's client.

https://github.com/googleapis/python-genai

The choke point is the transport: it takes JSON and gives JSON, whole or piece by piece.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ._adapter import Adapter, Endpoint, Found, Peer, Seam
from ._gemini_contents import read_messages
from ._gemini_embeddings import EMBED, IMAGES, read_nothing
from ._generate_content import GENERATE, read_request, unpack
from ._interactions import INTERACTIONS
from ._peers import base_url, peers
from ._plain_calls import plain_call
from ._realtime import connections
from ._stainless import by_path, stainless
from ._wire import as_list, fields

__all__ = ["ADAPTER", "ROUTES"]


COUNT: Final = Endpoint("count_tokens", read_request, read_nothing, read_messages=read_messages, inference=False)

ROUTES: Final[Mapping[str, Endpoint]] = {
    "generateContent": GENERATE,
    "streamGenerateContent": GENERATE,
    "embedContent": EMBED,
    "batchEmbedContents": EMBED,
    "predict": EMBED,
    "predictLongRunning": plain_call("video_generation", "video"),
    "batchGenerateContent": plain_call("batch"),
    "asyncBatchEmbedContent": plain_call("batch"),
    "countTokens": COUNT,
    "computeTokens": COUNT,
}

_PATH, _BODY, _OPTIONS = 1, 2, 3  # request(http_method, path, request_dict, http_options)


def _recognize(client: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Found | None:
    path = args[_PATH] if len(args) > _PATH else kwargs.get("path")
    if not isinstance(path, str) or ":" not in path:
        return None
    before, _, operation = path.partition("?")[0].rpartition(":")
    endpoint = ROUTES.get(operation)
    if endpoint is None:
        return None
    sent = args[_BODY] if len(args) > _BODY else kwargs.get("request_dict")
    options = args[_OPTIONS] if len(args) > _OPTIONS else kwargs.get("http_options")
    body = dict(_merged(fields(sent), fields(fields(options).get("extra_body"))))
    body["model"] = before.rpartition("models/")[2]
    if operation.startswith("stream"):
        body["stream"] = True
    if endpoint is EMBED and "prompt" in fields(next(iter(as_list(body.get("instances"))), None)):
        endpoint = IMAGES
    return Found(endpoint, body, _peer(client))


def _merged(body: Mapping[str, Any], extra: Mapping[str, Any]) -> Mapping[str, Any]:
    if not extra:
        return body
    nested = {k: _merged(fields(body.get(k)), v) for k, v in extra.items() if isinstance(v, Mapping)}
    return {**body, **extra, **nested}


def _provider(client: Any) -> str:
    return "gcp.vertex_ai" if getattr(client, "vertexai", False) else "gcp.gemini"


def _base_url(client: Any) -> Any:
    read = getattr(client, "get_read_only_http_options", None)
    return fields(read()).get("base_url") if callable(read) else None


_peer = peers(_provider, of=_base_url, fixed=True)
_interactions_peer = peers(lambda _: "gcp.gemini", of=base_url)


def _peer_of_live(live: Any) -> Peer:
    return _peer(live._api_client)  # noqa: SLF001


def _recognize_interaction(client: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Found | None:
    return None if args else Found(INTERACTIONS, kwargs, _interactions_peer(client))


ADAPTER: Final = Adapter(
    package="google.genai",
    distribution="google-genai",
    oldest="1.20",
    seams=(
        Seam("google.genai._api_client", "BaseApiClient.request", "BaseApiClient.async_request", _recognize, unpack),
        Seam(
            "google.genai._api_client",
            "BaseApiClient.request_streamed",
            "BaseApiClient.async_request_streamed",
            _recognize,
            unpack,
        ),
        Seam(
            "google.genai._gaos.google_genai",
            "GeminiNextGenInteractions.create",
            "AsyncGeminiNextGenInteractions.create",
            _recognize_interaction,
        ),
        # the same API in older versions
        stainless("google.genai._interactions", by_path({"/interactions": INTERACTIONS}), _interactions_peer),
        *connections("google.genai.live", "AsyncLive.connect", _peer_of_live),
        *connections("google.genai.live_music", "AsyncLiveMusic.connect", _peer_of_live),
    ),
    unseen="what is said in live sessions, tuning, batch jobs on Vertex AI",
)
