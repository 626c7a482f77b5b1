"""
A call whose span somebody else makes: another instrumentation around the client, or the client itself.

A client begins its span inside the method that we stand around, and ends it before we see the answer.  So it is taken
where it begins, and its end waits, with the time at which the client ended it, until the call has said what it knows.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context
from opentelemetry.trace import Span

from .. import runs
from ._content import for_sampling, put_content, request_attributes

if TYPE_CHECKING:
    from ._engine import Engine
    from ._retries import Retried

__all__ = ["Adopting", "Held"]


class Held:
    """A span whose end waits until it is let go; it ends with the time at which its maker ended it."""

    __slots__ = ("_at", "_gone", "_span")

    def __init__(self, span: Span) -> None:
        self._span = span
        self._at: int | None = None
        self._gone = False
        if span.is_recording():
            span.end = self._end  # type: ignore[method-assign]

    def _end(self, end_time: int | None = None) -> None:
        if self._at is None:
            self._at = end_time or time.time_ns()
            if self._gone:  # in that very moment, by another thread
                self._span.end(self._at)

    def let_go(self) -> None:
        """End the span if its maker has, and leave it to its maker else."""
        held = vars(self._span).pop("end", None) is not None
        self._gone = True
        if held and self._at is not None:
            self._span.end(self._at)


class Adopting:
    """The part of a call that has to do with others' spans."""

    __slots__ = ("_alone", "_ctx", "_held", "_later", "_recording", "adopted", "engine", "retried", "span", "theirs")

    if TYPE_CHECKING:
        span: Span
        theirs: Span | None
        retried: Retried
        engine: Engine
        _alone: bool
        _ctx: Context
        _held: Held | None
        _later: dict[str, Any]
        _recording: bool

        def _open_span(self, here: Context, placement: runs.Placement | None) -> None: ...

    def expect(self) -> None:
        """The client is about to begin a span of its own, or none: then `own` makes one at the end."""
        self.retried.expecting = self

    def take(self, span: Span, held: Held | None = None) -> None:
        """Make another's *span* the call's; what is *held* of the client's own waits for us to be let go."""
        call: Any = self
        self.span = self.theirs = span
        self._held = held
        self._recording = span.is_recording()
        if self._recording:  # at once: some end their span before the stream is over
            runs.complete(span, {**for_sampling(call), **request_attributes(call, alone=self._alone)})
            if held is not None and self.engine.content:
                put_content(call, self._later)

    def own(self) -> None:
        """Make a span after all, where there is none: the client that was to make its own did not."""
        self.retried.expecting = None
        if self.theirs is not None:
            return
        around, later = self._ctx, self._later
        self._open_span(around, None)
        self._ctx = around
        self._later.update(later)
