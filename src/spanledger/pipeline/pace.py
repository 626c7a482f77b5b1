"""
Ending thousands of runs at exit without flooding the queues of those who export.

A queue of the SDK drops what is beyond its size, 2,048 spans unless the environment says otherwise.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from opentelemetry.sdk.environment_variables import OTEL_BSP_MAX_QUEUE_SIZE

from spanledger.shield import shield

from .bypass import processors_of
from .deadline import aside
from .processor import LedgerSpanProcessor
from .relay import Relay

__all__ = ["Pace", "queues_of"]

EVERY: Final = 256
"""After how many ended runs the queues are emptied: a run ends with its own span and those of what is open in it."""
PATIENCE: Final = 2
"""How often a queue that is still being emptied is waited for."""
HALF: Final = 0.5
"""The share of the time that is left for which a queue is waited for each time."""
LITTLE: Final = 0.05
"""The same for queues behind ours: the journal has what stands in them, and must not wait for a dead collector."""


class Pace:
    """Call it after each run that ended: now and then it empties the queues of *provider*, for *seconds* in all."""

    def __init__(self, provider: Any, seconds: float) -> None:
        self._provider = provider
        self._until = time.monotonic() + seconds
        self._every = max(1, min(EVERY, _queue_size() // 4))
        self._ended = 0
        self._going_on: dict[int, tuple[threading.Event, int]] = {}
        """The queues that were not empty in time: what says that they are now, how often they were waited for."""

    def __call__(self) -> None:
        """One more run ended."""
        self._ended += 1
        if self._ended % self._every == 0 and time.monotonic() < self._until:
            self._empty()

    def _empty(self) -> None:
        for number, flush in enumerate(queues := queues_of(self._provider)):
            if number not in self._going_on:
                done = threading.Event()
                self._going_on[number] = done, 0
                aside(partial(_flush, flush, done))
        now = time.monotonic()
        for number, (done, waited) in list(self._going_on.items()):
            behind = number < len(queues) and isinstance(getattr(queues[number], "__self__", None), Relay)
            until = now + (self._until - now) * (LITTLE if behind else HALF)
            if done.wait(max(0.0, until - time.monotonic()) if waited < PATIENCE else 0.0):
                del self._going_on[number]
            else:
                self._going_on[number] = done, waited + 1


def _flush(flush: Callable[[], Any], done: threading.Event) -> None:
    try:
        with shield("delivering what is left"):
            flush()
    finally:
        done.set()


def queues_of(provider: Any) -> list[Callable[[], Any]]:
    """What empties each queue of *provider*, those of our exporters apart: one that is stuck stops no other."""
    found: list[Callable[[], Any]] = []
    for processor in processors_of(provider):
        if isinstance(processor, LedgerSpanProcessor):
            found += processor.queues()
        elif hasattr(processor, "force_flush"):
            found.append(processor.force_flush)
    return found


def _queue_size() -> int:
    said = os.environ.get(OTEL_BSP_MAX_QUEUE_SIZE, "").strip()
    return int(said) if said.isdigit() else 2_048
