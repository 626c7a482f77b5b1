"""
LangSmith's OpenTelemetry export: a second span for each model call, made long after it.  It stays, and is priced once.

https://github.com/langchain-ai/langsmith-sdk
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Final

from .. import semconv
from ..ledger import Run
from ..runs import entered
from ..shield import shield
from ._framework import Framework, Hook, argument

__all__ = ["FRAMEWORK"]

MAX_CALLS: Final = 1_000
"""How many calls that LangSmith has not told the end of are remembered; beyond, the oldest are forgotten."""
_runs: Final[OrderedDict[Any, Run]] = OrderedDict()


def _begun(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    with shield("reading a run of LangSmith"):
        context = argument(args, kwargs, 2, "otel_context")
        placement = entered(context) if context is not None else None
        if placement is not None:
            _runs[argument(args, kwargs, 0, "op").id] = placement.run
            while len(_runs) > MAX_CALLS:
                _runs.popitem(last=False)
    return wrapped(*args, **kwargs)


def _said(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    """All that its span says of a run is on it: where we have seen the call ourselves, it has its price."""
    result = wrapped(*args, **kwargs)
    with shield("reading a run of LangSmith"):
        span, run = argument(args, kwargs, 0, "span"), _runs.get(argument(args, kwargs, 2, "op").id)
        said = getattr(span, "attributes", None) or {}
        names = [str(said[name]) for name in (semconv.RESPONSE_MODEL, semconv.REQUEST_MODEL) if name in said]
        if run is not None and any(model.startswith(name) for model in list(run.models) for name in names):
            span.set_attribute(semconv.COST_STATUS, "counted_in_child")
    return result


_EXPORTER: Final = "langsmith._internal.otel._otel_exporter"

FRAMEWORK: Final = Framework("langsmith", "0.4", (
    Hook(_EXPORTER, ("OTELExporter._create_span_for_run",), _begun),
    Hook(_EXPORTER, ("OTELExporter._set_span_attributes",), _said),
))  # fmt: skip
