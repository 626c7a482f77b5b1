"""
Content as events instead of, or beside, span attributes: ``gen_ai.client.inference.operation.details``.

An event goes to whatever log exporters the program has, past our pipeline; so it is redacted here, before it is told.
"""

from __future__ import annotations

import json
import time
from typing import Any, Final

from opentelemetry._logs import LoggerProvider, LogRecord, SeverityNumber, get_logger

from .. import semconv
from ..config import Settings
from ..pipeline.steps import redactor_of
from ..shield import shield
from ..version import SCOPE, __version__
from ._calls import Call
from ._content import for_sampling

__all__ = ["Events"]

NAME: Final = "gen_ai.client.inference.operation.details"
_CONTENT: Final = (
    semconv.SYSTEM_INSTRUCTIONS, semconv.INPUT_MESSAGES, semconv.OUTPUT_MESSAGES, semconv.TOOL_DEFINITIONS,
)  # fmt: skip


class Events:
    """Tells each finished call as an event, when the content switch asks for events."""

    def __init__(self, settings: Settings, logger_provider: LoggerProvider | None = None) -> None:
        self._on_spans = settings.content_on_spans
        self._redact = settings.redact
        self._settings = settings
        self._logger = get_logger(SCOPE, __version__, logger_provider=logger_provider)

    def __call__(self, call: Call, attributes: dict[str, Any]) -> None:
        """Tell *call*, whose span is about to get *attributes*; content that spans shall not have is taken out."""
        with shield("telling a call as an event"):
            said = {**for_sampling(call), **attributes}
            if self._redact:
                said = redactor_of(self._settings).attributes(said)
            for name in _CONTENT:
                if isinstance(text := said.get(name), str):
                    said[name] = json.loads(text)
            record = LogRecord(
                timestamp=time.time_ns(),
                context=call.context,
                severity_number=SeverityNumber.DEBUG,
                event_name=NAME,
                attributes=said,
            )
            self._logger.emit(record)
        if not self._on_spans:
            for name in _CONTENT:
                attributes.pop(name, None)
