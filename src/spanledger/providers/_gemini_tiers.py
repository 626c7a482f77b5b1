"""
The service tier of Google's two APIs: what was asked for, and what the answer says came of it.

https://ai.google.dev/gemini-api/docs/priority-inference
https://docs.cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/GenerateContentResponse
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .. import semconv
from ._gemini_contents import either
from ._wire import fields

__all__ = ["read_request_tier", "read_response_tier", "told_in"]

_HEADER: Final = "x-gemini-service-tier"
_TITLED: Final = _HEADER.title()  # as some transports spell it
_UNSAID: Final = frozenset({"", "unspecified", "traffic_type_unspecified"})


def read_request_tier(settings: dict[str, Any], body: Mapping[str, Any]) -> None:
    """What *body* asks for, into *settings*."""
    _put(settings, semconv.REQUEST_TIER, either(body, "serviceTier", "service_tier"))


def read_response_tier(extra: dict[str, Any], found: Mapping[str, Any]) -> None:
    """What an answer or a chunk says, into *extra*; Vertex AI says it as a kind of traffic."""
    _put(extra, semconv.RESPONSE_TIER, fields(found.get("usageMetadata")).get("trafficType"))
    _put(extra, semconv.RESPONSE_TIER, either(found, "serviceTier", "service_tier"))


def told_in(headers: Any) -> Any:
    """Which tier answered, as the Gemini API says it: the one that was asked for may have been full."""
    return headers.get(_HEADER) or headers.get(_TITLED) if isinstance(headers, Mapping) else None


def _put(into: dict[str, Any], name: str, value: Any) -> None:
    word = getattr(value, "value", value)
    if isinstance(word, str):
        word = word.lower().removeprefix("service_tier_").removeprefix("on_demand_")
        if word not in _UNSAID:
            into[name] = word
