"""For tests of agents: the spans of a block, and a model server that says what it is told."""

from __future__ import annotations

from .scenario import Call, Failure, Rule, Scenario, Spend, Turn
from .server import Request, ScriptedServer
from .spans import Spans, capture_spans

__all__ = [
    "Call",
    "Failure",
    "Request",
    "Rule",
    "Scenario",
    "ScriptedServer",
    "Spans",
    "Spend",
    "Turn",
    "capture_spans",
]
