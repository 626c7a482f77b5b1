"""
Messages as span attributes: one JSON text per list, in the shape that Phoenix and Jaeger read.
"""

from __future__ import annotations

from typing import Any

from .. import semconv
from ..canonical import to_json
from ..model import Response
from ..providers import Endpoint

__all__ = ["content_attributes", "output_attribute"]

def content_attributes(endpoint: Endpoint, body: Any) -> dict[str, Any]:
    """System instructions, input messages and tool definitions of a request."""
    system, messages = endpoint.read_messages(body)
    found: dict[str, Any] = {}
    if system:
        found[semconv.SYSTEM_INSTRUCTIONS] = to_json(system)
    if messages:
        found[semconv.INPUT_MESSAGES] = to_json(messages)
    if tools := endpoint.read_tools(body):
        found[semconv.TOOL_DEFINITIONS] = to_json(tools)
    return found


def output_attribute(response: Response) -> dict[str, Any]:
    """The output messages of a response."""
    return {semconv.OUTPUT_MESSAGES: to_json(response.messages)}
