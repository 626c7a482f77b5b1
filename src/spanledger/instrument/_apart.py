"""
Reading in a context apart, in which a call's span is current, as if it were the reader's own.

To enter a context costs a third of what it costs to change a variable and back in the one that is here.  What is set on
either side is carried to the other; that nothing was is seen at a glance, for copies share what is in a context.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from contextvars import Context, ContextVar, Token, copy_context
from typing import Any, Final

from opentelemetry.context import Context as Values

from .. import runs
from ..shield import shield

__all__ = ["Apart"]

_NOTHING: Final = object()


class Apart:
    """
    A context apart from the reader's, in which *values* are OpenTelemetry's.

    Who reads runs the read in `mine`: after `follow`, where the reader's context is not `theirs` any more, and before
    `lead`, where `mine` is not what was `seen`; both tell the three anew.
    """

    def __init__(self, values: Values) -> None:
        self._values = values
        self._taken: dict[ContextVar[Any], Token[Any]] = {}
        self._given: dict[ContextVar[Any], Token[Any]] = {}
        self._begin()

    def _begin(self) -> None:
        self.theirs = copy_context()
        self.mine = self.theirs.copy()
        self.mine.run(runs.attach, self._values)
        self._first = self.seen = self.mine.copy()

    def follow(self) -> tuple[Context, Context, Context]:
        """Take over what the reader's context has become."""
        with shield("carrying context variables"):
            whole = self._carry(self.theirs, copy_context(), self.mine.run, self._taken)
            if not whole and any(value is self._values for value in self.mine.values()):  # else tokens wait in there
                self._taken.clear()
                self._begin()
        return self._seen()

    def lead(self) -> tuple[Context, Context, Context]:
        """Give the reader's context what was set in here."""
        with shield("carrying context variables"):
            self._carry(self.seen, self.mine, _here, self._given)
        return self._seen()

    def _seen(self) -> tuple[Context, Context, Context]:
        self.theirs, self.seen = copy_context(), self.mine.copy()
        return self.mine, self.theirs, self.seen

    def _carry(self, before: Context, after: Context, apply: Callable[..., Any], tokens: dict[Any, Token[Any]]) -> bool:
        """Set what *after* has and *before* had not; whether what *before* had and *after* has not could be unset."""
        whole = True
        for variable, value in after.items():
            if before.get(variable, _NOTHING) is not value and not self._is_current(variable):
                tokens.setdefault(variable, apply(variable.set, value))
        for variable in before:
            if variable not in after and not self._is_current(variable):
                token = tokens.pop(variable, None)
                whole = whole and token is not None
                if token is not None:
                    with suppress(ValueError, RuntimeError):  # read on somewhere else
                        apply(variable.reset, token)
        return whole

    def _is_current(self, variable: ContextVar[Any]) -> bool:
        """Whether *variable* is OpenTelemetry's, which is not carried."""
        return self._first.get(variable) is self._values


def _here(function: Callable[..., Any], *args: Any) -> Any:
    return function(*args)
