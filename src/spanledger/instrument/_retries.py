"""
The attempts that a client makes inside one call: how many, how long it waited between them, why they failed.

Nothing is done until a client decides to try again; then the call that it happens in is told.
"""

from __future__ import annotations

import sys
import time
from functools import partial
from types import ModuleType
from typing import Any, Final

from .. import semconv
from ..outcomes import classify_exception, classify_payload
from ..patching import Patches
from ..runs import attempts
from ..shield import shield

__all__ = ["Retried", "watch_retries"]

MAX_ERRORS: Final = 20
"""How many failed attempts of a call are told apart."""

_PAUSES: Final = tuple(f"{package}._base_client" for package in ("openai", "anthropic"))
_GOOGLE: Final = "google.genai._api_client"


class Retried:
    """What went wrong inside a call before its last attempt.  *wait* is seconds."""

    retries = 0
    wait = 0.0
    errors: tuple[str, ...] = ()
    expecting: Any = None
    """The call, while it waits for the span that its client is about to begin."""
    _failed_at: float | None = None

    def failed(self, error_class: str) -> None:
        """An attempt failed; whether there is another one is not known yet."""
        if len(self.errors) < MAX_ERRORS:
            self.errors = (*self.errors, error_class)
        self._failed_at = time.perf_counter()

    def attributes(self) -> dict[str, Any]:
        """What the call's span says of it, where the first attempt was not the last."""
        return {
            semconv.RETRY_ATTEMPTS: self.retries + 1, semconv.RETRY_WAIT: self.wait,
            semconv.RETRY_ERRORS: self.errors[: self.retries],
        }  # fmt: skip

    def told(self) -> tuple[tuple[str, ...], float]:
        """What the ledger keeps: the error classes of the earlier attempts, and the seconds between."""
        return self.errors[: self.retries], self.wait

    def again(self, waits: float | None = None) -> None:
        """The next attempt begins, now or when the client *waits* no longer."""
        self.retries += 1
        if self._failed_at is not None:
            self.wait += time.perf_counter() - self._failed_at if waits is None else waits
            self._failed_at = None


def watch_retries(patches: Patches) -> None:
    """Stand where clients wait before they try again."""
    for module in _PAUSES:
        patches.on_import(module, partial(_pauses, patches, module))
    patches.on_import(_GOOGLE, partial(_google, patches))


def _pauses(patches: Patches, module: str, imported: ModuleType) -> None:
    if hasattr(imported.SyncAPIClient, "_retry_request"):  # the older ones, which call themselves once more
        patches.add(module, "BaseClient._calculate_retry_timeout", _about_to_pause)
        return
    patches.add(module, "SyncAPIClient._sleep_for_retry", _pause)
    patches.add(module, "AsyncAPIClient._sleep_for_retry", _pause_async)


def _google(patches: Patches, imported: ModuleType) -> None:
    if hasattr(imported, "HttpRetryOptions"):  # the older ones never try again
        patches.add(_GOOGLE, "BaseApiClient._request_once", _attempt)
        patches.add(_GOOGLE, "BaseApiClient._async_request_once", _attempt_async)


def _fails(kwargs: dict[str, Any]) -> Retried | None:
    with shield("reading a failed attempt"):
        retried: Retried | None = attempts()
        if retried is not None:
            response, error = kwargs.get("response"), sys.exc_info()[1]
            found = classify_payload({"status_code": getattr(response, "status_code", None)})
            retried.failed(found or (classify_exception(error) if error is not None else "exception"))
            return retried
    return None


def _pause(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    retried = _fails(kwargs)
    result = wrapped(*args, **kwargs)
    if retried is not None:
        retried.again()
    return result


async def _pause_async(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    retried = _fails(kwargs)
    result = await wrapped(*args, **kwargs)
    if retried is not None:
        retried.again()
    return result


def _about_to_pause(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    retried, seconds = _fails({}), wrapped(*args, **kwargs)
    if retried is not None:
        retried.again(seconds)
    return seconds


class _Attempt:
    """One attempt of a client that does not say when it waits."""

    __slots__ = ()

    def __enter__(self) -> None:
        retried = attempts()
        if retried is not None and retried.errors:
            retried.again()

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, Exception):
            with shield("reading a failed attempt"):
                if (retried := attempts()) is not None:
                    retried.failed(classify_exception(error))


_ATTEMPT: Final = _Attempt()


def _attempt(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    with _ATTEMPT:
        return wrapped(*args, **kwargs)


async def _attempt_async(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    with _ATTEMPT:
        return await wrapped(*args, **kwargs)
