"""The rows of a run as Markdown tables, and the verdict on our ratios."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import Any

from contenders import CONTENDERS, PEERS, WORKLOADS, YARDSTICK

GOAL = 1.8
"""The most that we may add, in multiples of the hand-written span that records content."""


class Rows:
    """Results by contender and workload; several rounds of each."""

    def __init__(self, rows: Iterable[dict[str, Any]]) -> None:
        self._found: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for row in rows:
            self._found.setdefault((row["contender"], row["workload"]), []).append(row)
        measured = {contender for contender, _ in self._found}
        self.contenders = [name for name in {**CONTENDERS, **PEERS} if name in measured]

    def values(self, contender: str, workload: str, field: str = "added_us") -> list[float]:
        """One figure of each round."""
        return [row[field] for row in self._found.get((contender, workload), ())]

    def median(self, contender: str, workload: str, field: str = "added_us") -> float | None:
        """The middle round's figure; `None` when it was not measured."""
        values = self.values(contender, workload, field)
        return statistics.median(values) if values else None

    def ratio(self, contender: str, workload: str) -> float | None:
        """What *contender* adds, in multiples of what the yardstick adds in the same run."""
        added, yardstick = self.median(contender, workload), self.median(YARDSTICK, workload)
        return None if added is None or not yardstick else added / yardstick


def _number(value: float | None, digits: int = 0) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


def _table(head: list[str], lines: Iterable[list[str]]) -> list[str]:
    return [f"| {' | '.join(line)} |" for line in (head, ["---", *["---:"] * (len(head) - 1)], *lines)]


def _added(rows: Rows, contender: str, workload: str) -> str:
    values = rows.values(contender, workload)
    if not values:
        return ""
    return f"{_number(statistics.median(values))} [{_number(min(values))}..{_number(max(values))}]"


def _worker(rows: Rows, contender: str) -> list[str]:
    spans = [rows.median(contender, name, "spans_per_call") for name in WORKLOADS]
    figures = [_number(rows.median(contender, name, "worker_us")) for name in WORKLOADS]
    return [contender, *figures, "/".join("" if n is None else f"{n:.2g}" for n in spans)]


def markdown(rows: Rows) -> str:
    """All tables."""
    names = list(WORKLOADS)
    ratios = [
        [name, *(f"{ratio:.2f}" if (ratio := rows.ratio(name, workload)) is not None else "" for workload in names)]
        for name in rows.contenders
    ]
    added = [[name, *(_added(rows, name, workload) for workload in names)] for name in rows.contenders]
    plain = [_number(rows.median("nothing", name, "plain_us")) for name in names]
    return "\n".join([
        f"### Added to a call, in multiples of `{YARDSTICK}`", "",
        *_table(["contender", *names], ratios), "",
        "### Microseconds of CPU added to a call: middle round [lowest..highest]", "",
        *_table(["contender", *names], added), "",
        f"The un-instrumented call itself: {' / '.join(plain)} us.", "",
        "### Microseconds of CPU on the worker thread per call, and spans per call", "",
        *_table(["contender", *names, "spans"], (_worker(rows, name) for name in rows.contenders)), "",
    ])  # fmt: skip


def verdict(rows: Rows) -> list[str]:
    """What is wrong with our ratios; empty when nothing is."""
    wrong = []
    ours = [name for name, contender in CONTENDERS.items() if contender.ours]
    for name in ours:
        for workload in WORKLOADS:
            ratio = rows.ratio(name, workload)
            if ratio is None:
                wrong.append(f"{name}, {workload}: not measured")
            elif ratio > GOAL:
                wrong.append(f"{name}, {workload}: {ratio:.2f} times {YARDSTICK}, more than {GOAL}")
            if rows.median(name, workload, "spans_per_call") == 0:
                wrong.append(f"{name}, {workload}: no span came out")
    return wrong
