"""
The local memory of runs: one SQLite file, going-on runs included.

`Journal` writes and never raises, `Archive` reads and says what is wrong; `JournalSpanExporter` and `LiveRuns` feed
the journal with spans and with what is running now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .exporter import JournalSpanExporter
from .live import LiveRuns
from .program import version_of
from .protect import protection
from .rows import RunRow, SpanRow, Version
from .store import Journal

if TYPE_CHECKING:
    from .archive import Archive, Sum, total

__all__ = [
    "Archive", "Journal", "JournalSpanExporter", "LiveRuns", "RunRow", "SpanRow", "Sum", "Version", "protection",
    "total", "version_of",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in ("Archive", "Sum", "total"):  # programs that only write do not load SQLite before the first run
        from . import archive  # noqa: PLC0415 - that is the point

        return getattr(archive, name)
    raise AttributeError(name)
