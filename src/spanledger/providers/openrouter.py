"""
OpenRouter with its own client.

https://github.com/OpenRouterTeam/python-sdk
"""

from __future__ import annotations

from typing import Any, Final

from ._adapter import Adapter
from ._chat_completions import CHAT_ALIKE
from ._embeddings import EMBEDDINGS
from ._methods import methods
from ._peers import peers
from ._plain_calls import plain_call
from ._responses import RESPONSES

__all__ = ["ADAPTER"]


def _base_url(resource: Any) -> Any:
    return resource.sdk_configuration.get_server_details()[0]


_peer = peers(lambda _: "openrouter", of=_base_url, fixed=True)
_CALLS: Final = {
    ("chat", "Chat.send"): CHAT_ALIKE,
    ("responses", "Responses.send"): RESPONSES,
    ("beta_responses", "BetaResponses.send"): RESPONSES,
    ("embeddings", "Embeddings.generate"): EMBEDDINGS,
    ("rerank", "Rerank.rerank"): plain_call("rerank"),
    ("images", "Images.generate"): plain_call("image_generation", "image"),
    ("video_generation", "VideoGeneration.generate"): plain_call("video_generation", "video"),
    ("tts", "TTS.create_speech"): plain_call("speech", "speech"),
    ("stt", "STT.create_transcription"): plain_call("transcription"),
    ("stt", "STT.create_transcription_multipart"): plain_call("transcription"),
    ("batch", "Batch.create_batches"): plain_call("batch"),
    ("decisions", "Decisions.create"): plain_call("decision"),
    ("systemone", "SystemOne.create"): plain_call("systemone"),
    ("presets", "Presets.create_presets_chat_completions"): plain_call("chat"),
    ("presets", "Presets.create_presets_messages"): plain_call("chat"),
    ("presets", "Presets.create_presets_responses"): plain_call("chat"),
}

ADAPTER: Final = Adapter(
    package="openrouter",
    distribution="openrouter",
    oldest="1.3",
    seams=tuple(
        seam
        for (module, method), endpoint in _CALLS.items()
        for seam in methods(f"openrouter.{module}", {f"{method}|{method}_async": endpoint}, _peer, optional=True)
    ),
)
