"""
Metrics: another way out.

A metric's attributes become series names, so what is found in them becomes a plain label, never a keyed token, which
would make a series for each person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData

from spanledger.config import Settings
from spanledger.shield import report

from .identity import Identity

if TYPE_CHECKING:
    from .redact import Redactor

__all__ = ["Protection", "RedactingMetricExporter"]


class Protection:
    """Makes protected copies of collected metrics; what can't be protected is left out, and said."""

    def __init__(self, settings: Settings) -> None:
        self.renew(settings)

    def renew(self, settings: Settings) -> None:
        """Go on by other *settings*."""
        self.settings = settings
        self._made: tuple[Settings, _Metrics] | None = None

    def __call__(self, data: Any) -> Any:
        """A protected copy of *data*."""
        settings = self.settings
        if data is None or not settings.redact:
            return data
        try:
            made = self._made
            if made is None or made[0] is not settings:  # a reader may still be at it by those before
                from .labels import labelling_redactor  # noqa: PLC0415 - compiles its patterns

                made = self._made = settings, _Metrics(labelling_redactor(settings), Identity(settings.policy))
            return made[1].data(data)
        except Exception as error:  # noqa: BLE001 - fails closed
            report("protecting metrics", error)
            return None


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
        self._protect = Protection(settings or Settings.load())

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
