"""
What is not stored at all: tool arguments and results, unless the settings ask for them.

Their keyed hashes and sizes stay, so equal calls can be found and joined.  Spans of other instrumentations are held to
the same rule.  An incident window stores arguments for a bounded time; sampling stores some results, and always those
of failures, loops and stops.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from typing import Any, Final

from spanledger import semconv
from spanledger.config import Settings
from spanledger.hashing import hasher
from spanledger.policy import read_moment

from .record import Record

__all__ = ["CAPTURE_UNTIL", "Withhold"]

CAPTURE_UNTIL: Final = "agent.capture.until"
"""On every span of an incident window: until when raw arguments are stored."""

_ARGUMENTS: Final = (semconv.TOOL_ARGUMENTS, "gen_ai.tool.arguments", "tool.parameters", "tool_arguments",
                     "gen_ai.tool.args")  # fmt: skip
_RESULTS: Final = (semconv.TOOL_RESULT, "gen_ai.tool.result", "gen_ai.tool.output", "tool_response")
_TOOL_OPERATION: Final = "execute_tool"
_TOOL_ALIASES: Final = (("input.value", _ARGUMENTS[0]), ("output.value", _RESULTS[0]),
                        ("traceloop.entity.input", _ARGUMENTS[0]), ("traceloop.entity.output", _RESULTS[0]),
                        ("langfuse.observation.input", _ARGUMENTS[0]),
                        ("langfuse.observation.output", _RESULTS[0]))  # fmt: skip
_ALWAYS: Final = frozenset({"loop_detected", "budget_exceeded", "denied", "killed"})


class Withhold:
    """The step that hashes and drops arguments and results."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._arguments_kept = settings.store_arguments
        self._results_kept = settings.store_results
        self._rate = settings.store_results_rate
        self._until = read_moment(settings.capture_until) if settings.capture_until else 0.0
        self._until_text = settings.capture_until
        self._clock = clock

    def __call__(self, record: Record) -> None:
        """Hash what may be joined, drop what may not be stored."""
        attributes = record.attributes
        if self._window():
            attributes[CAPTURE_UNTIL] = self._until_text
        if _is_tool(attributes):
            for alias, name in _TOOL_ALIASES:
                if alias in attributes:
                    attributes.setdefault(name, attributes.pop(alias))
        keeps = self._keeps_result(attributes, record.source.context.trace_id if record.source.context else 0)
        for holder in (attributes, *(event.attributes for event in record.events)):
            self.attributes(holder, keeps_result=keeps)

    def attributes(self, attributes: dict[str, Any], *, keeps_result: bool | None = None) -> None:
        """The same for one set of attributes, in place."""
        if keeps_result is None:
            keeps_result = self._keeps_result(attributes, 0)
        for key in _ARGUMENTS:
            if key in attributes:
                hash_into(attributes, attributes[key], semconv.TOOL_ARGS_HASH, "tool-args")
                if not self._arguments_kept and not self._window():
                    del attributes[key]
        for key in _RESULTS:
            if key in attributes:
                hash_into(attributes, attributes[key], semconv.TOOL_RESULT_HASH, "tool-result")
                if not keeps_result:
                    del attributes[key]

    def _window(self) -> bool:
        return self._until > 0 and self._clock() < self._until

    def _keeps_result(self, attributes: dict[str, Any], trace_id: int) -> bool:
        if self._results_kept != "sampled":
            return self._results_kept == "full"
        failed = attributes.get(semconv.TOOL_STATUS) == "error" or semconv.ERROR_TYPE in attributes
        if failed or attributes.get(semconv.RUN_STOP_REASON) in _ALWAYS or semconv.ERROR_CLASS in attributes:
            return True
        # All results of a run, or none: half a run explains nothing.
        key = str(attributes.get(semconv.RUN_ID) or trace_id)
        return zlib.crc32(key.encode()) / 2**32 < self._rate


def _is_tool(attributes: dict[str, Any]) -> bool:
    return (
        attributes.get(semconv.OPERATION) == _TOOL_OPERATION
        or attributes.get("openinference.span.kind") == "TOOL"
        or attributes.get("traceloop.span.kind") == "tool"
        or attributes.get("langfuse.observation.type") == "tool"
    )


def hash_into(attributes: dict[str, Any], value: Any, name: str, purpose: str) -> None:
    """Write the hash of *value* under *name*, unless the call itself has done so."""
    if name in attributes:
        return
    hashed = hasher().hash(value, purpose)
    hashed.put(attributes, name)
    attributes.setdefault(semconv.HASH_KEY_ID, hasher().key_id)
    attributes.setdefault(semconv.HASH_CANONICALIZATION, hashed.canonicalization)
    if name == semconv.TOOL_RESULT_HASH and hashed.size is not None:
        attributes.setdefault(semconv.TOOL_RESULT_SIZE, hashed.size)
