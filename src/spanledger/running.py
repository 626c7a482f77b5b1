"""
What is set up in this process, from then until it ends.
"""

from __future__ import annotations

import atexit
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from . import runs
from .config import Settings
from .ledger import ledger
from .pipeline import LedgerSpanProcessor
from .pipeline.deadline import within
from .pipeline.pace import Pace
from .shield import shield
from .termination import die

if TYPE_CHECKING:
    from .frameworks import Frameworks
    from .instrument import Brakes, Instrumentation
    from .journal import Journal, LiveRuns
    from .signals import Metrics

__all__ = ["Spanledger"]

JOURNAL_SECONDS: Final = 1.0
"""How much longer than for everything an exit waits for the journal, which is to have what a collector did not take."""


@dataclass
class Spanledger:
    """What `configure` set up.  `shutdown` delivers what is left and takes everything back."""

    settings: Settings
    provider: Any
    journal: Journal | None
    live: LiveRuns | None
    metrics: Metrics
    instrumentation: Instrumentation | None = None
    frameworks: Frameworks | None = None
    brakes: Brakes | None = None
    processors: list[Any] = field(default_factory=list)
    undo: list[Callable[[], Any]] = field(default_factory=list)
    """What takes back the protection of metrics, log records and baggage, and the handlers of signals."""
    endings: list[Callable[[], Any]] = field(default_factory=list)
    """What ends the rest of an SDK that was built for us."""
    protected: bool = False
    """Whether the launcher made the provider and its exporters, behind our pipeline."""
    own: bool = False
    """Whether `configure` made the provider."""
    meter_provider: Any = None
    """The one that was given for the metrics; the global one else."""
    terminated: int = 0
    """The signal by which somebody asked the process to end, or 0."""
    done: bool = False
    """Whether all is delivered that could be."""
    _over: bool = False
    _taken_back: bool = False

    def force_flush(self) -> bool:
        """Deliver what is waiting; true when all of it left within the deadline."""
        seconds = self.settings.flush_seconds
        done = within(seconds, *(partial(each.force_flush, int(seconds * 1000)) for each in self.processors))
        if self.live is not None:
            with shield("flushing the journal"):
                self.live.flush()
        return done

    def end_worker(self) -> None:
        """Deliver what a worker of `multiprocessing` has left when it ends, and say what was not delivered."""
        if not self.force_flush():
            self._give_up()
        within(self.settings.flush_seconds, *(self.brakes.debts() if self.brakes is not None else ()))
        self._tell_unsent()

    def finish(self, *also: Callable[[], Any], keep: bool = False) -> None:
        """
        End what is going on and deliver it, as at the exit of the process; once.

        Everything that was set up for us, and what is done *also*, has the same ``flush_seconds``, side by side.
        To *keep* what the launcher made is to flush it only.
        """
        if self._over:
            return
        self._over = True
        until = time.monotonic() + self.settings.flush_seconds
        with shield("finishing"):
            pace = Pace(self.provider, self.settings.flush_seconds * 0.7)  # the rest is for what is in the queues then
            if self.terminated:
                runs.end_all("cancelled", pace)
            if self.instrumentation is not None:
                self.instrumentation.engine.end_streams()
            runs.end_all(None, pace)
            all_left = within(until - time.monotonic(), *self._deliveries(keep=keep), *also)
            if not keep:
                if not all_left:
                    self._give_up()
                self._tell_unsent()
        self.done = True
        if self.terminated:
            die(self.terminated)

    def _deliveries(self, *, keep: bool) -> list[Callable[[], Any]]:
        """What delivers what is left, and ends it unless it is to *keep*."""
        if keep:
            ours: list[Callable[[], Any]] = [each.force_flush for each in self.processors]
        else:
            for ending in self.endings:  # or the SDK would wait for a dead collector once more
                atexit.unregister(ending)
            ours = [getattr(each, "deliver_all", each.shutdown) for each in self.processors] + self.endings
        if self.live is not None:
            ours.append(partial(self.live.close, self.settings.flush_seconds))
        return ours + (self.brakes.debts() if self.brakes is not None else [])

    def _pipelines(self) -> list[LedgerSpanProcessor]:
        return [each for each in self.processors if isinstance(each, LedgerSpanProcessor)]

    def _give_up(self) -> None:
        """Wait a little longer for what is on its way to the journal, though a collector had the time; then no more."""
        ours, until = self._pipelines(), time.monotonic() + JOURNAL_SECONDS
        while self.journal is not None and time.monotonic() < until:
            if all(each.idle for each in ours) and (self.live is None or self.live.idle):
                break
            time.sleep(0.01)
        for each in ours:
            each.give_up()

    def _tell_unsent(self) -> None:
        """Say what no exporter took, and write it down for `doctor` and `show`."""
        for each in self._pipelines():
            each.say_unsent()
        ours = [each.missing() for each in self._pipelines()]
        if self.journal is not None and (found := [missing for missing in ours if missing]):
            within(JOURNAL_SECONDS, partial(self.journal.end_with, found))

    def shutdown(self, *, keep: bool = False) -> None:
        """Finish, and put back everything that was patched; once.  *keep* what the launcher made for who comes next."""
        self.finish(keep=keep)
        if self._taken_back:
            return
        self._taken_back = True
        if not keep:
            self._take_off()
        for undo in self.undo:
            with shield("taking protection back"):
                undo()
        runs.configure(Settings())
        if self.brakes is not None:
            self.brakes.off()
        if self.frameworks is not None:
            self.frameworks.undo()
        if self.instrumentation is not None:
            self.instrumentation.undo()
        ledger.ignore(self.metrics.run_ended)
        with contextlib.suppress(ValueError):
            runs.tool_listeners.remove(self.metrics.tool_ended)

    def _take_off(self) -> None:
        """Take our processors off the provider, which has no way of its own to do so."""
        holder = getattr(self.provider, "_active_span_processor", None)
        if processors := getattr(holder, "_span_processors", None):
            holder._span_processors = tuple(each for each in processors if each not in self.processors)  # type: ignore[union-attr]  # noqa: SLF001
