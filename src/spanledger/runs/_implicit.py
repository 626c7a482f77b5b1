"""
Runs that nobody opened: found by what the calls themselves carry.

The first model call that offers tools opens a run and its `invoke_agent` span; a call without tools, outside any run,
is a run of its own and its span stands for it.  Later calls join by the tool results, the response id or the failed
call that they follow, or because they share the context.  The run ends when the model answers without asking for a
tool; one that waits too long, or is left when the process exits, ends with what is known of it.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind

from .. import semconv
from ..ledger import Run, ledger
from ..model import Request, Response
from ..outcomes import status_of, stop_reason_of_exception
from . import _pending, _place
from ._pending import Pending, run_that_waits, settle, waiting
from ._place import Placement
from ._remote import come_from
from ._scopes import defaults, end_attributes, end_run, new_id, note_span, open_scopes, run_attributes
from ._spans import start_span

__all__ = ["ImplicitRun", "call_ended", "end_all", "end_answered", "forget", "open_for", "sweep"]

MAX_SERVERS: Final = 50_000
"""How many spans of server requests are remembered at once."""
MAX_BELOW: Final = 1_000
"""How many spans inside of one of them are."""
MAX_OPEN: Final = 5_000
"""How many of these runs go on at once; beyond, the oldest counts as abandoned."""
RETRY_SECONDS: Final = 60.0
"""How long a run waits whose last call may have been its last: it failed and is worth a retry, or has its answer."""
_WORTH_A_RETRY: Final = frozenset({"rate_limited", "timeout", "connection", "upstream_error"})


@dataclass(slots=True, eq=False)
class ImplicitRun:
    """A run that nobody opened, with its span."""

    run: Run
    span: Span | None
    context: Context | None
    in_flight: int = 0
    error: BaseException | None = None
    until: float = 0.0
    bound: bool = False
    """Whether it lasts as long as the server request that it is part of."""
    forced: Sequence[Pending] = ()
    """The tool calls of a last call that left the model one tool: they may be the answer, and nobody bring a result."""
    spanless: bool = False
    """Whether others make its spans, so that it has none of its own; its last call's span says how it ended."""

    @property
    def answered(self) -> bool:
        """Whether it may have what it was for: nobody was seen to carry out what the model called."""
        if not self.forced or self.in_flight or self.error is not None:
            return False
        return not any(pending.seen for pending in self.forced)


_open: OrderedDict[str, ImplicitRun] = OrderedDict()
_lock = threading.RLock()
idle_seconds: float = 900.0
_swept = 0.0


def open_for(
    request: Request, here: Context | None = None, *, spanless: bool = False
) -> tuple[Placement, ImplicitRun | None]:
    """The run of a call outside any entered run, opened if it is the first; *spanless* when others make its spans."""
    server = _server_here(here) if _servers else None
    alone = server is None and not waiting and _place.implicit.get() is None
    if (placement := None if alone else _joined(request, server)) is None:
        found = _begun(request, server, here, spanless=spanless)
        placement = Placement(found.run)
    else:
        with _lock:
            found = _open.get(placement.run.id)  # type: ignore[assignment]
            if found is not None:
                found.in_flight += 1
                found.error = None
    if found is None or found.span is not None or found.spanless:
        _place.implicit.set(placement)
    return placement, found


def _begun(request: Request, server: _Server | None, here: Context | None, *, spanless: bool) -> ImplicitRun:
    if _open:
        sweep()
    run = Run(new_id(), name=defaults["agent"], implicit=True, session_id=request.conversation_id,
              agent_version=defaults["agent_version"], prompt_version=defaults["prompt_version"])  # fmt: skip
    come_from(run, here)
    found = ImplicitRun(run, None, None, 1)
    if request.tools or request.results or server is not None:
        if server is not None:
            found.bound, server.run = True, found
        if spanless:
            found.spanless = True
        else:
            name = f"invoke_agent {run.name}" if run.name else "invoke_agent"
            span = start_span(name, None, SpanKind.INTERNAL, run_attributes(run))
            note_span(run, span)
            found.span, found.context = span, trace.set_span_in_context(span)
    ledger.open(run, remember=found.span is not None or found.spanless)
    _open[run.id] = found
    if len(_open) > MAX_OPEN:
        with _lock:
            oldest = next(iter(_open.values()))
        _end(oldest)
    return found


def _joined(request: Request, server: _Server | None) -> Placement | None:
    here = _place.implicit.get()
    if waiting and (run := run_that_waits(request, here.run if here is not None else None)) is not None:
        return Placement(run)
    if server is not None:
        return Placement(server.run.run) if server.run is not None else None
    if here is None or here.run.ended is not None:
        return None
    state = _open.get(here.run.id)
    anew = request.tools and not request.results and not request.asked
    if anew and state is not None and state.error is None and state.in_flight == 0:
        if state.answered:
            _end(state)
        return None
    return here


def call_ended(
    found: ImplicitRun, response: Response | None, error: BaseException | None, call_span: Span
) -> dict[str, Any]:
    """
    A model call of *found* ended; end the run with it unless it goes on.

    Where the call is all of the run its span stands for it: what is returned belongs on it.
    """
    with _lock:
        found.in_flight -= 1
        if found.in_flight > 0 or found.bound:
            found.error = error
            return {}
        if (found.span is not None or found.spanless) and _goes_on(found, response, error):
            return {}
        _open.pop(found.run.id, None)
    run = found.run
    reason = stop_reason_of_exception(error, "model") if error is not None else run.finish or "completed"
    if found.span is not None:
        _place.implicit.set(None)
        end_run(run, found.span, reason, error)
        found.span.end()
        return {}
    note_span(run, call_span)
    if run.failed is not None and run.error_class is None:
        run.error_class = run.failed[2]
    ledger.close(run, reason)
    reason = run.stop_reason or reason
    if found.spanless:
        _place.implicit.set(None)
        return end_attributes(run, reason)
    return {semconv.RUN_STATUS: status_of(reason), semconv.RUN_STOP_REASON: reason}


def _goes_on(found: ImplicitRun, response: Response | None, error: BaseException | None) -> bool:
    if error is not None:
        return _waits(found, error)
    if response is None or not response.tool_calls or response.finish_reasons == ["stop"]:
        return False
    found.until = time.monotonic() + (RETRY_SECONDS if found.forced else idle_seconds)
    return True


def _waits(found: ImplicitRun, error: BaseException) -> bool:
    if found.run.failed is None or found.run.failed[2] not in _WORTH_A_RETRY:
        return False
    found.error = error
    found.until = time.monotonic() + RETRY_SECONDS
    return True


def sweep(now: float | None = None) -> None:
    """End the runs that waited too long for their next call; looked for once a second at most."""
    global _swept
    at = time.monotonic() if now is None else now
    if now is None and at < _swept + 1:
        return
    _swept, now = at, at
    for found in list(_open.values()):
        if not found.in_flight and found.until and found.until < now:
            _end(found)


def end_answered() -> None:
    """End the runs that have what they were for, and that nobody went on with; for a thread that has the time."""
    now = time.monotonic()
    for found in list(_open.values()):
        if found.until < now and found.answered:
            _end(found)


def _end(found: ImplicitRun) -> None:
    with _lock:
        if _open.pop(found.run.id, None) is None:
            return
    run, error = found.run, found.error
    if error is not None:
        reason = stop_reason_of_exception(error, "model")
    elif found.bound:
        reason = run.finish or "completed"
    elif run.failed is not None and run.failed[1] == "tool":
        reason = "tool_timeout" if run.failed[2] == "timeout" else "tool_error"
    else:
        reason = "completed" if found.answered else "abandoned"
    settle(*found.forced)
    span = found.span or trace.INVALID_SPAN
    end_run(run, span, reason, error)
    span.end()


@dataclass(slots=True, eq=False)
class _Server:
    span_id: int
    run: ImplicitRun | None = None
    below: deque[int] = field(default_factory=deque)
    """The ids of the spans that began inside, the last ones."""


_servers: OrderedDict[int, _Server] = OrderedDict()
"""The server requests that are being answered, by the ids of their spans and those inside: a trace may have several."""


def _server_here(context: Context | None) -> _Server | None:
    return _servers.get(trace.get_current_span(context).get_span_context().span_id)


def server_started(span: Any) -> None:
    """A span started; when it is the local root of a server request, runs that begin inside end with it."""
    parent, span_id = span.parent, span.context.span_id
    if span.kind is SpanKind.SERVER and (parent is None or parent.is_remote):
        server = _Server(span_id)
    elif parent is None or (found := _servers.get(parent.span_id)) is None:
        return
    else:
        server = found
    with _lock:
        _servers[span_id] = server
        if span_id != server.span_id:
            server.below.append(span_id)
            if len(server.below) > MAX_BELOW:
                _servers.pop(server.below.popleft(), None)
        while len(_servers) > MAX_SERVERS:
            _servers.popitem(last=False)


def server_ended(span: Any) -> None:
    """A span ended; when a run is bound to it, the run ends too."""
    server = _servers.get(span.context.span_id) if _servers else None
    if server is None or server.span_id != span.context.span_id:
        return
    with _lock:
        for span_id in (server.span_id, *server.below):
            _servers.pop(span_id, None)
    if server.run is not None:
        _end(server.run)


def end_all(reason: str | None = None, ended: Callable[[], Any] = bool) -> None:
    """End every run that is left; *reason* when it is known why, *ended* is called after each."""
    for found in list(_open.values()):
        if not found.answered:
            found.run.stop_reason = found.run.stop_reason or reason
        _end(found)
        ended()
    for scope in list(open_scopes.values()):
        scope.run.stop_reason = scope.run.stop_reason or reason or "abandoned"
        scope.close(None)
        ended()


def forget() -> None:
    """Forget everything, as a forked child does; a test, too."""
    global _lock  # noqa: PLW0603 - somebody in the parent may have held it
    _lock = threading.RLock()
    _open.clear()
    _pending.forget()
    _servers.clear()
    open_scopes.clear()
    _place.implicit.set(None)
