"""
Methods that we take back from other instrumentations, because both of us would make a span for one call.

Most others make their span current while the client runs: we find it there and complete it.  These do not, so their
span can't be reached; their wrapper is taken off the method for as long as we watch, and the rest of theirs stays.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Final

from ..patching import Patches
from ..shield import shield

__all__ = ["take_back", "taken_back"]

_MESSAGES: Final = tuple(
    (module, f"{kind}Messages")
    for module in ("anthropic.resources.messages.messages", "anthropic.resources.beta.messages.messages")
    for kind in ("", "Async")
)
_RESPONSES: Final = tuple(("openai.resources.responses.responses", f"{kind}Responses") for kind in ("", "Async"))
_UNREACHABLE: Final = (
    ("opentelemetry.instrumentation.anthropic", _MESSAGES, ("create", "stream")),
    ("openinference.instrumentation.anthropic", _MESSAGES, ("stream",)),
    ("opentelemetry.instrumentation.openai.", _RESPONSES, ("create",)),
)

taken_back: Final[list[str]] = []
"""What was taken back, ``module:Class.method by wrapper``; `doctor` shows it."""


def take_back(patches: Patches) -> None:
    """Take the methods back: now, and whenever another instrumentor has been at work."""
    taken_back.clear()
    _take(patches)

    def instrumented(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
        result = wrapped(*args, **kwargs)
        if patches.active:
            with shield("looking for other instrumentations"):
                _take(patches)
        return result

    patches.add("opentelemetry.instrumentation.instrumentor", "BaseInstrumentor.instrument", instrumented)


def _take(patches: Patches) -> None:
    for prefix, classes, methods in _UNREACHABLE:
        for module, name in classes:
            kind = getattr(sys.modules.get(module), name, None)
            for method in methods if isinstance(kind, type) else ():
                for holder, attribute, theirs in _chain(kind, method):
                    who = getattr(getattr(theirs, "_self_wrapper", None), "__module__", "")
                    if who.startswith(prefix) and ".genai" not in who:
                        patches.replace(holder, attribute, theirs.__wrapped__)
                        taken_back.append(f"{module}:{name}.{method} by {who}")
                        break


def _chain(kind: Any, method: str) -> Iterator[tuple[Any, str, Any]]:
    """Each wrapper around *method*, from the outermost, with what holds it."""
    holder, attribute, found = kind, method, vars(kind).get(method)
    while hasattr(found, "_self_wrapper"):
        yield holder, attribute, found
        holder, attribute, found = found, "__wrapped__", found.__wrapped__
