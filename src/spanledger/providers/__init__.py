"""
The LLM clients that we can read.  To add one, write its module and list it here.
"""

from __future__ import annotations

from . import (
    anthropic,
    bedrock,
    cohere,
    google_genai,
    huggingface,
    litellm,
    mistralai,
    ollama,
    openai,
    openrouter,
    replicate,
    stainless_clients,
    watsonx,
    xai,
)
from ._adapter import Adapter, Endpoint, Found, Peer, Seam
from ._forced import forced

__all__ = ["ADAPTERS", "Adapter", "Endpoint", "Found", "Peer", "Seam", "forced"]

ADAPTERS = (
    anthropic.ADAPTER,
    bedrock.ADAPTER,
    cohere.ADAPTER,
    google_genai.ADAPTER,
    huggingface.ADAPTER,
    litellm.ADAPTER,
    mistralai.ADAPTER,
    ollama.ADAPTER,
    openai.ADAPTER,
    openrouter.ADAPTER,
    replicate.ADAPTER,
    *stainless_clients.ADAPTERS,
    watsonx.ADAPTER,
    xai.ADAPTER,
)
