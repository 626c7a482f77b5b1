from __future__ import annotations

import io
from decimal import Decimal

import pytest
from rich.console import Console

from spanledger.journal import RunRow
from spanledger.report.listing import table_of
from spanledger.report.words import age, duration, money, spent, tokens


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "$0"), ("0.0000001", "<$0.000001"), ("0.00041", "$0.00041"), ("0.5", "$0.50"), ("1", "$1.00"),
        ("12.34567", "$12.3457"), ("12345.6", "$12,345.60"),
    ],
)  # fmt: skip
def test_money(amount, text):
    assert money(Decimal(amount)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.00002, "<0.1 ms"), (0.0004, "0.4 ms"), (0.0124, "12 ms"), (4.24, "4.2 s"), (184, "3 min 4 s"),
        (7500, "2 h 5 min"),
    ],
)  # fmt: skip
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_what_is_unknown_is_said():
    assert spent(Decimal(0), 2, 2) == "unpriced"
    assert spent(Decimal(0), 2, 3) == "$0 + 2 unpriced"
    assert tokens(None, 5) == "? in, 5 out"
    assert tokens(None, None) == "? in, ? out"


def test_ages():
    ages = [age(0, seconds * 10**9) for seconds in (5, 125, 7300, 200_000)]
    assert ages == ["5 s ago", "2 min ago", "2 h ago", "2 d ago"]


@pytest.mark.parametrize(
    ("counts", "missing", "said"),
    [
        ((2, 3), 0, "2 in, 3 out"),
        ((0, 0), 0, "0 in, 0 out"),
        ((0, 0), 1, "tokens unknown"),
        ((None, None), 1, "tokens unknown"),
        ((2, 3), 4, "2 in, 3 out + 4 calls unknown"),
        ((None, 3), 1, "? in, 3 out + 1 call unknown"),
        ((2, 3), 1, "2 in, 3 out + 1 call unknown"),
    ],
)
def test_tokens_that_nobody_told_are_no_zeros(counts, missing, said):
    assert tokens(*counts, missing=missing) == said


@pytest.mark.parametrize(("known", "unknown", "said"), [(5, 0, "5"), (0, 0, "0"), (0, 2, "?"), (5, 2, "5 + ?")])
def test_a_list_of_runs_does_not_count_them_as_zeros_either(known, unknown, said):
    run = RunRow(run_id="r", started=1, heartbeat=1, input_tokens=known, unknown_usage=unknown)
    console = Console(file=io.StringIO(), width=200)
    console.print(table_of([run], now=2))
    row = console.file.getvalue().splitlines()[1]
    assert f" {said} " in row
