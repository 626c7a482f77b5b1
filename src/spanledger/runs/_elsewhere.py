"""
Tool calls that somebody else watched and made a span for, in programs whose framework we don't know.

The model asked for them where we saw it, so it is known what they were given; the span says how long they took and how
they went.
"""

from __future__ import annotations

from typing import Any, Final

from opentelemetry.trace import StatusCode

from .. import semconv
from ..hashing import hasher
from ..ledger import ToolUse, ledger
from ..outcomes import classify_code
from ..version import SCOPE
from . import _pending
from ._place import attributes_of
from ._spans import write_late
from ._toolcall import settled

__all__ = ["tool_ending"]

_KINDS: Final = (
    (semconv.OPERATION, "execute_tool"), ("openinference.span.kind", "TOOL"), ("traceloop.span.kind", "tool"),
)  # fmt: skip
_IDS: Final = (semconv.TOOL_CALL_ID, "tool_call.id")
_NAMES: Final = (semconv.TOOL_NAME, "tool.name", "traceloop.entity.name")


def tool_ending(span: Any) -> None:
    """A span ends; if it is another's, of a tool call that the model asked for and nobody else saw, it is the call."""
    scope, attributes = getattr(span, "instrumentation_scope", None), getattr(span, "attributes", None)
    if not attributes or (scope is not None and scope.name == SCOPE) or not _pending.waiting:
        return
    if semconv.TOOL_STATUS in attributes or not any(attributes.get(key) == kind for key, kind in _KINDS):
        return
    run = ledger.get(str(attributes.get(semconv.RUN_ID)))
    identifier = next((attributes[key] for key in _IDS if key in attributes), None)
    name = next((attributes[key] for key in _NAMES if key in attributes), None)
    if run is None or run.ended is not None or not isinstance(name, str):
        return
    asked = _pending.asked_by_name(name, run)
    found = [pending for pending in asked if pending.call.id == identifier] if identifier is not None else asked
    if not found:
        return
    pending = found[0]
    pending.seen = True
    seconds = (span.end_time - span.start_time) / 1e9 if span.end_time and span.start_time else None
    failed = span.status.status_code is StatusCode.ERROR
    error_class = classify_code(str(attributes.get(semconv.ERROR_TYPE, ""))) if failed else None
    said = {**attributes_of(run, pending.step), semconv.TOOL_STATUS: "error" if failed else "success"}
    if seconds is not None:
        said[semconv.TOOL_DURATION] = seconds
    if error_class is not None:
        said[semconv.ERROR_CLASS] = error_class
    args_hash = None
    if len(found) == 1:  # else nobody can tell which of them it is
        hashed = hasher().hash(pending.call.arguments, "tool-args")
        hashed.put(said, semconv.TOOL_ARGS_HASH)
        said[semconv.HASH_KEY_ID], args_hash = hasher().key_id, hashed.text
        said[semconv.HASH_CANONICALIZATION] = hashed.canonicalization
        if pending.call.id is not None:
            said[semconv.TOOL_CALL_ID] = pending.call.id
    write_late(span, said)
    settled(run, ToolUse(name, args_hash, seconds, pending.step, error_class))
