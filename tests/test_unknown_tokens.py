"""Tokens that a provider did not tell are said to be unknown, on the run's span and in its account, and never zero."""

from __future__ import annotations

import pytest

from spanledger import semconv
from spanledger.account import Totals
from spanledger.ledger import ledger
from spanledger.model import Usage
from spanledger.runs import run


@pytest.mark.parametrize(
    ("usage", "operation", "unknown", "known"),
    [
        (Usage(), "chat", 1, (0, 0)),
        (Usage(uncached=3, output=2), "chat", 0, (3, 2)),
        (Usage(uncached=3), "chat", 1, (3, 0)),
        (Usage(output=2), "chat", 1, (0, 2)),
        (Usage(uncached=0, output=0), "chat", 0, (0, 0)),
        (Usage(uncached=3), "embeddings", 0, (3, 0)),
        (Usage(), "embeddings", 1, (0, 0)),
    ],
)
def test_what_is_half_known_is_added_and_said(usage, operation, unknown, known):
    totals = Totals()
    totals.add(usage, operation)
    assert (totals.unknown, (totals.input, totals.output)) == (unknown, known)


@pytest.mark.parametrize(
    ("usages", "said"),
    [
        ([Usage()], (None, None, 1)),
        ([Usage(), Usage(uncached=3, output=2)], (3, 2, 1)),
        ([Usage(uncached=3, output=2)], (3, 2, None)),
        ([], (0, 0, None)),
    ],
)
def test_a_runs_span_says_it_too(usages, said, spans):
    with run("r") as going_on:
        for usage in usages:
            ledger.get(going_on.id).usage.add(usage)
    [span] = [span for span in spans() if span.name == "invoke_agent r"]
    names = (semconv.RUN_INPUT_TOKENS, semconv.RUN_OUTPUT_TOKENS, semconv.RUN_UNKNOWN_USAGE)
    assert tuple(span.attributes.get(name) for name in names) == said
