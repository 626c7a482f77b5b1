"""
How things end in Claude Code: a request, a subagent, a tool call; in our words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..outcomes import classify_code, stop_reason_of_finish

__all__ = ["error_of_request", "error_of_tool", "reason_of_result", "reason_of_task"]

_SUBTYPES: Final = {"error_max_turns": "max_steps", "error_max_budget_usd": "budget_exceeded"}
_TERMINAL: Final = {
    "aborted_streaming": "cancelled", "aborted_tools": "cancelled", "background_requested": "interrupted",
    "tool_deferred": "interrupted", "max_turns": "max_steps", "budget_exhausted": "budget_exceeded",
    "hook_stopped": "denied", "stop_hook_prevented": "denied",
}  # fmt: skip
_ERRORS: Final = {
    "rate_limit": "rate_limited", "authentication_failed": "auth", "billing_error": "rate_limited",
    "oauth_org_not_allowed": "auth", "account_on_hold": "auth", "verification_required": "auth",
    "cloud_credential_error": "auth", "invalid_request": "invalid_arguments", "model_not_found": "not_found",
}  # fmt: skip
_TOO_LONG: Final = "prompt is too long"
_TASKS: Final = {"completed": None, "failed": "error", "killed": "cancelled", "stopped": "cancelled"}
_RUNNING: Final = ("pending", "running", None)
_STOPPED: Final = ("interrupted", "cancelled")
_SAYING: Final = (
    ("<tool_use_error>Error: No such tool available", "unknown_tool"),
    ("<tool_use_error>InputValidationError", "invalid_arguments"),
    ("File does not exist", "not_found"),
)  # fmt: skip
"""How the texts of tools of its own begin, and what they mean."""
_TIMED_OUT: Final = "\nCommand timed out after "
_RUN_DOWN: Final = "this call was stopped while running"


def reason_of_result(message: Mapping[str, Any], cut: str | None, *, denied: bool) -> str:
    """
    The stop reason that a result stands for.

    *cut* is what the process itself said of the last answer; *denied*, whether the last tool call was.
    """
    subtype, terminal = str(message.get("subtype")), str(message.get("terminal_reason"))
    if message.get("deferred_tool_use"):
        return "interrupted"
    if terminal == "aborted_tools" and denied:
        return "denied"
    if (found := _TERMINAL.get(terminal) or _SUBTYPES.get(subtype)) is not None:
        return found
    if message.get("is_error"):
        return cut or ("model_error" if subtype == "success" else "error")
    return stop_reason_of_finish([str(message.get("stop_reason"))])


def reason_of_task(status: Any) -> str | None:
    """The stop reason of a subagent, by its task's *status*; ``completed`` if that is all, `None` while it runs."""
    if status in _RUNNING:
        return None
    return _TASKS.get(str(status), "error") or "completed"


def error_of_request(message: Mapping[str, Any]) -> str:
    """The error class of a request to the model, by the *message* that the process writes in place of an answer."""
    error, status = str(message.get("error")), message.get("api_error_status")
    if error == "invalid_request" and _TOO_LONG in _text((message.get("message") or {}).get("content")).lower():
        return "context_length"
    if error in _ERRORS:
        return _ERRORS[error]
    if status is not None:
        return classify_code(str(status))
    return "connection" if error == "unknown" else "upstream_error"


def error_of_tool(block: Mapping[str, Any], message: Mapping[str, Any]) -> str | None:
    """The error class of a tool's result, where Claude Code says more of it than that it is one."""
    if block.get("is_error") is not True:
        return None
    said = _text(block.get("content"))
    if _RUN_DOWN in said:
        return "cancelled"
    for meta in message.get("tool_result_meta") or ():
        if isinstance(meta, Mapping) and meta.get("id") == block.get("tool_use_id"):
            kind, decision = meta.get("non_execution_kind"), meta.get("permission_decision")
            if kind in _STOPPED:
                return "cancelled"
            if kind or (isinstance(decision, Mapping) and decision.get("decision") == "reject"):
                return "denied"
    if _TIMED_OUT in said:
        return "timeout"
    return next((found for start, found in _SAYING if said.startswith(start)), None)


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(str(part.get("text")) for part in content if isinstance(part, Mapping))
    return content if isinstance(content, str) else ""
