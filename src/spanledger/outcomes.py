"""
The closed sets: why a run stopped, what became of it, what kind of failure a call had; and who decides.

Nothing outside this module invents a stop reason, a status or an error class.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from .errors import LimitExceeded
from .finish import stop_reason_of_finish

__all__ = [
    "ERROR_CLASSES", "STOP_REASONS", "classify_code", "classify_exception", "classify_payload", "error_type",
    "is_cancelled", "status_of", "stop_reason_of_exception", "stop_reason_of_finish",
]  # fmt: skip

MAX_PARSED: Final = 65_536
"""The longest text, in characters, that is parsed to see whether it reports an error."""

STOP_REASONS: Final = (
    "completed", "max_steps", "budget_exceeded", "loop_detected", "timeout", "tool_timeout", "tool_error",
    "model_error", "content_filter", "max_tokens", "denied", "killed", "cancelled", "interrupted", "error", "abandoned",
)  # fmt: skip

ERROR_CLASSES: Final = (
    "timeout", "rate_limited", "auth", "invalid_arguments", "unknown_tool", "not_found", "validation_failed",
    "error_payload", "connection", "upstream_error", "content_filter", "context_length", "denied", "cancelled",
    "exception",
)  # fmt: skip

_STATUS_CLASS = {
    400: "invalid_arguments", 401: "auth", 402: "rate_limited", 403: "auth", 404: "not_found", 405: "invalid_arguments",
    408: "timeout", 409: "upstream_error", 410: "not_found", 413: "context_length", 415: "invalid_arguments",
    422: "invalid_arguments", 424: "upstream_error", 429: "rate_limited", 498: "content_filter", 499: "cancelled",
    504: "timeout",
}  # fmt: skip
"""402 is an empty purse, like a quota that is used up; 424 is Bedrock's, 498 and 499 are Cohere's and Google's."""

_NAME_CLASS = (
    ("timeout", "timeout"), ("timedout", "timeout"), ("ratelimit", "rate_limited"), ("throttl", "rate_limited"),
    ("toomanyrequests", "rate_limited"), ("authentication", "auth"), ("permission", "auth"), ("unauthorized", "auth"),
    ("quotaexceeded", "rate_limited"), ("notfound", "not_found"), ("validationexception", "invalid_arguments"),
    ("validation", "validation_failed"), ("connect", "connection"),
    ("protocolerror", "connection"), ("readerror", "connection"), ("incompleteread", "connection"),
    ("responsestreaming", "connection"), ("clientpayload", "connection"), ("chunkedencoding", "connection"),
    ("overloaded", "upstream_error"),
    ("internalserver", "upstream_error"), ("serviceunavailable", "upstream_error"), ("badrequest", "invalid_arguments"),
    ("accessdenied", "auth"), ("resourceexhausted", "rate_limited"), ("deadlineexceeded", "timeout"),
    ("unauthenticated", "auth"), ("invalidargument", "invalid_arguments"), ("unavailable", "upstream_error"),
    ("modelerror", "upstream_error"), ("modelstreamerror", "upstream_error"),
    ("textgenerationerror", "upstream_error"), ("contentfilter", "content_filter"),
)  # fmt: skip

_CODE_CLASS = {
    "context_length_exceeded": "context_length", "content_filter": "content_filter",
    "content_policy_violation": "content_filter", "rate_limit_exceeded": "rate_limited",
    "rate_limit_error": "rate_limited", "insufficient_quota": "rate_limited", "overloaded_error": "upstream_error",
    "server_error": "upstream_error", "api_error": "upstream_error", "authentication_error": "auth",
    "permission_error": "auth", "invalid_request_error": "invalid_arguments", "not_found_error": "not_found",
    "timeout_error": "timeout", "request_too_large": "context_length", "billing_error": "rate_limited",
    "invalid_prompt": "content_filter", "image_content_policy_violation": "content_filter",
    "moderation_blocked": "content_filter", "ERROR": "upstream_error", "failed": "upstream_error",
}  # fmt: skip
_BLAMED: Final = "invalid_request_error"
"""Said with nearly every 4xx: it tells something only where there is no status."""
_TELLING: Final = frozenset(("context_length", "content_filter", "rate_limited"))
"""What a code says better than a status does: Groq's 413 and Azure's 400 may be either."""
_SAYING: Final = (
    (("context length", "context_length", "context limit", "context window", "maximum context", "maximum prompt length",
      "prompt is too long", "input is too long", "input token count", "too many tokens", "too many input tokens"),
     "context_length"),
    (("content_filter", "content management policy", "content filtering policy", "violating our usage policy",
      "safety system"), "content_filter"),
    (("api key not valid", "api_key_invalid"), "auth"),
    (("credit balance is too low",), "rate_limited"),
)  # fmt: skip
"""What a 400 may mean besides, by what it says."""

_SHOWN_STATUS: Final = re.compile(r"[( ]([45]\d\d)\)\s*$")
"""The status at the end of what IBM's client says, and keeps nowhere else."""
_MAX_SHOWN: Final = 64
_OWN_CLASS: Final = {
    "ollama._types.ResponseError": "upstream_error", "huggingface_hub.errors.ValidationError": "invalid_arguments",
}  # fmt: skip

_ENDED: Final = {"LengthFinishReasonError": "max_tokens", "ContentFilterFinishReasonError": "content_filter"}
"""What OpenAI's parser raises for an answer that ended so."""
_STOPPED = (KeyboardInterrupt, GeneratorExit)
_CANCELLED: Final = ("CancelledError", "Cancelled")
"""By name: looking at asyncio's own class would import asyncio into every program."""
_TYPE_CLASS: Final[tuple[tuple[Any, str], ...]] = (
    (LimitExceeded, "denied"), (_STOPPED, "cancelled"), (TimeoutError, "timeout"), (ConnectionError, "connection"),
    (FileNotFoundError, "not_found"),
)  # fmt: skip


def status_of(stop_reason: str | None) -> str:
    """``running`` without a stop reason, else ``success``, ``timeout`` or ``failure``."""
    if stop_reason is None:
        return "running"
    if stop_reason == "completed":
        return "success"
    return "timeout" if stop_reason in ("timeout", "tool_timeout") else "failure"


def error_type(error: BaseException) -> str:
    """`error.type` as the convention wants it: the exception's class, qualified unless it is a builtin."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _of_status(status: int) -> str | None:
    return _STATUS_CLASS.get(status) or ("upstream_error" if status >= 500 else None)  # noqa: PLR2004


def _as_status(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isdigit():
        value = int(value)
    return value if isinstance(value, int) and 400 <= value <= 599 else None  # noqa: PLR2004


def is_cancelled(error: BaseException) -> bool:
    """Whether somebody stopped the work; by the name that asyncio, its executors and trio's kin share."""
    return isinstance(error, _STOPPED) or any(base.__name__ in _CANCELLED for base in type(error).__mro__)


def classify_exception(error: BaseException) -> str:
    """The error class of an exception, by type first, then code and HTTP status, then its name."""
    for kinds, found in _TYPE_CLASS:
        if isinstance(error, kinds):
            return found
    if is_cancelled(error):
        return "cancelled"
    told = _by_body(error)
    if told in _TELLING:
        return told
    return _by_code(error) or _by_status(error) or told or _by_name(error) or _by_blame(error) or "exception"


def _by_code(error: Any) -> str | None:
    for attribute in ("code", "type"):
        code = error.get(attribute) if isinstance(error, Mapping) else getattr(error, attribute, None)
        if isinstance(code, str) and code in _CODE_CLASS and code != _BLAMED:
            return _CODE_CLASS[code]
    return None


def _by_kind(error: Mapping[str, Any]) -> str | None:
    """As `_by_code`, and also by codes that are not in any list but say what they mean, and by numbers."""
    for code in (error.get("code"), error.get("type")):
        if found := _of_status(_as_status(code) or 0) or (_named(_squeezed(code)) if isinstance(code, str) else None):
            return found
    return None


def _squeezed(code: str) -> str:
    return code.lower().replace("_", "").replace(" ", "")


def _by_body(error: BaseException) -> str | None:
    """What an event in a stream said, which clients keep as the body: it came with status 200."""
    body = _body_of(error)
    if isinstance(body, str) and len(body) <= MAX_PARSED:
        try:
            body = json.loads(body)
        except ValueError:
            return None
    for key in ("", "data", "error"):
        body = body.get(key, body) if isinstance(body, Mapping) else None
        if isinstance(body, Mapping) and (found := _by_code(body) or _by_kind(body)):
            return found
    return None


def _body_of(error: BaseException) -> Any:
    body = getattr(error, "body", None)
    if body is None and error.args and isinstance(error.args[0], Mapping):  # Hugging Face's
        return error.args[0]
    if body is None and getattr(error, "title", None) == "Unmarshaller":  # Mistral's, in version 1
        found: Any = error
        return next((item["input"] for item in found.errors() if isinstance(item.get("input"), Mapping)), None)
    return body


def _by_blame(error: BaseException) -> str | None:
    """What a stream that began well says of the request in the end: it means what it would with a 400."""
    failed = _as_status(getattr(error, "status_code", None))
    blamed = failed is None and _BLAMED in str(_body_of(error))[:MAX_PARSED]
    return _context_or("invalid_arguments", error) if blamed else None


def _by_status(error: BaseException) -> str | None:
    for holder in (error, getattr(error, "response", None)):
        for attribute in ("status_code", "status", "code"):
            if (status := _as_status(getattr(holder, attribute, None))) and (found := _of_status(status)):
                return _context_or(found, error)
    response = getattr(error, "response", None)
    if not isinstance(response, Mapping):
        shown = _SHOWN_STATUS.search(str(error)[-_MAX_SHOWN:])
        return _of_status(int(shown[1])) if shown else None
    said, metadata = response.get("Error") or {}, response.get("ResponseMetadata") or {}  # botocore's
    named = _named(str(said.get("Code")).lower())
    if named in _TELLING:  # some of which come as a 400
        return named
    found = _of_status(_as_status(metadata.get("HTTPStatusCode")) or 0)
    return _context_or(found, error) if found else named


def _by_name(error: BaseException) -> str | None:
    if found := _OWN_CLASS.get(f"{type(error).__module__}.{type(error).__name__}"):
        return found
    names = [base.__name__ for base in type(error).__mro__]
    if callable(code := getattr(error, "code", None)):  # gRPC's
        names.insert(0, str(getattr(code(), "name", "")).replace("_", ""))
    return next((found for name in names if (found := _named(name.lower()))), None)


def _named(name: str) -> str | None:
    return next((found for part, found in _NAME_CLASS if part in name), None)


def _context_or(found: str, error: BaseException) -> str:
    if found != "invalid_arguments":
        return found
    said = f"{error} {getattr(error, 'body', '')}"[:MAX_PARSED].lower()
    return next((meant for words, meant in _SAYING if any(word in said for word in words)), found)


def classify_code(code: str) -> str:
    """The error class of an error that came as data inside an answer, by its code or HTTP status."""
    if code in _CODE_CLASS and code != _BLAMED:
        return _CODE_CLASS[code]
    found = _of_status(_as_status(code) or 0) or _named(_squeezed(code))
    return found or ("invalid_arguments" if code.startswith(_AT_FAULT) else "upstream_error")


_AT_FAULT: Final = ("invalid_", "unsupported_", "image_", "empty_")
"""How codes begin that blame what was sent."""


def classify_payload(result: Any) -> str | None:
    """
    The error class of a result that came back without an exception, or `None` when it is no failure.

    Seen as failures: MCP's ``isError``, ``{"error": ...}`` with something in it, ``{"status": 429}`` and its like,
    ``{"ok": false}`` and ``{"success": false}``; also when the result is such an object as JSON text.
    """
    if isinstance(result, str):
        result = _parsed(result)
    if isinstance(result, Mapping):
        return _of_mapping(result)
    try:
        if getattr(result, "isError", getattr(result, "is_error", None)) is True:
            return "error_payload"
        code = _as_status(getattr(result, "status_code", None))
    except Exception:  # noqa: BLE001 - whatever an object does when it is asked: it has not failed
        return None
    return _of_status(code) if code else None


def _parsed(text: str) -> Any:
    if text.startswith("{") and len(text) <= MAX_PARSED:
        try:
            return json.loads(text)
        except ValueError:
            return None
    return None


def _of_mapping(result: Mapping[Any, Any]) -> str | None:
    for key in ("status_code", "statusCode", "status", "code", "error_code"):
        if (code := _as_status(result.get(key))) and (found := _of_status(code)):
            return found
    error = result.get("error")
    if isinstance(error, Mapping):
        return _of_mapping({key: value for key, value in error.items() if key != "error"}) or "error_payload"
    if error or result.get("isError") is True or result.get("is_error") is True:
        return _CODE_CLASS.get(error, "error_payload") if isinstance(error, str) else "error_payload"
    return "error_payload" if result.get("ok") is False or result.get("success") is False else None


def stop_reason_of_exception(error: BaseException, where: str | None = None) -> str:
    """What a run that ends on *error* ended for; *where* is ``model``, ``tool`` or unknown."""
    if isinstance(error, LimitExceeded):
        return error.stop_reason
    if ended := "cancelled" if is_cancelled(error) else _ENDED.get(type(error).__name__):
        return ended
    kind = classify_exception(error)
    if kind == "timeout":
        return "tool_timeout" if where == "tool" else "timeout"
    if where == "model":
        return kind if kind == "content_filter" else "model_error"
    return "tool_error" if where == "tool" else "error"
