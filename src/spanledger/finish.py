"""
Why a model stopped, in each provider's words, in the convention's, and as the reason why a run ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

__all__ = ["FINISHED", "finished", "stop_reason_of_finish"]

FINISHED: Final = {
    **dict.fromkeys(
        ("end_turn", "stop_sequence", "STOP", "STOP_SEQUENCE", "COMPLETE", "FINISH", "eos", "eos_token", "endoftext"),
        "stop",
    ),
    **dict.fromkeys(("tool_calls", "function_call", "tool_use", "TOOL_CALL"), "tool_call"),
    **dict.fromkeys(
        ("max_tokens", "MAX_TOKENS", "max_output_tokens", "model_context_window_exceeded", "LENGTH", "model_length",
         "ERROR_LIMIT", "token_limit"),
        "length",
    ),
    **dict.fromkeys(
        ("refusal", "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "MODEL_ARMOR",
         "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "guardrail_intervened", "content_filtered",
         "CONTENT_FILTERED", "ERROR_TOXIC", "sensitive"),
        "content_filter",
    ),
    **dict.fromkeys(
        ("ERROR", "failed", "insufficient_system_resource", "network_error",
         "malformed_model_output", "malformed_tool_use",  # Bedrock
         "MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS",  # Gemini
         "MISSING_THOUGHT_SIGNATURE", "NO_IMAGE", "IMAGE_OTHER", "LANGUAGE", "OTHER"),
        "error",
    ),
}  # fmt: skip
"""The convention's word for the provider's, where the two differ."""

_STOPS: Final = {
    "length": "max_tokens", "content_filter": "content_filter", "error": "model_error", "incomplete": "max_tokens",
    "pause_turn": "interrupted", "cancelled": "cancelled", "USER_CANCEL": "cancelled", "abort": "cancelled",
    "time_limit": "timeout", "TIMEOUT": "timeout",
}  # fmt: skip
"""Why a run ends, by the convention's word or one that it does not have; else it is completed."""


def finished(reason: Any) -> str:
    """The convention's word for a provider's finish *reason*; ``error`` where none ever came."""
    said = str(reason or "error")
    return FINISHED.get(said, said)


def stop_reason_of_finish(finish_reasons: Sequence[str]) -> str:
    """What a run that ends on these finish reasons ended for."""
    for reason in finish_reasons:
        if found := _STOPS.get(finished(reason)):
            return found
    return "completed"
