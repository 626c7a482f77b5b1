"""
One contender on one workload in a process of its own: prints one line of JSON.

    python benchmarks/measure.py CONTENDER WORKLOAD [PAIRS]

The client is called in short blocks, un-instrumented and instrumented, in pairs of random order.  What the contender
adds is the mean of the middle half of the pairs' differences in process CPU time; what it does when it is told to
flush (the work of a worker thread) is timed apart.
"""

from __future__ import annotations

import gc
import json
import random
import statistics
import sys
import time
from typing import Any

import openai
from contenders import CONTENDERS, PEERS, Running
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from workloads import Workload

PAIRS = {"short": 80, "history": 100, "stream": 80, "concurrent": 16}
_ABSENT = object()


class Counting(SpanExporter):
    """Does nothing but count, so that lost spans are seen."""

    def __init__(self) -> None:
        self.count = 0

    def export(self, spans: Any) -> SpanExportResult:
        self.count += len(spans)
        return SpanExportResult.SUCCESS


class Patches:
    """What a contender changed on the client's classes, to take away and put back between blocks."""

    def __init__(self) -> None:
        modules = [m for name, m in list(sys.modules.items()) if name.split(".")[0] == openai.__name__]
        found = {v for m in modules for v in list(vars(m).values()) if isinstance(v, type)}
        self._before = {kind: dict(vars(kind)) for kind in found if kind.__module__.startswith(openai.__name__)}
        self._changed: list[tuple[type, str, Any, Any]] = []

    def take(self) -> int:
        """Note what changed since; returns how much."""
        for kind, before in self._before.items():
            now = dict(vars(kind))
            self._changed += [
                (kind, name, before.get(name, _ABSENT), now.get(name, _ABSENT))
                for name in before.keys() | now.keys()
                if before.get(name, _ABSENT) is not now.get(name, _ABSENT) and not name.startswith(("__", "_abc"))
            ]
        return len(self._changed)

    def set(self, on: bool) -> None:
        """Put the changes back, or take them away."""
        for kind, name, before, after in self._changed:
            value = after if on else before
            if value is not _ABSENT:
                setattr(kind, name, value)
            elif name in vars(kind):
                delattr(kind, name)


class Bench:
    """Times blocks of calls with the contender on or off, in microseconds of process CPU time per call."""

    def __init__(self, workload: Workload, start: Any) -> None:
        self.workload = workload
        self.exporter = Counting()
        plain = workload.client()
        workload.call(plain, 2 * workload.calls)
        self.patches = Patches()
        self.running: Running = start(self.exporter)
        self.patched = self.patches.take()
        watched = workload.client()
        self.running.attach(watched)
        self._clients = {False: plain, True: watched}

    def block(self, on: bool) -> float:
        """Microseconds per call of one block."""
        self.patches.set(on)
        calls = self.workload.calls
        inside = self.running.inside() if on else None
        began = time.process_time_ns()
        self.workload.call(self._clients[on], calls, inside)
        return (time.process_time_ns() - began) / calls / 1000

    def flush(self) -> float:
        """Microseconds of one flush."""
        began = time.process_time_ns()
        self.running.flush()
        return (time.process_time_ns() - began) / 1000


def midmean(values: list[float]) -> float:
    """The mean of the middle half: a collection of garbage in one block says nothing about the call."""
    cut = len(values) // 4
    return statistics.fmean(sorted(values)[cut : len(values) - cut])


def measure(name: str, workload_name: str, pairs: int) -> dict[str, Any]:
    """What contender *name* adds to one call of the workload."""
    workload = Workload(workload_name)
    bench = Bench(workload, {**CONTENDERS, **PEERS}[name].start)
    for on in (False, True) * 4:
        bench.block(on)
    bench.flush()
    gc.collect()
    gc.freeze()
    seen = bench.exporter.count
    order = random.Random()
    plain, added, flushed = [], [], 0.0
    for pair in range(pairs):
        if order.random() < 0.5:
            bare, watched = bench.block(False), bench.block(True)
        else:
            watched, bare = bench.block(True), bench.block(False)
        plain.append(bare)
        added.append(watched - bare)
        if pair % 20 == 19:
            flushed += bench.flush()
    flushed += bench.flush()
    calls = pairs * workload.calls
    return {
        "contender": name, "workload": workload_name, "plain_us": statistics.median(plain), "added_us": midmean(added),
        "worker_us": flushed / calls, "spans_per_call": (bench.exporter.count - seen) / calls,
        "patched": bench.patched, "pairs": pairs, "openai": openai.__version__,
    }  # fmt: skip


if __name__ == "__main__":
    given = sys.argv[1:]
    print(json.dumps(measure(given[0], given[1], int(given[2]) if len(given) > 2 else PAIRS[given[1]])))
