"""Log records are changed on their way, before any exporter; the SDK means them to be."""

from __future__ import annotations

from collections import Counter
from typing import Any

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk._logs import LogRecordProcessor

from spanledger.config import Settings
from spanledger.shield import report

from .bounds import limits
from .marks import FAILED
from .steps import identity_of, redactor_of
from .truncate import shortened
from .withhold import Withhold

__all__ = ["RedactingLogRecordProcessor"]


class RedactingLogRecordProcessor(LogRecordProcessor):
    """Redacts body, attributes, event name, resource and scope of each record; register it before the exporters."""

    ours = False
    """Whether we put it where it is, so that it follows what the program says of its policy later."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.renew(settings or Settings.load())

    def renew(self, settings: Settings) -> None:
        """Go on by other *settings*."""
        self.settings = settings
        self._withhold = Withhold(self.settings)
        self._identity = identity_of(self.settings)
        self._limit = limits(self.settings)["max_value_bytes"]

    def on_emit(self, log_record: Any) -> None:
        """Protect *log_record* in place; when that breaks, its body and attributes go."""
        record = log_record.log_record
        try:
            self._protect(log_record, record)
        except Exception as error:  # noqa: BLE001 - fails closed
            record.body = FAILED
            record.attributes = BoundedAttributes(attributes={}, immutable=False)
            report("protecting a log record", error)

    def _protect(self, holder: Any, record: Any) -> None:
        attributes = dict(record.attributes or {})
        self._withhold.attributes(attributes)
        self._identity.attributes(attributes)
        counts: Counter[str] = Counter()
        body = record.body
        if self.settings.redact:
            redactor = redactor_of(self.settings)
            attributes = redactor.attributes(attributes, counts)
            body = redactor.value(body, counts)
            if record.event_name:
                record.event_name = redactor.text(record.event_name, counts)
            if holder.resource is not None:
                holder.resource = redactor.resource(holder.resource)
            holder.instrumentation_scope = redactor.scope(holder.instrumentation_scope)
        if limit := self._limit:
            body = shortened(body, limit)
            attributes = {key: shortened(value, limit) for key, value in attributes.items()}
        for label, count in counts.items():
            attributes[f"agent.redaction.count.{label.lower()}"] = count
        record.body = body
        dropped = getattr(record.attributes, "dropped", 0)
        record.attributes = BoundedAttributes(attributes=attributes, immutable=False)
        record.attributes.dropped += dropped

    def shutdown(self) -> None:
        """Nothing to close."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - the interface
        """Nothing is held back."""
        return True
