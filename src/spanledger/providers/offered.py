"""
Which of the tools that a model asked for were never offered to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from ..model import ToolCall
from ._adapter import Endpoint
from ._wire import fields

__all__ = ["never_offered"]

_FUNCTIONS: Final = frozenset({"function", "custom"})
_ELSEWHERE: Final = ("cachedContent", "cached_content", "prompt")
"""Keys of a request by which tools may be offered that it does not hold."""


def never_offered(endpoint: Endpoint, body: Any, calls: Sequence[ToolCall]) -> list[str]:
    """
    The names in *calls* that the request *body* does not define; empty where that can't be told.

    A provider's own tools may ask under other names, so a request that offers one is not judged.
    """
    found = fields(body)
    if any(found.get(key) for key in _ELSEWHERE):
        return []
    tools = endpoint.read_tools(body)
    if not tools or not all(tool.get("type") in _FUNCTIONS for tool in tools):
        return []
    offered = {tool.get("name") for tool in tools}
    return [name for name in dict.fromkeys(call.name for call in calls) if name and name not in offered]
