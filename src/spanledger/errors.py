"""
Every exception that spanledger raises on purpose.

    SpanledgerError
    ├── ConfigurationError      a setting is unknown or malformed; names it, its source, and the nearest valid one
    ├── JournalError            the journal can't answer
    │   ├── RunNotFound         no run, or several, match what was asked for; carries candidates
    │   └── JournalTooNew       the file was written by a newer version; it is left alone
    └── LimitExceeded           a limit whose action is `stop` said no, before the call was made
        ├── BudgetExceeded      money, tokens, steps, tool calls or time
        ├── LoopDetected        the same thing again and again
        ├── Denied              a tool or model that is not allowed
        └── Killed              somebody pulled the plug

Only `LimitExceeded` and its kin ever reach code that did not call us.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "BudgetExceeded",
    "ConfigurationError",
    "Denied",
    "JournalError",
    "JournalTooNew",
    "Killed",
    "LimitExceeded",
    "LoopDetected",
    "RunNotFound",
    "SpanledgerError",
]


class SpanledgerError(Exception):
    """The root of the tree."""


class ConfigurationError(SpanledgerError, ValueError):
    """A setting is unknown or malformed.  The message names it, where it stands and what would be valid."""

    def __init__(self, message: str, key: str | None = None) -> None:
        super().__init__(message)
        self.key = key
        """The setting, or the key inside of one, that is at fault, where one alone is."""


class JournalError(SpanledgerError):
    """The journal can't answer."""


class RunNotFound(JournalError, LookupError):
    """No run matches, or several do: *candidates* are the run ids to choose from."""

    def __init__(self, message: str, candidates: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.candidates = tuple(candidates)


class JournalTooNew(JournalError):
    """The journal was written by a newer version of spanledger; it was not touched."""


class LimitExceeded(SpanledgerError):
    """A limit said no, and its action is `stop`.  *stop_reason* is what the run ends with."""

    stop_reason = "denied"

    def __init__(
        self, message: str, *, limit: str, spent: object = None, scope: str = "run", step: int | None = None
    ) -> None:
        super().__init__(message)
        self.limit = limit
        self.spent = spent
        self.scope = scope
        self.step = step


class BudgetExceeded(LimitExceeded):
    """The next call would cost more than what is left."""

    stop_reason = "budget_exceeded"


class LoopDetected(LimitExceeded):
    """The run does the same thing again and again."""

    stop_reason = "loop_detected"


class Denied(LimitExceeded):
    """The tool or model is not allowed for this agent."""

    stop_reason = "denied"


class Killed(LimitExceeded):
    """Somebody stopped this run, agent or everything."""

    stop_reason = "killed"
