"""
Metrics and baggage: the other two ways out.

A metric's attributes become series names, so they are redacted with plain labels, never with keyed tokens, which would
make a series for each person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

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

from spanledger.config import Settings
from spanledger.policy import Policy
from spanledger.shield import report

from .redact import Redactor

__all__ = ["ProtectingMetricExporter", "ProtectingPropagator"]


def _redactor(settings: Settings | None) -> Redactor:
    settings = settings or Settings.load()
    policy = settings.policy
    return Redactor(
        Policy(keys=policy.keys, keep_keys=policy.keep_keys, patterns=policy.patterns, allow=policy.allow),
        settings.redact_keys,
    )


class ProtectingMetricExporter(MetricExporter):
    """Redacts the attributes of data points and exemplars before *exporter* gets them."""

    def __init__(self, exporter: MetricExporter, settings: Settings | None = None) -> None:
        super().__init__(
            preferred_temporality=exporter._preferred_temporality,  # noqa: SLF001 - the reader asks us for it
            preferred_aggregation=exporter._preferred_aggregation,  # noqa: SLF001
        )
        self._exporter = exporter
        self._redactor = _redactor(settings)

    def export(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> MetricExportResult:
        """Export protected copies; a batch that can't be protected is not exported."""
        try:
            protected = replace(
                metrics_data, resource_metrics=[self._resource(r) for r in metrics_data.resource_metrics]
            )
        except Exception as error:  # noqa: BLE001 - fails closed
            report("protecting metrics", error)
            return MetricExportResult.FAILURE
        return self._exporter.export(protected, timeout_millis, **kwargs)

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
                            metric, data=replace(metric.data, data_points=[*map(self._point, metric.data.data_points)])
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
        return self._redactor.attributes(attributes or {})

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Flush the exporter."""
        return self._exporter.force_flush(timeout_millis)

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Shut the exporter down."""
        self._exporter.shutdown(timeout_millis, **kwargs)


class ProtectingPropagator(TextMapPropagator):
    """Redacts baggage before *propagator* puts it into the headers of somebody else's service."""

    def __init__(self, propagator: TextMapPropagator, settings: Settings | None = None) -> None:
        self._propagator = propagator
        self._redactor = _redactor(settings)

    def inject(
        self, carrier: CarrierT, context: Context | None = None, setter: Setter[CarrierT] = default_setter
    ) -> None:
        """Inject *context* without entries that must not leave."""
        try:
            for name, value in baggage.get_all(context).items():
                key = self._redactor.text(name)
                if key != name or self._redactor.value(value, key=name) != value:
                    context = baggage.remove_baggage(name, context)
        except Exception as error:  # noqa: BLE001 - fails closed
            report("protecting baggage", error)
            context = baggage.clear(context)
        self._propagator.inject(carrier, context, setter)

    def extract(
        self, carrier: CarrierT, context: Context | None = None, getter: Getter[CarrierT] = default_getter
    ) -> Context:
        """Extract as the propagator does."""
        return self._propagator.extract(carrier, context, getter)

    @property
    def fields(self) -> set[str]:
        """The headers that the propagator writes."""
        return self._propagator.fields
