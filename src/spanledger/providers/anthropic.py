"""
Anthropic, also on Bedrock and Vertex.

https://github.com/anthropics/anthropic-sdk-python
"""

from __future__ import annotations

from typing import Any, Final

from ._adapter import Adapter
from ._anthropic_messages import COMPLETE, COUNT, MESSAGES
from ._peers import HOSTS, base_url, peers
from ._plain_calls import plain_call
from ._stainless import by_path, stainless
from ._wire import fields

__all__ = ["ADAPTER", "MESSAGES"]


def _own_name(client: Any) -> str:
    for kind in type(client).__mro__:
        if "bedrock" in kind.__module__ or "Bedrock" in kind.__name__:
            return "aws.bedrock"
        if "vertex" in kind.__module__ or "Vertex" in kind.__name__:
            return "gcp.vertex_ai"
    return "anthropic"


def _speaks_otel(client: Any) -> Any:
    """What *client* makes its own spans with, which is the default; a version that makes none has no such property."""
    enabled = fields(fields(getattr(client, "open_telemetry", None)).get("traces")).get("enabled") is True
    return getattr(client, "_tracer", True) if enabled else None


# Azure serves it under the same hosts, but not as Azure OpenAI
_HOSTS: Final = tuple(known for known in HOSTS if not known[1].startswith("azure"))

ADAPTER: Final = Adapter(
    package="anthropic",
    distribution="anthropic",
    oldest="0.45",
    seams=(
        stainless(
            "anthropic",
            by_path(
                {
                    "/v1/messages": MESSAGES,
                    "/messages/count_tokens": COUNT,
                    "/messages/batches": plain_call("batch"),
                    "/v1/complete": COMPLETE,
                }
            ),
            peers(_own_name, of=base_url, hosts=_HOSTS),
        ),
    ),
    speaks_otel=_speaks_otel,
    quiet=("ANTHROPIC_OPEN_TELEMETRY", "false"),
    voices=("anthropic._base_client:start_api_call_span",),
    speaks="anthropic._base_client:SyncAPIClient.open_telemetry",
    unseen="agents and sessions that the server runs",
)
