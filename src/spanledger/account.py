"""
What one run has used so far: its calls, tokens and money.

It is fed by the calls themselves, not by spans, so it is right for unsampled calls and for calls whose span somebody
else emits.  Prices are looked up when somebody asks for money, never on the caller's way to the model.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, Protocol

from .model import Usage
from .outcomes import status_of
from .totals import Totals

__all__ = ["ModelCall", "Run", "ToolUse", "Totals"]

_pricing = threading.RLock()

MAX_TO_PRICE: Final = 500
"""How many calls of a run wait for their price; normally the journal's thread asks long before."""


class SpanIds(Protocol):
    """What names a span: OpenTelemetry's `SpanContext` does."""

    @property
    def trace_id(self) -> int: ...
    @property
    def span_id(self) -> int: ...
    @property
    def is_valid(self) -> bool: ...


@dataclass(slots=True)
class ModelCall:
    """One model call as it is settled.  Times are nanoseconds since the epoch."""

    operation: str
    provider: str
    request_model: str | None
    model: str | None
    usage: Usage
    started: int
    ended: int
    step: int
    tier: str | None = None
    error_class: str | None = None
    tool_calls: int = 0
    retried: tuple[str, ...] = ()
    """The error classes of the client's earlier attempts at this call."""
    retry_wait: float = 0.0
    """Seconds that the client waited between them."""
    fallback_for: str | None = None
    """The model that was asked before and for which this one stands in."""


@dataclass(slots=True)
class ToolUse:
    """One tool call as it is settled.  *duration* is seconds, `None` when nobody measured it."""

    name: str
    args_hash: str | None
    duration: float | None
    step: int
    error_class: str | None = None
    result_hash: str | None = None
    cost: Decimal | None = None


after_the_end: Final[list[Callable[[Run], Any]]] = []
"""Called with a run that has one more call after it ended: a stream that was open in it, and let go of later."""


class Run:
    """
    One request to its end, and what it used.

    Times are nanoseconds since the epoch, `cost` is US dollars as a `Decimal`.  `stop_reason` is `None` while the run
    goes on; setting it before the end decides what the run ends with.  What was never set stays on the class.
    """

    request_id: str | None = None
    labels: Mapping[str, str] = MappingProxyType({})
    parent: Run | None = None
    """The run this one was started in; what is settled here counts there too."""
    called_by: str | None = None
    """The id of the run of another process whose request this one answers; it has an account of its own."""
    span_context: SpanIds | None = None
    """Of the span that stands for the run."""
    ended: int | None = None
    stop_reason: str | None = None
    error_class: str | None = None
    steps: int = 0
    model_calls: int = 0
    model_errors: int = 0
    tool_calls: int = 0
    tool_errors: int = 0
    retries: int = 0
    """Attempts at model calls after others that failed: the clients' own, and those of whoever calls them."""
    retry_wait: float = 0.0
    """Seconds that clients waited between their own attempts."""
    system_hash: str | None = None
    tools_hash: str | None = None
    last_tool: str | None = None
    finish: str | None = None
    """The stop reason that the last model call's finish reasons stand for."""
    failed: tuple[int, str, str] | None = None
    """The last exception that left a call: its `id`, where (``model`` or ``tool``) and its error class."""
    lock: threading.RLock = threading.RLock()
    """Held for a few additions, hence one for all; reentrant: a signal handler may end runs in the middle of them."""
    _cost: Decimal = Decimal(0)
    _unpriced: int = 0

    def __init__(  # noqa: PLR0913 - what can be said of a run
        self,
        id: str,  # noqa: A002 - it is the run's
        *,
        name: str | None = None,
        implicit: bool = False,
        session_id: str | None = None,
        user_id: str | None = None,
        request_id: str | None = None,
        agent_version: str | None = None,
        prompt_version: str | None = None,
        labels: Mapping[str, str] | None = None,
        parent: Run | None = None,
    ) -> None:
        self.id = id
        self.name = name
        self.implicit = implicit
        self.session_id = session_id
        self.user_id = user_id
        self.agent_version = agent_version
        self.prompt_version = prompt_version
        if request_id is not None:
            self.request_id = request_id
        if labels:
            self.labels = labels
        if parent is not None:
            self.parent = parent
        self.started = self.active = time.time_ns()
        """`active` is when something last happened."""
        self.usage = Totals()
        self.models: dict[str, int] = {}
        """Response model (or the requested one) -> number of calls."""
        self.decisions: list[Any] = []
        """What limits decided, in order; see `spanledger.limits`."""
        self._to_price: list[ModelCall] = []

    def __repr__(self) -> str:
        return f"Run({self.id!r}, name={self.name!r}, stop_reason={self.stop_reason!r})"

    @property
    def trace_id(self) -> str | None:
        """32 hex digits, where a span stands for the run."""
        named = self.span_context
        return f"{named.trace_id:032x}" if named is not None and named.is_valid else None

    @property
    def span_id(self) -> str | None:
        """16 hex digits, where a span stands for the run."""
        named = self.span_context
        return f"{named.span_id:016x}" if named is not None and named.is_valid else None

    @property
    def status(self) -> str:
        """``running``, ``success``, ``failure`` or ``timeout``."""
        return status_of(self.stop_reason) if self.ended is not None else "running"

    @property
    def cost(self) -> Decimal:
        """What the priced calls cost so far, USD.  `unpriced` says how many calls have no price."""
        self._price()
        return self._cost

    @property
    def unpriced(self) -> int:
        """How many model calls have no price: unknown model, or no usage."""
        self._price()
        return self._unpriced

    def _price(self) -> None:
        if not self._to_price:
            return
        from . import pricing  # noqa: PLC0415 - with the first price

        with _pricing:  # whoever asks for the sum gets all of it; settling does not wait for prices
            while self._to_price:
                call = self._to_price[0]
                price = pricing.price_call(call)
                with self.lock:
                    if not self._to_price or self._to_price[0] is not call:
                        continue  # its tokens came meanwhile, or a signal handler asked
                    del self._to_price[0]  # not before: an empty list says that the sum is whole
                    if price.amount is None:
                        self._unpriced += 1
                    else:
                        self._cost += price.amount

    def settle_model(self, call: ModelCall) -> None:
        """Account for a model call that ended, well or not; one that a limit refused was none."""
        if call.error_class == "denied":
            return
        with self.lock:
            self.model_calls += 1
            if call.error_class is not None:
                self.model_errors += 1
            self.usage.add(call.usage, call.operation)
            model = call.model or call.request_model or "unknown"
            self.models[model] = self.models.get(model, 0) + 1
            self._to_price.append(call)
            self.active = call.ended
            if call.retried:
                self.retries += len(call.retried)
                self.retry_wait += call.retry_wait
        if len(self._to_price) > MAX_TO_PRICE:
            self._price()
        for listener in after_the_end if self.ended is not None else ():
            listener(self)
        if self.parent is not None:
            self.parent.settle_model(call)

    def learn(self, call: ModelCall, told: ModelCall) -> None:
        """Account for *call*, which was settled without its tokens, as *told*, which has them."""
        with self.lock:
            waiting = [each is call for each in self._to_price]
            if any(waiting):
                self._to_price[waiting.index(True)] = told
            else:
                self._unpriced -= 1
                self._to_price.append(told)
            self.usage.unknown -= 1
            self.usage.add(told.usage, told.operation)
        for listener in after_the_end if self.ended is not None else ():
            listener(self)
        if self.parent is not None:
            self.parent.learn(call, told)

    def settle_tool(self, use: ToolUse) -> None:
        """Account for a tool call that ended, well or not."""
        with self.lock:
            self.tool_calls += 1
            self.tool_errors += use.error_class is not None
            self.last_tool = use.name
            self.active = time.time_ns()
            if use.cost is not None:
                self._cost += use.cost
        if self.parent is not None:
            self.parent.settle_tool(use)


def _begin_anew() -> None:
    global _pricing  # noqa: PLW0603 - somebody in the parent may have held it
    _pricing = threading.RLock()
    Run.lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
