"""
Tool calls that nobody watched: seen by the results that a later request carries back.

Their arguments, result and outcome are known; when they ran and how long is not, and is not made up, unless somebody
saw them asked for and answered.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.trace import SpanKind, StatusCode

from .. import semconv
from ..hashing import hasher
from ..ledger import Run, ToolUse
from ..model import ToolCall, ToolResult
from ..outcomes import classify_payload
from ..shield import shield
from . import _pending
from ._place import Placement, attributes_of
from ._spans import start_span
from ._toolcall import as_text, keep, parent_of, settled

__all__ = ["infer_tools", "note_unknown"]


def infer_tools(
    run: Run, results: list[ToolResult], asked: Sequence[ToolCall] = (), *,
    known: Mapping[Any, tuple[int | None, str | None]] | None = None,
) -> None:  # fmt: skip
    """
    Make a span for each tool call that nobody watched and whose result a request carries back.

    *asked* are the calls as the request repeats them: some programs give them ids of their own.  *known* by call id:
    when the call was asked for (nanoseconds since the epoch), if its result has only just come, and its error class.
    """
    for item, said in _pending.paired(results, asked):
        pending = _pending.pending_of(run, item, said) or _renamed(run, said)
        if pending is None:
            continue
        _pending.settle(pending)
        if not pending.seen:
            with shield("inferring a tool call"):
                _infer(run, pending, item, *(known or {}).get(item.id, (None, None)))


def _renamed(run: Run, said: ToolCall | None) -> _pending.Pending | None:
    """The call that is repeated as *said*, where it has another id now: the one of the same name and arguments."""
    if said is None or said.name is None:
        return None
    arguments = hasher().hash(said.arguments, "tool-args").text
    for pending in _pending.asked_by_name(said.name, run, seen=True):
        if hasher().hash(pending.call.arguments, "tool-args").text == arguments:
            return pending
    return None


def note_unknown(run: Run, names: Sequence[str]) -> None:
    """The model asked for tools of these *names*, which it was never offered."""
    for name in names:
        for pending in _pending.asked_by_name(name, run):
            pending.unknown = True


def _infer(
    run: Run, pending: _pending.Pending, item: ToolResult, began: int | None, told: str | None
) -> None:  # fmt: skip
    step, call = pending.step, pending.call
    name = call.name or item.name or "unknown"
    arguments, result = hasher().hash(call.arguments, "tool-args"), hasher().hash(item.content, "tool-result")
    error_class = told or ("error_payload" if item.is_error else classify_payload(item.content))
    if pending.unknown:  # whatever it is called that came back, no such tool was there to be called
        error_class = "unknown_tool"
    attributes = {
        semconv.OPERATION: "execute_tool", semconv.TOOL_NAME: name, semconv.TOOL_TYPE: "function",
        **attributes_of(run, step),
        semconv.TOOL_INFERRED: True,
        semconv.HASH_KEY_ID: hasher().key_id, semconv.HASH_CANONICALIZATION: arguments.canonicalization,
        semconv.TOOL_STATUS: "error" if error_class else "success",
    }  # fmt: skip
    arguments.put(attributes, semconv.TOOL_ARGS_HASH)
    result.put(attributes, semconv.TOOL_RESULT_HASH)
    if call.id:
        attributes[semconv.TOOL_CALL_ID] = call.id
    if error_class:
        attributes[semconv.ERROR_CLASS] = attributes[semconv.ERROR_TYPE] = error_class
    if keep.arguments:
        attributes[semconv.TOOL_ARGUMENTS] = as_text(call.arguments)
    if keep.results:
        attributes[semconv.TOOL_RESULT] = as_text(item.content)
    now = time.time_ns()
    took = None if began is None else max(now - began, 0) / 1e9
    if took is not None:
        attributes[semconv.TOOL_DURATION] = took
    parent = parent_of(Placement(run))
    span = start_span(f"execute_tool {name}", parent, SpanKind.INTERNAL, attributes, began or now)
    if error_class:
        span.set_status(StatusCode.ERROR, error_class)
    span.end(now)
    settled(run, ToolUse(name, arguments.text, took, step, error_class, result.text))
