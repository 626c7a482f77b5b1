"""
The conventions' names of providers and models in the price library's words.

What can't be told from a name alone is refused here: deployments, application inference profiles, imported models.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

__all__ = ["PROVIDERS", "candidates", "deployment", "library_provider"]

PROVIDERS: Final = {
    "openai": "openai", "anthropic": "anthropic", "cohere": "cohere", "deepseek": "deepseek", "groq": "groq",
    "perplexity": "perplexity", "openrouter": "openrouter", "databricks": "databricks", "cloudflare": "cloudflare",
    "voyageai": "voyageai", "minimax": "minimax", "novita": "novita", "avian": "avian", "arcee": "arcee",
    "baseten": "baseten", "cerebras": "cerebras", "elevenlabs": "elevenlabs", "meta": "meta", "modal": "modal",
    "azure.ai.openai": "azure", "azure.ai.inference": "azure", "az.ai.openai": "azure", "az.ai.inference": "azure",
    "azure": "azure", "azure_openai": "azure",
    "aws.bedrock": "aws", "aws_bedrock": "aws", "bedrock": "aws", "aws": "aws",
    "gcp.gemini": "google", "gcp.gen_ai": "google", "gcp.vertex_ai": "google", "gemini": "google", "google": "google",
    "vertex_ai": "google",
    "mistral_ai": "mistral", "mistral": "mistral", "mistralai": "mistral",
    "x_ai": "x-ai", "xai": "x-ai", "x-ai": "x-ai",
    "together": "together", "together_ai": "together", "togetherai": "together",
    "fireworks": "fireworks", "fireworks_ai": "fireworks",
    "moonshot_ai": "moonshotai", "moonshotai": "moonshotai", "moonshot": "moonshotai",
    "zai": "zai", "z_ai": "zai", "zhipuai": "zhipuai", "ovhcloud": "ovhcloud", "github_copilot": "github-copilot",
}  # fmt: skip
"""`gen_ai.provider.name` -> the price library's id.  One that is missing has prices only by override."""

_DEPLOYMENTS: Final = frozenset({"azure.ai.openai", "az.ai.openai", "azure", "azure_openai"})
"""Providers whose *requested* model is a deployment that the user named."""

_OPAQUE: Final = (
    ":application-inference-profile/", ":provisioned-model/", ":custom-model/", ":imported-model/",
    ":custom-model-deployment/", ":prompt-router/", ":default-prompt-router/",
)  # fmt: skip
"""Parts of ARNs that hide the model behind an id."""


def library_provider(provider: str) -> str | None:
    """The price library's id of *provider*, `None` when it has none."""
    return PROVIDERS.get(provider.lower())


def deployment(provider: str) -> bool:
    """Whether a requested model of *provider* is a name that its user made up."""
    return provider.lower() in _DEPLOYMENTS


def candidates(library_id: str, model: str) -> Iterator[str]:
    """The spellings under which the library may know *model*, the plainest last."""
    model = model.strip().lower()
    if any(mark in model for mark in _OPAQUE):
        return
    yield model
    for mark in ("/models/", "models/", "inference-profile/", "foundation-model/"):
        if mark in model:
            model = model.rpartition(mark)[2]
            yield model
            break
    head, slash, tail = model.partition("/")
    if slash and PROVIDERS.get(head) == library_id:
        yield tail
