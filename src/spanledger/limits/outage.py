"""
A store that may be away: calls are not held up, and what was used meanwhile is counted when it is back.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import Any, Final

from ..shield import logger
from .store import Kill, Refused, Store, StoreDown, Want

__all__ = ["Down", "Outage"]

MAX_OWED: Final = 10_000
"""How many settlements, and beyond them how many counters, are kept while the store is away."""
RETRY_SECONDS: Final = 1.0
"""How long a store that did not answer is left alone."""
PAY_SECONDS: Final = 4.0
"""How long a process that ends tries to count what it spent while the store was away."""
PAUSE: Final = 0.05

Charges = Sequence[tuple[str, str, int, int, int]]


class Down(str):
    """The store's answer when it gives none: why."""

    __slots__ = ()


class Outage:
    """*store*, asked at most once in `RETRY_SECONDS` while it is away; owes it what was spent meanwhile."""

    def __init__(self, store: Store, retry_seconds: float = RETRY_SECONDS) -> None:
        self.store = store
        self._retry_seconds = retry_seconds
        self._until = 0.0
        self._why: Down | None = None
        self._lock = threading.RLock()
        self._settlements: deque[tuple[Any, Charges]] = deque()
        self._spent: OrderedDict[tuple[str, str], tuple[int, int]] = OrderedDict()
        self.outages = 0
        self.dropped = 0
        """Counters whose spending was forgotten because the store was away for too long."""

    @property
    def down(self) -> str | None:
        """Why the store is away; `None` when it is there."""
        return self._why

    @property
    def owed(self) -> int:
        """How many settlements and counters wait for the store to be back."""
        return len(self._settlements) + len(self._spent)

    def reserve(
        self, wants: Sequence[Want], targets: Sequence[str]
    ) -> tuple[Any, list[tuple[int, int]]] | Refused | Kill | Down:
        """As `Store.reserve`; `Down` when the store is away, which then owes what was spent at once."""
        if self._why is None or (why := self._away()) is None:
            try:
                return self.store.reserve(wants, targets)
            except StoreDown as error:
                why = self._went(error)
        return why

    def settle(self, hold: Any, charges: Charges) -> list[tuple[int, int]] | None:
        """As `Store.settle`; `None` when the store is away, and then it is owed."""
        if self._away() is None:
            try:
                return self.store.settle(hold, charges)
            except StoreDown as error:
                self._went(error)
        self.owe(hold, charges)
        return None

    def owe(self, hold: Any, charges: Charges) -> None:
        """Settle this when the store is back."""
        with self._lock:
            if len(self._settlements) < MAX_OWED:
                self._settlements.append((hold, charges))
                return
            for key, unit, _, spent, expires in charges:
                before, _ = self._spent.get((key, unit), (0, 0))
                self._spent[key, unit] = (before + spent, expires)
            while len(self._spent) > MAX_OWED:
                self._spent.popitem(last=False)
                self.dropped += 1

    def killed(self, targets: Sequence[str]) -> Kill | Down | None:
        """As `Store.killed`; `Down` when the store is away."""
        if (why := self._away()) is None:
            try:
                return self.store.killed(targets)
            except StoreDown as error:
                why = self._went(error)
        return why

    def read(self, counters: Sequence[tuple[str, str]]) -> list[tuple[int, int]] | None:
        """As `Store.read`; `None` when the store is away."""
        try:
            return self.store.read(counters) if self._away() is None else None
        except StoreDown as error:
            self._went(error)
            return None

    def pay(self, seconds: float = PAY_SECONDS) -> None:
        """Pay what is owed at once, for who ends; tries for *seconds*, then says what is not counted."""
        until = time.monotonic() + seconds
        while self.owed:
            with self._lock:
                try:
                    self._pay_all()
                except StoreDown as error:
                    self._went(error)
            if self.owed and time.monotonic() > until:
                logger.error("spanledger's limits end without their store; calls not counted: %d", self.owed)
                return
            if self.owed:
                time.sleep(PAUSE)

    def begin_anew(self) -> None:
        """Be a forked child's: what is owed, the parent pays."""
        self._lock = threading.RLock()
        self._settlements.clear()
        self._spent.clear()
        self.store.begin_anew()

    def _away(self) -> Down | None:
        if self._why is None:
            return None
        if time.monotonic() < self._until:
            return self._why
        return self._pay()

    def _pay(self) -> Down | None:
        with self._lock:
            if self._why is None or time.monotonic() < self._until:
                return self._why
            self._until = time.monotonic() + self._retry_seconds  # others need not try meanwhile
            try:
                self._pay_all()
                self.store.killed(("all",))
            except StoreDown as error:
                self._why = Down(str(error))
                return self._why
            logger.warning("spanledger's limits have their store back; what was used meanwhile is counted")
            self._why = None
            return None

    def _pay_all(self) -> None:
        while self._settlements:
            self.store.settle(*self._settlements[0])
            self._settlements.popleft()
        while self._spent:
            (key, unit), (spent, expires) = next(iter(self._spent.items()))
            self.store.settle(None, [(key, unit, 0, spent, expires)])
            del self._spent[key, unit]

    def _went(self, error: StoreDown) -> Down:
        with self._lock:
            if self._why is None:
                self.outages += 1
                logger.error(
                    "spanledger's limits lost their store (%s); what is used now is counted when it is back", error
                )
            self._why = Down(str(error))
            self._until = time.monotonic() + self._retry_seconds
            return self._why
