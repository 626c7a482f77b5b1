"""
What is not stored at all: message content, tool arguments and results, unless the settings ask for them.

Their keyed hashes and sizes stay, so equal calls can be found and joined.  Spans of other instrumentations are held to
the same rule.
"""

from __future__ import annotations

from typing import Any, Final

from spanledger import semconv
from spanledger.config import Settings
from spanledger.hashing import hasher

from .record import Record

__all__ = ["Withhold"]

_ARGUMENTS: Final = (semconv.TOOL_ARGUMENTS, "tool.parameters", "tool_arguments", "gen_ai.tool.arguments")
_RESULTS: Final = (semconv.TOOL_RESULT, "tool_response", "gen_ai.tool.result")


class Withhold:
    """The step that hashes and drops arguments and results."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __call__(self, record: Record) -> None:
        """Hash what may be joined, drop what may not be stored."""
        for holder in (record.attributes, *(event.attributes for event in record.events)):
            self.attributes(holder)

    def attributes(self, attributes: dict[str, Any]) -> None:
        """The same for one set of attributes, in place."""
        self._arguments(attributes)
        self._results(attributes)

    def _arguments(self, attributes: dict[str, Any]) -> None:
        for key in _ARGUMENTS:
            if key in attributes:
                hash_into(attributes, attributes[key], semconv.TOOL_ARGS_HASH, "tool-args")
                if not self._settings.store_arguments:
                    del attributes[key]

    def _results(self, attributes: dict[str, Any]) -> None:
        for key in _RESULTS:
            if key in attributes:
                hash_into(attributes, attributes[key], semconv.TOOL_RESULT_HASH, "tool-result")
                if self._settings.store_results != "full":
                    del attributes[key]


def hash_into(attributes: dict[str, Any], value: Any, name: str, purpose: str) -> None:
    """Write the hash of *value* under *name*, unless the call itself has done so."""
    if name in attributes:
        return
    hashed = hasher().hash(value, purpose)
    attributes[name] = hashed.text
    attributes.setdefault(semconv.HASH_KEY_ID, hasher().key_id)
    attributes.setdefault(semconv.HASH_CANONICALIZATION, hashed.canonicalization)
    if name == semconv.TOOL_RESULT_HASH and hashed.size is not None:
        attributes.setdefault(semconv.TOOL_RESULT_SIZE, hashed.size)
