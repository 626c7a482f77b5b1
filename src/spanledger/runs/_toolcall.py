"""
Tool calls: name, hashes of arguments and result, duration, status, error class.

What a tool got and gave is written down only when the settings say so; the keyed hashes always are, so that equal
calls can be found without keeping what they held.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, StatusCode

from .. import semconv
from ..canonical import to_json
from ..errors import LimitExceeded
from ..hashing import hasher
from ..ledger import Run, ToolUse
from ..outcomes import classify_exception, classify_payload, error_type
from ..shield import shield
from . import _implicit, _pending
from ._foreign import complete, foreign_tool
from ._gate import gate
from ._place import Attached, Placement, attributes_of, current, placed
from ._spans import note_decisions, start_span, write

__all__ = ["Cost", "ToolScope", "as_text", "keep", "parent_of", "settled", "shared_tool", "tool_listeners"]

Cost = Callable[[Any], Any] | int | float | Decimal | None
_SHARED = otel_context.create_key("spanledger-shared-tool")


def shared_tool() -> ToolScope | None:
    """The tool call around this code that a framework or a protocol opened, and that the tool itself may join."""
    found = otel_context.get_value(_SHARED)
    return found if isinstance(found, ToolScope) and found.context is not None else None


class keep:  # noqa: N801 - a namespace of two switches
    """What of a tool call is written down besides hashes; `configure` sets it."""

    arguments = False
    results = False


class ToolScope(Attached):
    """One tool call from `open` to `close`, with its span."""

    def __init__(
        self, name: str, arguments: Any = None, *, version: str | None = None, description: str | None = None,
        cost: Cost = None, validate: Callable[[Any], str | None] | None = None, call_id: str | None = None,
        shared: bool = False,
    ) -> None:  # fmt: skip
        self.name = name
        self.arguments = arguments
        self.result: Any = None
        self.error_class: str | None = None
        self.call_id = call_id
        self.version = version
        self.description = description
        self.cost = cost
        self.validate = validate
        self._placement: Placement | None = None
        self._args_hash: str | None = None
        self._started = 0.0
        self._reservation: Any = None
        self._shared = shared
        self.joined = self._taken = False
        self._outer: ToolScope | None = None
        self._theirs = False
        self._unknown = self._refused = False

    def _joins(self) -> bool:
        """Whether this is the call that somebody around us has opened already: then that one stands for both."""
        outer = shared_tool()
        if outer is None or not outer.take(self):
            return False
        self._outer = outer
        return True

    def take(self, inner: ToolScope) -> bool:
        """Stand for *inner* too when it is the same tool, once for the tool itself; what it knows of itself is kept."""
        if self._taken or self.context is None or not (self.name == inner.name or self.name.endswith(f"_{inner.name}")):
            return False
        self.joined, self._taken = True, not inner._shared  # a protocol between leaves room for the tool
        self.cost = inner.cost if self.cost is None else self.cost
        self.validate = self.validate or inner.validate
        if inner.version is not None and self.version is None:
            trace.get_current_span(self.context).set_attribute(semconv.TOOL_VERSION, inner.version)
        return True

    def open(self) -> None:
        """Begin: find the run and step, start the span, ask whether it may happen."""
        denied: LimitExceeded | None = None
        with shield("opening a tool call"):
            if self._joins():
                return
            hashed = hasher().hash(self.arguments, "tool-args")
            self._args_hash = hashed.text
            self._place()
            attributes = self._attributes()
            hashed.put(attributes, semconv.TOOL_ARGS_HASH)
            attributes[semconv.HASH_KEY_ID] = hasher().key_id
            attributes[semconv.HASH_CANONICALIZATION] = hashed.canonicalization
            self._begin(attributes)
            self._started = time.perf_counter()
        if gate.before is not None and self._placement is not None and self.context is not None:
            run, known = self._placement.run, len(self._placement.run.decisions)
            try:
                self._reservation = gate.before(run, self.name, self._args_hash, self._placement.number)
            except LimitExceeded as error:  # the span says so, then the caller hears it
                denied = error
            with shield("recording decisions"):
                note_decisions(trace.get_current_span(self.context), run.decisions[known:])
        if denied is not None:
            self._refused = True
            self.close(denied)
            raise denied

    def _begin(self, attributes: dict[str, Any]) -> None:
        """Start the span, or take the one that another made for this call."""
        parent = None
        span = foreign_tool(self.name)
        if span is not None:
            self._theirs = True
            complete(span, attributes)
            context = otel_context.get_current()
        else:
            if self._placement is not None and current() is not self._placement:
                parent = parent_of(self._placement)
            span = start_span(f"execute_tool {self.name}", parent, SpanKind.INTERNAL, attributes)
            context = trace.set_span_in_context(span, parent)
        if self._placement is not None:
            context = placed(Placement(self._placement.run, self._placement.number), context)
        self.context = otel_context.set_value(_SHARED, self, context) if self._shared else context

    def _place(self) -> None:
        here = current()
        waiting = _pending.asked_by_name(self.name, here.run if here is not None else None)
        match = waiting[0] if len(waiting) == 1 else None
        for pending in waiting if match is None else ():
            if hasher().hash(pending.call.arguments, "tool-args").text == self._args_hash:
                match = pending
                break
        if match is not None:
            match.seen = True
            self._unknown = match.unknown
            self.call_id = self.call_id or match.call.id
            self._placement = here if here is not None and here.step else Placement(match.run, match.step)
        else:
            self._placement = here

    def _attributes(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            semconv.OPERATION: "execute_tool",
            semconv.TOOL_NAME: self.name,
            semconv.TOOL_TYPE: "function",
        }
        if self._placement is not None:
            found.update(attributes_of(self._placement.run, self._placement.number))
            if self._placement.run.name:
                found[semconv.AGENT_NAME] = self._placement.run.name
        given = {
            semconv.TOOL_CALL_ID: self.call_id,
            semconv.TOOL_VERSION: self.version,
            semconv.TOOL_DESCRIPTION: self.description,
            semconv.TOOL_ARGUMENTS: as_text(self.arguments) if keep.arguments else None,
        }
        found.update({name: value for name, value in given.items() if value is not None})
        return found

    def close(self, error: BaseException | None, result: Any = None) -> None:
        """End: classify what came back, account for it, end the span."""
        with shield("closing a tool call"):
            if self._outer is not None:
                self._tell(self._outer, error, result)
            if self.context is None:
                return
            span, context = trace.get_current_span(self.context), self.context
            self.context = None
            duration = time.perf_counter() - self._started
            result = self.result if result is None or (self.joined and self.result is not None) else result
            abandoned = isinstance(error, GeneratorExit)
            attributes: dict[str, Any] = {semconv.TOOL_DURATION: duration}
            result_hash = None
            if error is None:
                self.error_class = self.error_class or self._failure_of(result)
                result_hash = _describe_result(attributes, result)
            elif not abandoned:
                self.error_class = classify_exception(error)
            if self._unknown and self.error_class is not None:
                self.error_class = "unknown_tool"
            attributes[semconv.TOOL_STATUS] = "error" if self.error_class else "success"
            cost = self._own_cost(result)
            if cost is not None:
                attributes[semconv.TOOL_COST] = float(cost)
            if self.error_class:
                attributes[semconv.ERROR_CLASS] = self.error_class
                attributes[semconv.ERROR_TYPE] = error_type(error) if error is not None else self.error_class
                span.set_status(StatusCode.ERROR, attributes[semconv.ERROR_TYPE])
            if span.is_recording():
                (complete if self._theirs else write)(span, attributes)
            self._settle(span, duration, result_hash, error, cost)
            if not self._theirs:
                span.end()
            del context

    def _tell(self, outer: ToolScope, error: BaseException | None, result: Any) -> None:
        """Tell the call that stands for this one what the tool itself gave: what is around may dress it up."""
        if error is not None:
            outer.fail(error)
        else:
            outer.result = self.result if result is None else result

    def fail(self, error: BaseException) -> None:
        """Say that the tool failed with *error*, which those around it may turn into a result."""
        self.error_class = classify_exception(error)

    def _failure_of(self, result: Any) -> str | None:
        if self.validate is not None:
            with shield("validating a tool's result"):
                if self.validate(result) is not None:
                    return "validation_failed"
        return classify_payload(result)

    def _own_cost(self, result: Any) -> Decimal | None:
        with shield("asking what a tool call cost"):
            return _cost_of(self.cost, result)
        return None

    def _settle(
        self, span: Span, duration: float, result_hash: str | None, error: BaseException | None, cost: Decimal | None
    ) -> None:
        if self._placement is None:
            return
        run = self._placement.run
        use = ToolUse(self.name, self._args_hash, duration, self._placement.number, self.error_class, result_hash, cost)
        if error is not None and self.error_class:
            run.failed = (id(error), "tool", self.error_class)
        elif self.error_class:
            run.failed = (0, "tool", self.error_class)
        elif run.failed is not None and run.failed[1] == "tool":
            run.failed = None
        settled(run, use)
        if gate.after is not None and not self._refused:
            known = len(run.decisions)
            gate.after(run, self._reservation, use)
            if len(run.decisions) > known:
                note_decisions(span, run.decisions[known:])


tool_listeners: list[Callable[[Run, ToolUse], Any]] = []
"""Called with each tool call that was settled; must be quick."""


def settled(run: Run, use: ToolUse) -> None:
    """Account for a tool call that ended."""
    run.settle_tool(use)
    for listener in tool_listeners:
        listener(run, use)


def parent_of(placement: Placement) -> Context | None:
    """The context of the span that stands for an implicit run."""
    state = _implicit._open.get(placement.run.id)  # noqa: SLF001 - one room
    return state.context if state is not None else None


def _describe_result(attributes: dict[str, Any], result: Any) -> str | None:
    hashed = hasher().hash(result, "tool-result")
    hashed.put(attributes, semconv.TOOL_RESULT_HASH)
    text = result if isinstance(result, str) else None
    if text is not None:
        attributes[semconv.TOOL_RESULT_SIZE] = len(text.encode("utf-8", "surrogatepass"))
    if keep.results:
        attributes[semconv.TOOL_RESULT] = as_text(result)
    return hashed.text


def as_text(value: Any) -> str:
    """*value* as JSON text; a text as it is."""
    if isinstance(value, str):
        return value
    return to_json(value)


def _cost_of(cost: Cost, result: Any) -> Decimal | None:
    if cost is None:
        return None
    found = cost(result) if callable(cost) else cost
    return None if found is None else Decimal(str(found))
