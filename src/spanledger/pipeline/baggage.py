"""
Baggage: the way out into the headers of other services.

Every program that sets us up has this propagator, few have baggage: the redactor is imported when there is some.
"""

from __future__ import annotations

from typing import Final

from opentelemetry import baggage
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import (
    CarrierT,
    Getter,
    Setter,
    TextMapPropagator,
    default_getter,
    default_setter,
)

from spanledger import semconv
from spanledger.config import Settings
from spanledger.shield import report

from .steps import identity_of

__all__ = ["RedactingPropagator"]

_OURS: Final = frozenset({semconv.RUN_ID, semconv.STEP_ID})
"""Baggage of ours that says nothing of anybody."""
_PEOPLE: Final = frozenset({semconv.SESSION_ID, semconv.CONVERSATION_ID, semconv.USER_ID})


class RedactingPropagator(TextMapPropagator):
    """Redacts baggage before *propagator* puts it into the headers of somebody else's service."""

    ours = False
    """Whether we put it where it is, so that it follows what the program says of its policy later."""

    def __init__(self, propagator: TextMapPropagator, settings: Settings | None = None) -> None:
        self._propagator = propagator
        self.renew(settings or Settings.load())

    def renew(self, settings: Settings) -> None:
        """Go on by other *settings*."""
        self.settings = settings
        self._identity = identity_of(settings)

    def inject(
        self, carrier: CarrierT, context: Context | None = None, setter: Setter[CarrierT] = default_setter
    ) -> None:
        """Inject *context* without entries that must not leave; runs and steps do, users and sessions by policy."""
        self._propagator.inject(carrier, self._leaving(context), setter)

    def _leaving(self, context: Context | None) -> Context | None:
        entries = baggage.get_all(context)
        if not entries or not self.settings.redact:
            return context
        try:
            from .labels import labelling_redactor  # noqa: PLC0415 - compiles its patterns

            redactor = labelling_redactor(self.settings)
            for name, value in entries.items():
                if name in _OURS:
                    continue
                spelled = {name: value}
                if name in _PEOPLE:
                    self._identity.attributes(spelled)
                if (said := spelled.get(name)) != value and said is not None:
                    context = baggage.set_baggage(name, said, context)
                elif said is None or redactor.text(name) != name or redactor.value(value, key=name) != value:
                    context = baggage.remove_baggage(name, context)
        except Exception as error:  # noqa: BLE001 - fails closed
            report("protecting baggage", error)
            context = baggage.clear(context)
        return context

    def extract(
        self, carrier: CarrierT, context: Context | None = None, getter: Getter[CarrierT] = default_getter
    ) -> Context:
        """Extract as the propagator does."""
        return self._propagator.extract(carrier, context, getter)

    @property
    def fields(self) -> set[str]:
        """The headers that the propagator writes."""
        return self._propagator.fields
