"""
Models that somebody tries one after the other, until one of them answers: a later one stands in for the first.
"""

from __future__ import annotations

from typing import Any

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from ..shield import shield
from ._place import Attached

__all__ = ["Fallbacks", "fallbacks"]

_KEY = otel_context.create_key("spanledger-fallbacks")


class Fallbacks(Attached):
    """
    A place where models are tried in turn.

    With *each* every call but the first is a fallback; without, one that goes elsewhere after a call has failed.
    """

    opened = False
    """Whether there ever was such a place in this process."""

    def __init__(self, *, each: bool = False) -> None:
        self._each = each
        self._first: tuple[str, str | None] | None = None

    def open(self) -> None:
        """Begin."""
        with shield("watching for fallbacks"):
            Fallbacks.opened = True
            self.context = otel_context.set_value(_KEY, self, otel_context.get_current())

    def close(self, error: BaseException | None, result: Any = None) -> None:
        """End; there is nothing to say."""

    def replaced(self, provider: str, model: str | None, *, failed: bool) -> str | None:
        """A call of *model* ended; the model that it stands in for."""
        if self._first is None:
            if failed or self._each:
                self._first = (provider, model)
            return None
        return self._first[1] if self._each or self._first != (provider, model) else None


def fallbacks(context: Context) -> Fallbacks | None:
    """The place where models are tried in turn that a call with this *context* belongs to."""
    found = context.get(_KEY)
    return found if isinstance(found, Fallbacks) else None
