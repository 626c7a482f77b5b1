"""
What a call cost, written on its span: only on spans of calls to a model, whoever made them.

Spans of agents, workflows, tools and streams of an earlier answer carry totals of others and are never priced.
"""

from __future__ import annotations

from typing import Any, Final

from spanledger import semconv
from spanledger.ledger import ledger

from .record import Record

__all__ = ["add_cost"]

INFERENCE: Final = frozenset({"chat", "text_completion", "generate_content", "embeddings", "responses", "completion"})


def add_cost(record: Record) -> None:
    """Price a model call's span; sum up on a run's span."""
    attributes = record.attributes
    operation = attributes.get(semconv.OPERATION)
    refused = attributes.get(semconv.ERROR_CLASS) == "denied"  # by a limit: never sent, so there is nothing to price
    counted = operation in INFERENCE or semconv.USAGE_SOURCE in attributes  # images, speech, rerank and their like
    if counted and semconv.COST_STATUS not in attributes and not refused:
        _price(attributes, str(operation), record.source.start_time or 0)
    if semconv.RUN_STATUS in attributes:
        _run(attributes)


def _price(attributes: dict[str, Any], operation: str, at: int) -> None:
    usage = semconv.usage_of(attributes)
    from spanledger import pricing  # noqa: PLC0415 - with the first price

    price = pricing.price(
        usage,
        provider=str(attributes.get(semconv.PROVIDER) or ""),
        model=attributes.get(semconv.RESPONSE_MODEL),
        request_model=attributes.get(semconv.REQUEST_MODEL),
        at=at,
        tier=semconv.tier_of(attributes),
        operation=operation,
    )
    model = attributes.get(semconv.RESPONSE_MODEL) or attributes.get(semconv.REQUEST_MODEL)
    if usage.input and (window := pricing.context_window(str(attributes.get(semconv.PROVIDER) or ""), model)):
        attributes[semconv.CONTEXT_USED] = round(usage.input / window, 4)
    attributes[semconv.COST_STATUS] = price.status
    if price.amount is not None:
        attributes[semconv.COST_AMOUNT] = float(price.amount)
        attributes[semconv.COST_CURRENCY] = "USD"
        attributes[semconv.COST_SOURCE] = "provider" if price.source == "provider" else "local"
    if price.source:
        attributes[semconv.COST_PRICE_SOURCE] = price.source
    if price.version:
        attributes[semconv.COST_PRICE_VERSION] = price.version
    if price.unpriced_units:
        attributes[semconv.COST_UNPRICED_UNITS] = list(price.unpriced_units)


def _run(attributes: dict[str, Any]) -> None:
    run = ledger.get(str(attributes.get(semconv.RUN_ID)))
    if run is not None:
        attributes[semconv.RUN_COST] = float(run.cost)
        attributes[semconv.RUN_UNPRICED] = run.unpriced
