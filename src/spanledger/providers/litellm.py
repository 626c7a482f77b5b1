"""
LiteLLM, the library and its router.

https://docs.litellm.ai

Which client stands underneath (OpenAI's, or none at all) differs by provider, model and version, so its own call is the
call; whatever it uses inside is not another.  The router comes down to the same functions, once for each attempt.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from ._adapter import Adapter, Endpoint, Found, Peer, Seam
from ._chat_completions import CHAT_ALIKE, COMPLETIONS
from ._embeddings import EMBEDDINGS
from ._methods import arguments
from ._openai_media import IMAGES, MODERATIONS, SPEECH, TRANSCRIPTIONS
from ._plain_calls import plain_call
from ._responses import RESPONSES

__all__ = ["ADAPTER"]

_PROVIDERS: Final = {
    "azure": "azure.ai.openai", "azure_text": "azure.ai.openai", "azure_ai": "azure.ai.inference",
    "bedrock": "aws.bedrock", "bedrock_converse": "aws.bedrock", "sagemaker": "aws.sagemaker",
    "vertex_ai": "gcp.vertex_ai", "vertex_ai_beta": "gcp.vertex_ai", "gemini": "gcp.gemini", "mistral": "mistral_ai",
    "codestral": "mistral_ai", "cohere_chat": "cohere", "together_ai": "together", "xai": "x_ai",
    "ollama_chat": "ollama", "fireworks_ai": "fireworks", "watsonx": "ibm.watsonx.ai", "moonshot": "moonshot_ai",
    "text-completion-openai": "openai", "custom_openai": "openai",
}  # fmt: skip
_MODEL: Final = ("model",)
_CALLS: Final[Mapping[str, tuple[Endpoint, tuple[str, ...]]]] = {
    "completion": (CHAT_ALIKE, ("model", "messages")),
    "text_completion": (COMPLETIONS, ("prompt", "model")),
    "embedding": (EMBEDDINGS, ("model", "input")),
    "responses": (replace(RESPONSES, attributes={}), ("input", "model")),
    "rerank": (plain_call("rerank"), ("model", "query", "documents")),
    "moderation": (MODERATIONS, ("input", "model")),
    "image_generation": (IMAGES, ("prompt", "model")),
    "image_edit": (IMAGES, ("image", "prompt", "model")),
    "image_variation": (IMAGES, ("image", "model")),
    "transcription": (TRANSCRIPTIONS, _MODEL),
    "speech": (SPEECH, ("model", "input")),
    "ocr": (plain_call("ocr"), _MODEL),
    "video_generation": (plain_call("video_generation", "video"), ("prompt", "model")),
    "video_edit": (plain_call("video_generation", "video"), _MODEL),
    "video_extension": (plain_call("video_generation", "video"), _MODEL),
    "video_remix": (plain_call("video_generation", "video"), _MODEL),
    "compact_responses": (plain_call("compaction"), _MODEL),
    "decisions": (plain_call("decision"), _MODEL),
    "systemone": (plain_call("systemone"), _MODEL),
    "create_batch": (plain_call("batch"), ()),
    "create_fine_tuning_job": (plain_call("fine_tuning"), _MODEL),
    "search": (plain_call("search", inference=False), ("query",)),
}


def _who(model: Any, provider: Any, base_url: Any) -> tuple[Any, str]:
    """The model without the provider's name before it, and who that is, told by LiteLLM itself."""
    told = getattr(sys.modules.get("litellm"), "get_llm_provider", None)
    if isinstance(model, str) and told is not None:
        try:
            model, provider, *_ = told(model, custom_llm_provider=provider, api_base=base_url)
        except Exception:  # noqa: BLE001 - the call itself will tell the user
            provider = None
    name = str(provider or "litellm")
    return model, _PROVIDERS.get(name, name)


def _seam(name: str, endpoint: Endpoint, positional: tuple[str, ...]) -> Seam:
    def recognize(_: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Found:
        body = arguments(args, kwargs, positional)
        model, provider = _who(body.get("model"), body.get("custom_llm_provider"), body.get("api_base"))
        return Found(endpoint, {**body, "model": model}, Peer(provider))

    return Seam("litellm", name, f"a{name}", recognize, optional=True)


ADAPTER: Final = Adapter(
    package="litellm",
    distribution="litellm",
    oldest="1.106",
    seams=tuple(_seam(name, *call) for name, call in _CALLS.items()),
    covers=True,
    unseen="realtime, assistants, fine-tuning, pass-through endpoints; the proxy is a program of its own",
)
