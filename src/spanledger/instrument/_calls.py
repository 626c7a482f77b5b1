"""
The life of one watched call: place it, ask, open a span, watch what comes back, settle, close.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.context import Context, get_current
from opentelemetry.trace import SpanKind, StatusCode

from .. import runs, semconv
from ..canonical import to_json
from ..errors import LimitExceeded
from ..ledger import ModelCall
from ..model import Draft, Response
from ..outcomes import classify_code, classify_exception, error_type, stop_reason_of_finish
from ..providers import Found, Seam, forced
from ..shield import report, shield
from ._adopting import Adopting
from ._content import for_sampling, note_hashes, put_content, request_attributes
from ._engine import Engine
from ._inside import watched_inside
from ._parsers import refused
from ._raw import is_raw, parsed, plain, watched
from ._retries import Retried

__all__ = ["Call", "covered"]

covered: Final[ContextVar[bool]] = ContextVar("spanledger_covered", default=False)
"""Whether we are inside a call of a client that calls other clients: what they do is that call."""


class Call(Adopting):
    """One request and whatever comes back for it."""

    __slots__ = (
        "_done", "_draft", "_implicit", "_previous", "_seam", "_started", "_token", "covers", "endpoint",
        "error_class", "first_chunk", "found", "mark", "model_call", "number", "peer", "request", "reservation",
        "response", "run", "seconds", "streaming", "tools",
    )  # fmt: skip

    def __init__(self, engine: Engine, seam: Seam, found: Found) -> None:
        self.engine = engine
        self._seam = seam
        self.found = found
        self.endpoint = found.endpoint
        self.peer = found.peer
        self.request = found.endpoint.read_request(found.body)
        self.streaming = self.covers = False
        self._done = self._recording = False
        self._draft: Draft | None = None
        self._held: Any = None
        self.reservation: Any = None
        self.first_chunk: float | None = None
        self.error_class: str | None = None
        self.response: Response | None = None
        self.model_call: ModelCall | None = None
        self.retried = Retried()
        self.seconds = 0.0

    def begin(self, *, adopted: bool) -> None:
        """Place the call and open its span, unless the client makes its own or somebody around us has made it."""
        request, endpoint = self.request, self.endpoint
        here = get_current()
        theirs = placement = self._implicit = None
        if here:
            placement = runs.entered(here)
            if self.engine.adopt:
                theirs = runs.foreign_model(here)
        self.theirs = theirs
        self.adopted = adopted = adopted or theirs is not None
        if placement is None:
            placement, self._implicit = runs.open_for(request, here, spanless=theirs is not None)
            if theirs is None and self._implicit is not None and self._implicit.context is not None:
                here = self._implicit.context
        self._alone = self._implicit is not None and self._implicit.span is None
        run = self.run = placement.run
        if request.results:
            runs.infer_tools(run, request.results, request.asked)
        if placement.step is not None or not endpoint.inference or endpoint.operation == "embeddings":
            self.number = placement.number
        else:
            self.number = runs.begin_step(run)
        self._later: dict[str, Any] = {}
        self.tools = self.engine.tools.find(endpoint, request.tools) if request.tools else None
        self._started = time.perf_counter()
        self.mark = time.time_ns()
        if adopted:
            self.span = trace.INVALID_SPAN
            self._ctx = runs.around(self.retried, theirs or trace.get_current_span(here), here, placement)
            if theirs is not None:
                self.take(theirs)
        else:
            self._open_span(here, placement if self._alone else None)
        if request.system or request.tools:
            note_hashes(request, self.tools, run, self._later, placement.span)

    def _open_span(self, here: Context, placement: runs.Placement | None) -> None:
        model = self.request.model
        operation = self.endpoint.operation
        self.span = runs.start_span(
            f"{operation} {model}" if model else operation, here, SpanKind.CLIENT, for_sampling(self), self.mark
        )
        self._ctx = runs.hushed(runs.around(self.retried, self.span, here, placement))
        self._recording = self.span.is_recording()
        if self._recording:
            self._later = request_attributes(self, alone=self._alone)
            if self.engine.content:
                put_content(self, self._later)

    def ask(self, before: Callable[..., Any]) -> None:
        """Ask the limits; raises `LimitExceeded` when one says no."""
        decisions = self.run.decisions
        known, denied = len(decisions), None
        try:
            self.reservation = before(self)
        except LimitExceeded as error:
            denied = error
        if denied is not None and self.retried.expecting is not None:
            self.own()
        if len(decisions) > known:
            with shield("recording decisions"):
                runs.note_decisions(self.span, decisions[known:])
        if denied is not None:
            self._end(None, denied)
            raise denied

    def __enter__(self) -> None:
        self._previous = runs.attach(self._ctx)
        if self.covers:
            self._token = covered.set(True)

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        runs.restore(self._ctx, self._previous)
        if self.covers:
            covered.reset(self._token)
        if error is not None:
            self._end(self.response, error)
        elif not self.streaming:
            self._end(self.response, None)

    def watch(self, result: Any) -> Any:
        """Read *result*, or put something in its place that reads along while the user does."""
        try:
            inside = self._seam.inside
            if inside is not None or type(result) not in plain:
                wrapped = watched(result, self) if inside is None else watched_inside(result, self, inside)
                if wrapped is not None:
                    self.streaming = True
                    self.engine.open_calls[id(self)] = self
                    return wrapped
                self.read(result)
            else:
                unpack = self._seam.unpack
                answer = unpack(result) if unpack is not None else result
                self.response = self.endpoint.read_response(answer, self.engine.content)
        except Exception as error:  # noqa: BLE001 - the user gets what the client returned
            report("reading a response", error)
        return result

    def read(self, result: Any) -> None:
        """Read a whole answer."""
        if is_raw(result):  # and the body is here
            try:
                result = parsed(result)
            except Exception as error:  # noqa: BLE001 - a broken body: the user will see it when they parse
                self._end(self.response, error)
                return
        unpack = self._seam.unpack
        answer = unpack(result) if unpack is not None else result
        self.response = self.endpoint.read_response(answer, self.engine.content)

    # --- streams -----------------------------------------------------------------------------------------------

    @property
    def context(self) -> Context:
        """The context that a read of the stream runs in."""
        return self._ctx

    @property
    def expects_stream(self) -> bool:
        """Whether the request asked for a stream."""
        return self.request.stream

    def reader(self) -> Callable[[Any], object]:
        """What reads a chunk of the stream; it may raise."""
        if self._draft is None:
            self._draft = Draft()
        fold, unpack = functools.partial(self.endpoint.fold, self._draft), self._seam.unpack
        return fold if unpack is None else lambda chunk: fold(unpack(chunk))

    def started_streaming(self) -> None:
        """The first chunk is here."""
        self.first_chunk = time.perf_counter() - self._started

    def finish_stream(self, how: str, error: BaseException | None = None) -> None:
        """End a stream: *how* is ``drained``, ``closed``, ``abandoned``, ``error`` or ``cancelled``."""
        if self._done:
            return
        self.engine.open_calls.pop(id(self), None)
        response = self.response
        if response is None and self._draft is not None:
            with shield("reading a stream"):
                response = self._draft.build()
        self._later[semconv.STREAM_END] = how
        if self.first_chunk is not None:
            self._later[semconv.TIME_TO_FIRST_CHUNK] = self.first_chunk
        if how in ("closed", "abandoned") and self._implicit is not None and not (response and response.ended):
            self.run.finish = "cancelled"
        self._end(response, error)

    # --- the end -----------------------------------------------------------------------------------------------

    def _end(self, response: Response | None, error: BaseException | None) -> None:
        if self._done:
            return
        self._done = True
        try:
            response = self.response = response or refused(self, error) or Response()
            if self.retried.expecting is not None:
                self.own()
            if self.engine.heed is not None:
                self.engine.heed(self, response)
            self._settle(response, error)
            if semconv.RESPONSE_STATUS in response.extra:
                self.engine.awaited.see(self, response)
            self._close(response, error)
        except Exception as failure:  # noqa: BLE001 - the user's call is over, ours must be too
            report("settling a call", failure)
            if self.theirs is None:
                self.span.end()
        if self._held is not None:
            self._held.let_go()

    def _settle(self, response: Response, error: BaseException | None) -> None:
        self.seconds = time.perf_counter() - self._started
        run, request = self.run, self.request
        if error is not None:
            self.error_class = classify_exception(error)
            run.failed = (id(error), "model", self.error_class)
        elif response.error is not None:
            self.error_class = classify_code(response.error)
            run.failed = (0, "model", self.error_class)
        if self.retried.retries:
            self._later.update(self.retried.attributes())
        if self.endpoint.inference:
            self.model_call = ModelCall(
                self.endpoint.operation, self.peer.provider, request.model, response.model, response.usage,
                self.mark, self.mark + int(self.seconds * 1e9), self.number,
                semconv.tier_of(response.extra, request.settings), self.error_class, len(response.tool_calls),
                *(self.retried.told() if self.retried.retries else ()),
            )  # fmt: skip
            run.settle_model(self.model_call)
            if response.finish_reasons and run.finish != "cancelled":
                run.finish = stop_reason_of_finish(response.finish_reasons)
            elif response.error is not None:
                run.finish = "model_error"
            if response.tool_calls:
                self._note_asked(response)
        if self.engine.after is not None:
            self.engine.after(self, self.reservation)
        for listener in self.engine.listeners:
            listener(self)

    def _note_asked(self, response: Response) -> None:
        asked = runs.note_asked(self.run, self.number, response)
        if self._implicit is not None:
            self._implicit.forced = asked if forced(self.found.body) else ()

    def _close(self, response: Response, error: BaseException | None) -> None:
        span, implicit, alone = self.span, self._implicit, self._alone
        ended = runs.call_ended(implicit, response, error, span) if implicit is not None and alone else {}
        if self._recording and (self.theirs is None or span.is_recording()):
            attributes = self._later
            semconv.put_response(response, attributes, usage=self.endpoint.inference)
            attributes.update(ended)
            if self.engine.content and response.messages:
                attributes[semconv.OUTPUT_MESSAGES] = to_json(response.messages)
            if self.error_class is not None:
                kind = error_type(error) if error is not None else str(response.error)
                attributes[semconv.ERROR_TYPE] = kind
                attributes[semconv.ERROR_CLASS] = self.error_class
                if self.theirs is None:
                    span.set_status(StatusCode.ERROR, kind)
            if self.engine.events is not None:
                self.engine.events(self, attributes)
            (runs.write if self.theirs is None else runs.complete)(span, attributes)
        if self.theirs is None:
            span.end()
        if implicit is not None and not alone:
            runs.call_ended(implicit, response, error, span)
