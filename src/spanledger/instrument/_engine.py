"""
What all watched calls share: the switches, and who is asked and told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..shield import shield
from ._awaited import Awaited
from ._history import History, Tools

if TYPE_CHECKING:
    from ._calls import Call

__all__ = ["Engine"]


@dataclass(slots=True)
class Engine:
    """What every watched call shares."""

    content: bool = False
    adopt: bool = True
    active: bool = True
    heard: set[str] = field(default_factory=set)
    """The packages whose own spans are seen when they begin."""
    history: History = field(default_factory=History)
    tools: Tools = field(default_factory=Tools)
    open_calls: dict[int, Call] = field(default_factory=dict)
    """Streams that have not ended, to be ended with the process."""
    awaited: Awaited = field(default_factory=Awaited)
    first: Callable[[], None] | None = None
    """What has waited for the program's first call."""
    before: Callable[..., Any] | None = None
    after: Callable[..., Any] | None = None
    events: Callable[..., Any] | None = None
    """Tells a call as an event, with its attributes before they are written."""
    heed: Callable[..., Any] | None = None
    """Told of a call that ends, with its response, before it is settled: to put in what others know."""
    listeners: list[Callable[[Call], Any]] = field(default_factory=list)
    """Called with each call that was settled; must be quick."""

    def begin(self) -> None:
        """Do what has waited for the first call."""
        first, self.first = self.first, None
        if first is not None:
            with shield("watching the program's own tools"):
                first()

    def end_streams(self) -> None:
        """End what is still streaming, with what arrived."""
        for call in list(self.open_calls.values()):
            call.finish_stream("abandoned")
