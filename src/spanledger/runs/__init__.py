"""Sessions, runs, steps and tools: where calls belong."""

from __future__ import annotations

import os

from ..config import Settings
from . import _implicit
from ._elsewhere import tool_ending
from ._fallback import Fallbacks, fallbacks
from ._foreign import complete, foreign_agent, foreign_model, foreign_tool, hushed, ours
from ._gate import gate
from ._implicit import (
    ImplicitRun,
    call_ended,
    end_all,
    end_answered,
    forget,
    open_for,
    server_ended,
    server_started,
    sweep,
)
from ._infer import infer_tools, note_unknown
from ._pending import asked_by_name, note_asked
from ._place import (
    Placement,
    around,
    attach,
    attempts,
    attributes_of,
    carry,
    current,
    entered,
    implicit,
    placed,
    provider,
    restore,
    stamp,
    use_provider,
)
from ._remote import KEYS, MAX_LENGTH, packed, travel
from ._run import ActiveRun, current_run, run
from ._scopes import RunScope, StepScope, begin_step, defaults, described, new_id
from ._spans import note_decisions, start_span, write
from ._tool import tool
from ._toolcall import ToolScope, keep, shared_tool, tool_listeners
from ._wrap import decorate

__all__ = [
    "KEYS", "MAX_LENGTH", "ActiveRun", "Fallbacks", "ImplicitRun", "Placement", "RunScope", "StepScope", "ToolScope",
    "around", "asked_by_name", "attach", "attempts", "attributes_of", "begin_step", "call_ended", "carry", "complete",
    "configure", "current", "current_run", "decorate", "defaults", "described", "end_all", "end_answered", "entered",
    "fallbacks", "foreign_agent", "foreign_model", "foreign_tool", "forget", "gate", "hushed", "implicit",
    "infer_tools", "keep", "new_id", "note_asked", "note_decisions", "note_unknown", "open_for", "ours", "packed",
    "placed", "provider", "restore", "run", "server_ended", "server_started", "shared_tool", "stamp", "start_span",
    "sweep", "tool", "tool_ending", "tool_listeners", "use_provider", "write",
]  # fmt: skip

if hasattr(os, "register_at_fork"):  # a child's runs are its own
    os.register_at_fork(after_in_child=forget)


def configure(settings: Settings) -> None:
    """Do as *settings* say."""
    _implicit.idle_seconds = settings.implicit_run_idle_seconds
    # what is stored after all is decided where spans leave: by time, by sample, by outcome
    keep.arguments = settings.store_arguments or settings.capture_until is not None
    keep.results = settings.store_results != "none"
    travel.on = settings.propagate_runs
    defaults.update(agent=settings.agent, agent_version=settings.agent_version, prompt_version=settings.prompt_version)
