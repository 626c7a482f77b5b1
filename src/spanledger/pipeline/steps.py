"""
The way of a finished span: cost, what is withheld, redaction, size; and what happens when a step breaks.

A step that raises costs the span its content: only safe names, ids and numbers leave.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan

from spanledger import semconv
from spanledger.config import Settings
from spanledger.forks import undivided
from spanledger.policy import Policy
from spanledger.shield import report

from .bounds import before_scan, fit, limits
from .cost import add_cost
from .dialects import spell, understand
from .identity import Identity
from .others import check_detectors
from .record import Record
from .withhold import Withhold

if TYPE_CHECKING:
    from .redact import Redactor

__all__ = ["Pipeline", "Step", "default_pipeline", "default_steps", "identity_of", "redactor_of"]

Step: TypeAlias = Callable[[Record], None]
"""Changes the record; raising costs the span its content."""

_SAFE_TEXTS: Final = frozenset({
    semconv.OPERATION, semconv.PROVIDER, semconv.REQUEST_MODEL, semconv.RESPONSE_MODEL, semconv.RUN_ID,
    semconv.RUN_STATUS, semconv.RUN_STOP_REASON, semconv.STEP_ID, semconv.ERROR_CLASS, semconv.TOOL_STATUS,
    semconv.STREAM_END, semconv.USAGE_SOURCE, semconv.COST_STATUS, semconv.COST_CURRENCY, semconv.COST_SOURCE,
    semconv.SYSTEM_HASH, semconv.TOOLS_HASH, semconv.TOOL_ARGS_HASH, semconv.TOOL_RESULT_HASH, semconv.HASH_KEY_ID,
    semconv.HASH_CANONICALIZATION,
})  # fmt: skip
_SAFE_RESOURCE: Final = (
    "service.name", "service.namespace", "service.version", "telemetry.sdk.name", "telemetry.sdk.language",
    "telemetry.sdk.version", "deployment.environment.name",
)  # fmt: skip
_SAFE_SHAPE: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/-")
_MAX_SAFE: Final = 96
FAILED: Final = "agent.redaction.failed"


class Pipeline:
    """Steps in order, on a copy of each span."""

    def __init__(self, steps: Sequence[Step], *, batch_bytes: int = 0) -> None:
        self.steps = tuple(steps)
        self.batch_bytes = batch_bytes
        """How large a batch may be, about; 0 is no limit."""

    def record(self, span: ReadableSpan) -> Record:
        """The record of *span* after all steps; never raises."""
        try:
            record = Record.of(span)
            for step in self.steps:
                step(record)
        except Exception as error:  # noqa: BLE001 - fails closed
            report("protecting a span", error)
            return _safe(span)
        return record

    def __call__(self, span: ReadableSpan) -> ReadableSpan:
        """The span that may leave; never raises."""
        try:
            return self.record(span).span()
        except Exception as error:  # noqa: BLE001 - fails closed
            report("protecting a span", error)
            return _safe(span).span()


def _safe(span: ReadableSpan) -> Record:
    """Names, ids and numbers of *span*, nothing that somebody wrote."""
    attributes = {key: value for key, value in (span.attributes or {}).items() if _is_safe(key, value)}
    operation = attributes.get(semconv.OPERATION)
    resource = span.resource
    kept = {k: v for k in _SAFE_RESOURCE if (v := resource.attributes.get(k)) is not None}
    attributes[FAILED] = True
    return Record(
        source=span, name=str(operation) if operation else "span", attributes=attributes, events=[], links=[],
        code=span.status.status_code, description=None, trace_state={}, resource=Resource(kept), scope=None,
    )  # fmt: skip


def _is_safe(key: str, value: Any) -> bool:
    if not key.startswith(("gen_ai.", "agent.")):
        return False
    if isinstance(value, (bool, int, float)):
        return key.startswith(("gen_ai.usage.", "agent."))
    return key in _SAFE_TEXTS and isinstance(value, str) and len(value) <= _MAX_SAFE and _SAFE_SHAPE.issuperset(value)


_redactors: list[tuple[tuple[Policy, tuple[str, ...]], Redactor]] = []


def redactor_of(settings: Settings) -> Redactor:
    """The redactor for *settings*; one for all who ask with the same ones, for it is costly to make."""
    with undivided():
        from .redact import Redactor  # noqa: PLC0415 - its patterns take a while to compile; not at the program's start

        for known, redactor in _redactors:
            if known == (settings.policy, settings.own_keys):
                return redactor
        made = Redactor(settings.policy, settings.own_keys)
        _redactors.append(((settings.policy, settings.own_keys), made))
        del _redactors[:-8]
        return made


def identity_of(settings: Settings) -> Identity:
    """What happens to users and sessions with *settings*."""
    if not settings.redact:
        return Identity(settings.policy)

    @lru_cache(maxsize=1024)
    def telling(value: str) -> bool:
        return redactor_of(settings).text(value) != value

    return Identity(settings.policy, telling)


class _Redaction:
    """The step that redacts; its redactor is made when the first span arrives."""

    def __init__(self, settings: Settings) -> None:
        check_detectors(settings.policy)
        self._settings = settings
        self._redactor: Redactor | None = None

    def __call__(self, record: Record) -> None:
        if self._redactor is None:
            self._redactor = redactor_of(self._settings)
        self._redactor.record(record)


def default_steps(settings: Settings) -> tuple[Step, ...]:
    """What happens to every span that leaves."""
    allowed = limits(settings)
    value_limit, span_limit = allowed["max_value_bytes"], allowed["max_span_bytes"]
    steps: list[Step] = [understand, add_cost, Withhold(settings), identity_of(settings)]
    if settings.dialects:
        steps.append(spell(settings.dialects))
    if value_limit:
        steps.append(lambda record: before_scan(record, value_limit))
    if settings.redact:
        steps.append(_Redaction(settings))
    if value_limit or span_limit:
        steps.append(lambda record: fit(record, value_limit, span_limit))
    return tuple(steps)


def default_pipeline(settings: Settings) -> Pipeline:
    """`default_steps` as a pipeline."""
    return Pipeline(default_steps(settings), batch_bytes=limits(settings)["max_batch_bytes"])
