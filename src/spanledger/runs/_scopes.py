"""
A run and a step from `open` to `close`: their spans, and how they end.
"""

from __future__ import annotations

import os
import random
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.context import get_current
from opentelemetry.trace import Span, SpanKind, StatusCode

from .. import semconv
from ..errors import LimitExceeded
from ..ledger import Run, ledger
from ..outcomes import classify_exception, error_type, status_of, stop_reason_of_exception
from ..shield import shield
from ._foreign import complete, foreign_agent
from ._gate import gate
from ._place import Attached, Placement, attributes_of, current, placed
from ._remote import come_from, leaving
from ._spans import note_decisions, start_span, write

__all__ = [
    "RunScope", "StepScope", "begin_step", "defaults", "described", "end_run", "new_id", "note_span", "run_attributes",
]  # fmt: skip

_random = random.Random()  # noqa: S311 - ids, no secrets
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_random.seed)

defaults: Final[dict[str, str | None]] = {"agent": None, "agent_version": None, "prompt_version": None}
"""What a run is called and versioned as when nobody says; `configure` fills it in."""


_NO_ERROR: Final = ("interrupted", "cancelled")
"""Stop reasons that somebody chose: outcomes, and no errors of the run's span."""


def new_id() -> str:
    """128 random bits in hex.  Our own generator: the user's `random` sequence is theirs."""
    return _random.getrandbits(128).to_bytes(16, "big").hex()


def run_attributes(run: Run) -> dict[str, Any]:
    """What a run's span says when it starts."""
    found: dict[str, Any] = {semconv.OPERATION: "invoke_agent"}
    if run.name:
        found[semconv.AGENT_NAME] = run.name
    found.update(attributes_of(run, 0))
    found.update(described(run))
    return found


def described(run: Run) -> dict[str, Any]:
    """What was given about a run besides session and user: versions, request id, labels, the run it is part of."""
    found: dict[str, Any] = {}
    if run.agent_version is not None:
        found[semconv.AGENT_VERSION] = run.agent_version
    if run.prompt_version is not None:
        found[semconv.PROMPT_VERSION] = run.prompt_version
    if run.request_id is not None:
        found[semconv.REQUEST_ID] = run.request_id
    if run.parent is not None:
        found[semconv.RUN_PARENT_ID] = run.parent.id
    if run.called_by is not None:
        found[semconv.RUN_CALLED_BY] = run.called_by
    if run.implicit:
        found[semconv.RUN_IMPLICIT] = True
    for key, value in run.labels.items():
        found[semconv.LABEL + key] = str(value)
    return found


def end_attributes(run: Run, reason: str) -> dict[str, Any]:
    """What a run's span says when it ends."""
    found: dict[str, Any] = {
        semconv.RUN_STATUS: status_of(reason),
        semconv.RUN_STOP_REASON: reason,
        semconv.RUN_STEPS: run.steps,
        semconv.RUN_MODEL_CALLS: run.model_calls,
        semconv.RUN_TOOL_CALLS: run.tool_calls,
    }
    usage = run.usage
    if usage.unknown:
        found[semconv.RUN_UNKNOWN_USAGE] = usage.unknown
    if usage.total or not usage.unknown:
        found[semconv.RUN_INPUT_TOKENS], found[semconv.RUN_OUTPUT_TOKENS] = usage.input, usage.output
    if run.retries:
        found[semconv.RUN_RETRIES], found[semconv.RUN_RETRY_WAIT] = run.retries, run.retry_wait
    if run.system_hash:
        found[semconv.SYSTEM_HASH] = run.system_hash
    if run.tools_hash:
        found[semconv.TOOLS_HASH] = run.tools_hash
    return found


def end_run(run: Run, span: Span, reason: str, error: BaseException | None = None) -> None:
    """End *run*, once, and say so on the span that stands for it.  The span itself is ended by its owner."""
    if error is not None and run.error_class is None:
        run.error_class = classify_exception(error)
    if not ledger.close(run, reason):
        return
    reason = run.stop_reason or reason
    if span.is_recording():
        write(span, end_attributes(run, reason))
        if status_of(reason) != "success" and (error is not None or reason not in _NO_ERROR):
            span.set_attribute(semconv.ERROR_TYPE, error_type(error) if error is not None else reason)
            if run.error_class:
                span.set_attribute(semconv.ERROR_CLASS, run.error_class)
            span.set_status(StatusCode.ERROR, reason)


MAX_ENTERED: Final = 10_000
"""How many entered runs go on at once; beyond, the oldest counts as abandoned."""

open_scopes: Final[OrderedDict[str, RunScope]] = OrderedDict()
"""The entered runs that have not ended, to be ended with the process."""


class RunScope(Attached):
    """A run from `open` to `close`, with its span."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def open(self) -> None:
        """Begin: remember the run, start its span."""
        with shield("opening a run"):
            above = current()
            if above is not None and not above.run.implicit:
                self.run.parent = above.run
                self.run.session_id = self.run.session_id or above.run.session_id
                self.run.user_id = self.run.user_id or above.run.user_id
            else:
                come_from(self.run, get_current())
            name = f"invoke_agent {self.run.name}" if self.run.name else "invoke_agent"
            span = foreign_agent() if self.adopts else None
            self._theirs = span is not None
            if span is None:
                span = start_span(name, None, SpanKind.INTERNAL, run_attributes(self.run))
            else:
                complete(span, run_attributes(self.run))
            note_span(self.run, span)
            ledger.open(self.run)
            open_scopes[self.run.id] = self
            while len(open_scopes) > MAX_ENTERED:
                _, left = open_scopes.popitem(last=False)
                left.run.stop_reason = left.run.stop_reason or "abandoned"
                left.close(None)
            self.context = leaving(self.run, 0, placed(Placement(self.run), trace.set_span_in_context(span)))

    adopts = False
    """Whether a span that a framework made for the agent stands for the run."""
    _theirs = False

    def close(self, error: BaseException | None, result: Any = None) -> None:  # noqa: ARG002 - a run keeps no result
        """End the run with the stop reason that *error*, or its last model call, stands for."""
        if isinstance(error, SystemExit) and not error.code:
            error = None  # a program that ends well
        with shield("closing a run"):
            open_scopes.pop(self.run.id, None)
            if self.context is not None:
                span = trace.get_current_span(self.context)
                failed = None if isinstance(error, GeneratorExit) else error  # who stops reading fails at nothing
                end_run(self.run, span, self._reason(error), failed)
                if not self._theirs:
                    span.end()

    def _reason(self, error: BaseException | None) -> str:
        if error is None or isinstance(error, GeneratorExit):
            return self.run.finish or "completed" if error is None else "cancelled"
        where = None
        cause: BaseException | None = error
        while cause is not None and where is None:
            if self.run.failed and self.run.failed[0] == id(cause):
                where, self.run.error_class = self.run.failed[1:]
            cause = cause.__cause__ or cause.__context__
        return stop_reason_of_exception(error, where)


def note_span(run: Run, span: Span) -> None:
    """Remember which span stands for *run*."""
    run.span_context = span.get_span_context()


class StepScope(Attached):
    """A step that the user's code enters.  Steps that nobody enters begin with each model call."""

    def __init__(self, run: Run, name: str | None = None) -> None:
        self.run = run
        self.name = name
        self.number = 0

    def open(self) -> None:
        """Begin the next step."""
        with shield("opening a step"):
            self.number = begin_step(self.run)
            attributes = {semconv.OPERATION: "step", **attributes_of(self.run, self.number)}
            name = f"step {self.name}" if self.name else "step"
            span = start_span(name, None, SpanKind.INTERNAL, attributes)
            inside = placed(Placement(self.run, self.number, span), trace.set_span_in_context(span))
            self.context = leaving(self.run, self.number, inside)
        if gate.step is not None and self.context is not None:
            self._ask(gate.step, trace.get_current_span(self.context))

    def _ask(self, ask: Callable[[Run, int], None], span: Span) -> None:
        """Ask the limits; a refused step ends here, and its span says why."""
        decisions, denied = self.run.decisions, None
        known = len(decisions)
        try:
            ask(self.run, self.number)
        except LimitExceeded as error:
            denied = error
        with shield("recording decisions"):
            note_decisions(span, decisions[known:])
        if denied is not None:
            self.close(denied)
            raise denied

    def close(self, error: BaseException | None, result: Any = None) -> None:  # noqa: ARG002 - a step keeps no result
        """End the step; *error* makes it a failed one."""
        with shield("closing a step"):
            if self.context is not None:
                span = trace.get_current_span(self.context)
                if error is not None and not isinstance(error, GeneratorExit):
                    span.set_attributes({
                        semconv.ERROR_TYPE: error_type(error), semconv.ERROR_CLASS: classify_exception(error),
                    })  # fmt: skip
                    span.set_status(StatusCode.ERROR, error_type(error))
                span.end()


def begin_step(run: Run) -> int:
    """Count one more step of *run* and say its number."""
    with run.lock:
        run.steps += 1
        return run.steps
