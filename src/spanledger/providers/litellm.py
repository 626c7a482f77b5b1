"""
LiteLLM, the library and its router.

https://docs.litellm.ai

Which client stands underneath (OpenAI's, or none at all) differs by provider, model and version, so its own call is the
call; whatever it uses inside is not another.  The router comes down to the same functions, once for each attempt.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from ..model import Draft
from ._adapter import Adapter, Endpoint, Found, Peer, Seam
from ._anthropic_messages import MESSAGES
from ._chat_chunks import fold
from ._chat_completions import CHAT_ALIKE, COMPLETIONS
from ._embeddings import EMBEDDINGS
from ._generate_content import GENERATE
from ._methods import arguments
from ._openai_media import IMAGES, MODERATIONS, SPEECH, TRANSCRIPTIONS
from ._plain_calls import plain_call
from ._responses import RESPONSES
from ._tokens import read_usage
from ._wire import fields

__all__ = ["ADAPTER"]

_PROVIDERS: Final = {
    "azure": "azure.ai.openai", "azure_text": "azure.ai.openai", "azure_ai": "azure.ai.inference",
    "bedrock": "aws.bedrock", "bedrock_converse": "aws.bedrock", "sagemaker": "aws.sagemaker",
    "vertex_ai": "gcp.vertex_ai", "vertex_ai_beta": "gcp.vertex_ai", "gemini": "gcp.gemini", "mistral": "mistral_ai",
    "codestral": "mistral_ai", "cohere_chat": "cohere", "together_ai": "together", "xai": "x_ai",
    "ollama_chat": "ollama", "fireworks_ai": "fireworks", "watsonx": "ibm.watsonx.ai", "moonshot": "moonshot_ai",
    "text-completion-openai": "openai", "custom_openai": "openai",
}  # fmt: skip


def _fold(draft: Draft, chunk: Any) -> None:
    """
    Add *chunk* to *draft*.

    What the provider said of its tokens is taken out of the chunks unless `include_usage` was asked for, and stands
    hidden on one of the last; noughts where it said nothing.
    """
    fold(draft, chunk)
    hidden = getattr(chunk, "_hidden_params", None)
    if hidden and (said := hidden.get("usage")) is not None:
        usage = read_usage(fields(said))
        if usage.total:
            draft.usage = usage


_DATA: Final = b"data:"


def _event(line: bytes) -> Any:
    if line.startswith(_DATA):
        with suppress(ValueError):
            return json.loads(line[len(_DATA) :])
    return None


def _may_begin(line: bytes) -> bool:
    """Whether *line* may be the beginning of an event's data, which ends in a later chunk."""
    return _DATA.startswith(line) or (line.startswith(_DATA) and line[len(_DATA) :].strip()[:1] in (b"", b"{"))


def _of_wire(endpoint: Endpoint) -> Endpoint:
    """*endpoint*, where a stream is the provider's events as they came, or turned into them: bytes."""

    def folds(draft: Draft, chunk: Any) -> None:
        if not isinstance(chunk, (bytes, str)):
            endpoint.fold(draft, chunk)
            return
        lines = (draft.cut + (chunk if isinstance(chunk, bytes) else chunk.encode())).split(b"\n")
        draft.cut = b""
        for at, line in enumerate(lines, 1):
            event = _event(line)
            if event is not None:
                endpoint.fold(draft, event)
            elif at == len(lines) and _may_begin(line):
                draft.cut = line

    return replace(endpoint, fold=folds)


_MODEL: Final = ("model",)
_MESSAGES: Final = "litellm.anthropic_interface.messages"
_GEMINI: Final = "litellm.google_genai"
_CALLS: Final[Mapping[str, tuple[Endpoint, tuple[str, ...]]]] = {
    "completion": (replace(CHAT_ALIKE, fold=_fold), ("model", "messages")),
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


def _seam(name: str, endpoint: Endpoint, positional: tuple[str, ...], module: str = "litellm") -> Seam:
    def recognize(_: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Found:
        body = arguments(args, kwargs, positional)
        if name.endswith("_stream"):
            body["stream"] = True
        model, provider = _who(body.get("model"), body.get("custom_llm_provider"), body.get("api_base"))
        return Found(endpoint, {**body, "model": model}, Peer(provider))

    return Seam(module, name, f"a{name}", recognize, optional=True)


ADAPTER: Final = Adapter(
    package="litellm",
    distribution="litellm",
    oldest="1.106",
    seams=(
        *(_seam(name, *call) for name, call in _CALLS.items()),
        _seam("create", _of_wire(MESSAGES), ("max_tokens", "messages", "model"), _MESSAGES),
        _seam("generate_content", GENERATE, ("model", "contents"), _GEMINI),
        _seam("generate_content_stream", _of_wire(GENERATE), ("model", "contents"), _GEMINI),
    ),
    covers=True,
    unseen="realtime, assistants, fine-tuning, pass-through endpoints; the proxy is a program of its own",
)
