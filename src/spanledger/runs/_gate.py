"""
Where limits stand at the door: asked before a call, told after it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..ledger import Run, ToolUse

__all__ = ["gate"]


class gate:  # noqa: N801 - a namespace of hooks
    """Who is asked before a tool or a step, and told after a tool, and how a run stands; `configure` sets them."""

    before: Callable[[Run, str, str | None, int], Any] | None = None
    after: Callable[[Run, Any, ToolUse], None] | None = None
    step: Callable[[Run, int], None] | None = None
    standing: Callable[[Run], list[Any]] | None = None
