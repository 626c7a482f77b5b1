"""
Who answers: the provider's name and server, told by a client object's base URL.

The name is the convention's where it has one.  A host that is not in the table keeps the client's own name, because the
convention wants the flavour that is spoken, not a guess at what stands behind a proxy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit
from weakref import ref

from ._adapter import Peer

__all__ = ["HOSTS", "base_url", "peers"]

HOSTS: Final = (
    ("api.openai.com", "openai"),
    ("openai.azure.com", "azure.ai.openai"),
    ("cognitiveservices.azure.com", "azure.ai.openai"),
    ("services.ai.azure.com", "azure.ai.openai"),
    ("api.anthropic.com", "anthropic"),
    ("aiplatform.googleapis.com", "gcp.vertex_ai"),
    ("generativelanguage.googleapis.com", "gcp.gemini"),
    ("api.deepseek.com", "deepseek"),
    ("api.groq.com", "groq"),
    ("api.x.ai", "x_ai"),
    ("api.perplexity.ai", "perplexity"),
    ("api.mistral.ai", "mistral_ai"),
    ("api.moonshot.ai", "moonshot_ai"),
    ("api.moonshot.cn", "moonshot_ai"),
    ("api.cohere.ai", "cohere"),
    ("api.cohere.com", "cohere"),
    ("openrouter.ai", "openrouter"),
    ("api.together.xyz", "together"),
    ("api.together.ai", "together"),
    ("api.fireworks.ai", "fireworks"),
    ("api.cerebras.ai", "cerebras"),
    ("router.huggingface.co", "huggingface"),
    ("ml.cloud.ibm.com", "ibm.watsonx.ai"),
)
"""Host, or the end of one after a dot or dash, and the provider."""

_PORTS: Final = {"https": 443, "http": 80}
_MAX_CLIENTS: Final = 1024


def _provider_of(host: str, hosts: Sequence[tuple[str, str]]) -> str | None:
    if host.startswith("bedrock") and host.endswith((".amazonaws.com", ".api.aws")):
        return "aws.bedrock"
    for known, provider in hosts:
        if host == known or host.endswith(("." + known, "-" + known)):  # us-east5-aiplatform.googleapis.com
            return provider
    return None


def base_url(client: Any) -> Any:
    """The base URL of a Stainless client, as the object that it keeps as long as nobody sets another."""
    try:
        return client.__dict__["_base_url"]
    except (AttributeError, KeyError):
        return getattr(client, "base_url", None)


def peers(
    own: Callable[[Any], str],
    *,
    of: Callable[[Any], Any],
    fixed: bool = False,
    hosts: Sequence[tuple[str, str]] = HOSTS,
) -> Callable[[Any], Peer]:
    """
    A function from a client object to its `Peer`, remembered per client as long as the client lives.

    *own* names the provider where the host is unknown; *of* gets the base URL out of the client, every
    time unless it is *fixed* for the client's life.
    """
    known: dict[int, tuple[Any, Any, Peer]] = {}

    def peer(client: Any) -> Peer:
        seen = known.get(id(client))
        if seen is not None and seen[0]() is not client:
            seen = None
        if fixed and seen is not None:
            return seen[2]
        url = of(client)
        if seen is not None and seen[1] is url:
            return seen[2]
        found, key = _peer(client, url), id(client)
        if len(known) < _MAX_CLIENTS:
            with suppress(TypeError):  # not weakly referable: somebody's stand-in for a client
                known[key] = (ref(client, lambda _: known.pop(key, None)), url, found)
        return found

    def _peer(client: Any, url: Any) -> Peer:
        try:
            parts = urlsplit(str(url or ""))
            host, port = parts.hostname, parts.port
        except ValueError:
            return Peer(own(client))
        if not host:
            return Peer(own(client))
        return Peer(_provider_of(host, hosts) or own(client), host, port or _PORTS.get(parts.scheme))

    return peer
