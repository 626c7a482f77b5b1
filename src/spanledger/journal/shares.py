"""
What forked children used of a run that their parent is in.

Parent and child know nothing of each other after the fork, so each writes what it settled itself: the parent the run's
row, each child a share.  Who reads adds them up.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Final

from ..ledger import Inherited, Run
from .rows import RunRow

__all__ = ["COLUMNS", "share_of", "whole"]

_SUMS: Final = (
    "model_calls", "model_errors", "tool_calls", "tool_errors", "input_tokens", "output_tokens", "cache_read_tokens",
    "cache_write_tokens", "reasoning_tokens", "unknown_usage", "cost", "unpriced", "retries", "retry_wait",
)  # fmt: skip
COLUMNS: Final = ("run_id", "pid", "host", "process", "steps", *_SUMS, "models", "decisions")
"""The fields of a `RunRow` that a share has."""


def share_of(run: Inherited, describe: Callable[[Run], RunRow] = RunRow.of) -> RunRow:
    """What this process used of *run* since it was forked, of its row as *describe* makes it; looks prices up."""
    now, before = describe(run), RunRow.of(run.before)
    sums: dict[str, Any] = {name: getattr(now, name) - getattr(before, name) for name in _SUMS}
    models = dict(Counter(now.models) - Counter(before.models))
    return dataclasses.replace(now, models=models, decisions=now.decisions[len(before.decisions) :], **sums)


def whole(run: RunRow, shares: Iterable[RunRow]) -> RunRow:
    """*run* with what children used of it."""
    for share in shares:
        sums: dict[str, Any] = {name: getattr(run, name) + getattr(share, name) for name in _SUMS}
        models = dict(Counter(run.models) + Counter(share.models))
        decisions, steps = [*run.decisions, *share.decisions], max(run.steps, share.steps)
        run = dataclasses.replace(run, models=models, decisions=decisions, steps=steps, **sums)
    return run
