"""
Answers that the provider goes on with by itself (OpenAI's background mode): their tokens come with a later look.

The look costs nothing and has no tokens on its span; what it finds belongs to the call that began the answer.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from .. import semconv
from ..ledger import ModelCall, Run
from ..model import Response

if TYPE_CHECKING:
    from ._calls import Call

__all__ = ["Awaited"]

MAX_AWAITED: Final = 1000
"""How many answers are waited for; beyond, the oldest stay without tokens."""
_GOES_ON: Final = ("queued", "in_progress")


class Awaited:
    """What was begun and has not told its tokens yet, by the provider's name and the answer's id."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[tuple[str, str], tuple[Run, ModelCall, Any]] = OrderedDict()
        self.limits: Callable[[Run, Any, ModelCall], Any] | None = None
        """Told what a call really used, with the reservation that was made for it."""
        self.listeners: list[Callable[[Run, ModelCall], Any]] = []
        """Called with each call whose tokens came, and its run; must be quick."""

    def see(self, call: Call, response: Response) -> None:
        """
        Wait for the tokens of *call*, if its *response* goes on; or take them out of it, if *call* only looks.

        The first to look at the end brings them, once.
        """
        if response.id is None:
            return
        key, bought = (call.peer.provider, response.id), call.model_call
        if bought is None:
            if response.usage.known and (begun := self._waiting.pop(key, None)) is not None:
                self._learn(*begun, response)
        elif response.extra[semconv.RESPONSE_STATUS] in _GOES_ON and not bought.usage.known:
            # each is one step of the interpreter's; a lock would be held for ever in a child that is forked meanwhile
            self._waiting[key] = (call.run, bought, call.reservation)
            if len(self._waiting) > MAX_AWAITED:
                self._waiting.popitem(last=False)

    def _learn(self, run: Run, call: ModelCall, reservation: Any, response: Response) -> None:
        tier = semconv.tier_of(response.extra) or call.tier
        told = dataclasses.replace(call, usage=response.usage, model=response.model or call.model, tier=tier)
        run.learn(call, told)
        if self.limits is not None:
            self.limits(run, reservation, told)
        for listener in self.listeners:
            listener(run, told)
