"""
OpenAI, and whoever else is spoken to with its client.

https://github.com/openai/openai-python
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ._adapter import Adapter, Endpoint, Peer
from ._chat_completions import CHAT, COMPLETIONS
from ._embeddings import EMBEDDINGS
from ._openai_media import IMAGES, MODERATIONS, SPEECH, TRANSCRIPTIONS, TRANSLATIONS
from ._peers import base_url, peers
from ._plain_calls import plain_call
from ._realtime import connections
from ._responses import COMPACT, COUNT, FETCH, RESPONSES
from ._stainless import by_path, stainless

__all__ = ["ADAPTER", "ROUTES"]

_VIDEO: Final = plain_call("video_generation", "video")

ROUTES: Final[Mapping[str, Endpoint]] = {
    "/chat/completions": CHAT,
    "/responses": RESPONSES,
    "/responses/compact": COMPACT,
    "/responses/input_tokens": COUNT,
    "/embeddings": EMBEDDINGS,
    "/completions": COMPLETIONS,
    "/images/generations": IMAGES,
    "/images/edits": IMAGES,
    "/images/variations": IMAGES,
    "/audio/speech": SPEECH,
    "/audio/transcriptions": TRANSCRIPTIONS,
    "/audio/translations": TRANSLATIONS,
    "/moderations": MODERATIONS,
    "/batches": plain_call("batch"),
    "/fine_tuning/jobs": plain_call("fine_tuning"),
    "/videos": _VIDEO,
    "/videos/edits": _VIDEO,
    "/videos/extensions": _VIDEO,
    "/remix": _VIDEO,
    "/decisions": plain_call("decision"),
}

_posted = by_path(ROUTES)


def _lookup(method: str, path: str) -> Endpoint | tuple[Endpoint, Mapping[str, Any]] | None:
    if method in ("get", "GET"):
        before, _, response_id = path.rstrip("/").rpartition("/")
        fetched = before == "responses" or before.endswith("/responses")
        return (FETCH, {"response_id": response_id}) if fetched else None
    return _posted(method, path)


def _own_name(client: Any) -> str:
    return "azure.ai.openai" if any("Azure" in kind.__name__ for kind in type(client).__mro__) else "openai"


_peer = peers(_own_name, of=base_url)


def _peer_of_resource(resource: Any) -> Peer:
    return _peer(resource._client)  # noqa: SLF001


ADAPTER: Final = Adapter(
    package="openai",
    distribution="openai",
    oldest="1.60",
    seams=(
        stainless("openai", _lookup, _peer),
        *connections("openai.resources.realtime.realtime", "Realtime.connect AsyncRealtime.connect", _peer_of_resource),
    ),
    unseen="what is said over a realtime connection, assistants' runs, vector stores, containers, evaluations",
)
