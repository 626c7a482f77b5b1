"""
Metrics and baggage: the other two ways out.

A metric's attributes become series names, so what is found in them becomes a plain label, never a keyed token, which
would make a series for each person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

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
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData

from spanledger import semconv
from spanledger.config import Settings
from spanledger.policy import Policy
from spanledger.shield import report

from .identity import Identity
from .redact import Redactor
from .steps import identity_of

__all__ = ["RedactingMetricExporter", "RedactingPropagator", "protected_metrics"]


_OURS: Final = frozenset({semconv.RUN_ID, semconv.STEP_ID})
"""Baggage of ours that says nothing of anybody."""
_PEOPLE: Final = frozenset({semconv.SESSION_ID, semconv.CONVERSATION_ID, semconv.USER_ID})


@lru_cache(maxsize=8)
def _redactor_for(keys: tuple[str, ...], policy_keys: tuple[str, ...], keep: tuple[str, ...],
                  patterns: tuple[tuple[str, str], ...], allow: tuple[str, ...]) -> Redactor:  # fmt: skip
    policy = Policy(keys=policy_keys, keep_keys=keep, patterns=dict(patterns), allow=allow)
    return Redactor(policy, keys)


def _redactor(settings: Settings) -> Redactor:
    """A redactor that writes labels only, whatever the policy does with what is found."""
    policy = settings.policy
    return _redactor_for(
        settings.redact_keys, policy.keys, policy.keep_keys, tuple(policy.patterns.items()), policy.allow
    )


def protected_metrics(settings: Settings) -> Callable[[Any], Any]:
    """What makes protected copies of collected metrics; what can't be protected is left out, and said."""
    later: list[_Metrics] = []

    def protect(data: Any) -> Any:
        if data is None or not settings.redact:
            return data
        try:
            if not later:
                later.append(_Metrics(_redactor(settings), Identity(settings.policy)))
            return later[0].data(data)
        except Exception as error:  # noqa: BLE001 - fails closed
            report("protecting metrics", error)
            return None

    return protect


class _Metrics:
    """Copies of metrics without what must not leave."""

    def __init__(self, redactor: Redactor, identity: Identity) -> None:
        self._redactor = redactor
        self._identity = identity

    def data(self, metrics_data: Any) -> Any:
        return replace(metrics_data, resource_metrics=[self._resource(each) for each in metrics_data.resource_metrics])

    def _resource(self, metrics: Any) -> Any:
        return replace(
            metrics,
            resource=self._redactor.resource(metrics.resource),
            scope_metrics=[
                replace(
                    scope,
                    scope=self._redactor.scope(scope.scope),
                    metrics=[
                        replace(
                            metric,
                            description=self._redactor.text(metric.description or ""),
                            data=replace(metric.data, data_points=[*map(self._point, metric.data.data_points)]),
                        )
                        for metric in scope.metrics
                    ],
                )
                for scope in metrics.scope_metrics
            ],
        )

    def _point(self, point: Any) -> Any:
        changed: dict[str, Any] = {"attributes": self._attributes(point.attributes)}
        if exemplars := getattr(point, "exemplars", None):
            changed["exemplars"] = [
                replace(exemplar, filtered_attributes=self._attributes(exemplar.filtered_attributes))
                for exemplar in exemplars
            ]
        return replace(point, **changed)

    def _attributes(self, attributes: Mapping[str, Any] | None) -> dict[str, Any]:
        found = dict(attributes or {})
        self._identity.attributes(found)
        return self._redactor.attributes(found)


class RedactingMetricExporter(MetricExporter):
    """Redacts the attributes of data points and exemplars before *exporter* gets them."""

    def __init__(self, exporter: MetricExporter, settings: Settings | None = None) -> None:
        super().__init__(
            preferred_temporality=exporter._preferred_temporality,  # noqa: SLF001 - the reader asks us for it
            preferred_aggregation=exporter._preferred_aggregation,  # noqa: SLF001
        )
        self._exporter = exporter
        self._protect = protected_metrics(settings or Settings.load())

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        """Export protected copies; a batch that can't be protected is not exported."""
        protected = self._protect(metrics_data)
        if protected is None:
            return MetricExportResult.FAILURE
        return self._exporter.export(protected, timeout_millis, **kwargs)

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Flush the exporter."""
        return self._exporter.force_flush(timeout_millis)

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Shut the exporter down."""
        self._exporter.shutdown(timeout_millis, **kwargs)


class RedactingPropagator(TextMapPropagator):
    """Redacts baggage before *propagator* puts it into the headers of somebody else's service."""

    def __init__(self, propagator: TextMapPropagator, settings: Settings | None = None) -> None:
        self._propagator = propagator
        self._settings = settings or Settings.load()
        self._identity = identity_of(self._settings)

    def inject(
        self, carrier: CarrierT, context: Context | None = None, setter: Setter[CarrierT] = default_setter
    ) -> None:
        """Inject *context* without entries that must not leave; runs and steps do, users and sessions by policy."""
        self._propagator.inject(carrier, self._leaving(context), setter)

    def _leaving(self, context: Context | None) -> Context | None:
        entries = baggage.get_all(context)
        if not entries or not self._settings.redact:
            return context
        try:
            redactor = _redactor(self._settings)
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
