"""
Runs of other processes: what a request brings of the caller's in OpenTelemetry's baggage, and what ours brings along.

Who the user is stays here.
"""

from __future__ import annotations

import re
from typing import Any, Final

from opentelemetry import baggage
from opentelemetry.context import Context

from .. import semconv
from ..ledger import Run, ledger
from ._place import attributes_of

__all__ = ["KEYS", "MAX_LENGTH", "come_from", "leaving", "packed", "travel"]

KEYS: Final = (semconv.RUN_ID, semconv.STEP_ID, semconv.SESSION_ID)
"""What travels."""
MAX_LENGTH: Final = 256
"""Longer values are somebody else's; they are left where they are."""
_RUN_ID: Final = re.compile("[0-9a-f]{32}")
(_BAGGAGE,) = baggage.set_baggage("key", "value", Context())
"""The key that the API keeps baggage under."""


class travel:  # noqa: N801 - a switch, not a kind of thing
    """Whether runs that are entered put themselves into the baggage."""

    on = False


def come_from(run: Run, context: Context | None) -> None:
    """Note on *run*, which begins in *context* outside any other, whose request it answers, if that was said."""
    if not context or _BAGGAGE not in context:
        return
    told: Any = baggage.get_baggage(semconv.RUN_ID, context)
    if not isinstance(told, str) or not _RUN_ID.fullmatch(told):
        return
    caller = ledger.get(told) or ledger.inherited.get(told)
    if caller is None or caller.ended is not None:
        run.called_by = told
    elif caller is not run:  # this very process asks itself
        run.parent, run.user_id = caller, run.user_id or caller.user_id
    session: Any = baggage.get_baggage(semconv.SESSION_ID, context)
    if run.session_id is None and isinstance(session, str) and len(session) <= MAX_LENGTH:
        run.session_id = session


def leaving(run: Run, number: int, context: Context) -> Context:
    """*context* with run, step and session in its baggage, where that is wanted."""
    return packed(run, number, context) if travel.on else context


def packed(run: Run, number: int, context: Context) -> Context:
    """*context* with run, step and session in its baggage, and without the step of another run."""
    if not number and baggage.get_baggage(semconv.STEP_ID, context) is not None:
        context = baggage.remove_baggage(semconv.STEP_ID, context)
    for name, value in attributes_of(run, number).items():
        if name in KEYS and len(value) <= MAX_LENGTH:
            context = baggage.set_baggage(name, value, context)
    return context
