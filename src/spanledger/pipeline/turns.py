"""
What a run was asked and what it answered, on the span of the run: pages of sessions and agents show nothing else.

Model calls end before their run does, so their messages are kept until the run's own span comes by: the question of the
first call, the answer of the last.  Bounded, and only where message content is on the spans at all.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from typing import Any, Final

from spanledger import semconv

from .record import Record

__all__ = ["Turns"]

_MAX_RUNS: Final = 1024
_MAX_TEXT: Final = 16_384


class Turns:
    """The step that writes ``input.value`` and ``output.value`` on spans of runs."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[int, str | None, int, str | None]] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, record: Record) -> None:
        """Remember what a model call says; write it on the span of its run."""
        attributes = record.attributes
        run = attributes.get(semconv.RUN_ID)
        if not isinstance(run, str):
            return
        if semconv.INPUT_MESSAGES in attributes or semconv.OUTPUT_MESSAGES in attributes:
            self._remember(run, attributes, record.source.start_time or 0)
        elif semconv.RUN_STATUS in attributes:
            with self._lock:
                _, asked, _, answered = self._known.pop(run, (0, None, 0, None))
            for name, text in (("input", asked), ("output", answered)):
                if text is not None and f"{name}.value" not in attributes:
                    attributes[f"{name}.value"] = text
                    attributes[f"{name}.mime_type"] = "text/plain"

    def _remember(self, run: str, attributes: dict[str, Any], at: int) -> None:
        asked = _said(attributes.get(semconv.INPUT_MESSAGES), "user")
        answered = _said(attributes.get(semconv.OUTPUT_MESSAGES), "assistant")
        with self._lock:
            first, question, last, answer = self._known.pop(run, (at, None, 0, None))
            if asked is not None and (question is None or at < first):
                first, question = at, asked
            if answered is not None and at >= last:
                last, answer = at, answered
            self._known[run] = (first, question, last, answer)
            while len(self._known) > _MAX_RUNS:
                self._known.popitem(last=False)


def _said(messages: Any, role: str) -> str | None:
    """The text of the last message of *role*, when *messages* are JSON in the convention's shape."""
    try:
        found = json.loads(messages) if isinstance(messages, str) else messages
        for message in reversed(found or ()):
            if message.get("role") == role:
                parts = [part["content"] for part in message.get("parts", ()) if part.get("type") == "text"]
                if parts:
                    return "\n".join(map(str, parts))[:_MAX_TEXT]
    except (ValueError, TypeError, AttributeError, KeyError):
        return None
    return None
