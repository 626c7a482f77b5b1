"""
Runs as JSON, in a shape that programs may rely on; see ``docs/journal.md``.

Names are only ever added within a schema's version.  Money is a decimal as text, times are ISO 8601 in UTC, lengths
of time are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from ..journal import RunRow, Sum
from ..limits import Kill
from .decisions import decision_json, kill_json, kill_of
from .tree import Node, RunTree
from .words import instant, seconds_of

__all__ = ["run_json", "runs_json", "tree_json"]

RUN_SCHEMA: Final = "spanledger.run/1"
RUNS_SCHEMA: Final = "spanledger.runs/1"


def run_json(run: RunRow) -> dict[str, Any]:
    """One run, without what happened inside."""
    return {
        "run_id": run.run_id, "agent": run.name, "status": run.status, "stop_reason": run.stop_reason,
        "error_class": run.error_class, "implicit": run.implicit, "parent_run_id": run.parent_id,
        "called_by_run_id": run.called_by,
        "started": instant(run.started), "ended": None if run.ended is None else instant(run.ended),
        "seconds": seconds_of(run), "heartbeat": instant(run.heartbeat), "steps": run.steps,
        "model_calls": run.model_calls, "model_errors": run.model_errors, "tool_calls": run.tool_calls,
        "tool_errors": run.tool_errors, "last_tool": run.last_tool, "models": dict(run.models),
        "tokens": _known({
            "input": run.input_tokens, "output": run.output_tokens, "cache_read": run.cache_read_tokens,
            "cache_write": run.cache_write_tokens, "reasoning": run.reasoning_tokens,
        }, run.unknown_usage),
        "cost": _cost(run.cost, run.unpriced),
        "session_id": run.session_id, "user_id": run.user_id, "request_id": run.request_id,
        "labels": dict(run.labels), "retries": {"attempts": run.retries, "wait_seconds": run.retry_wait},
        "decisions": [decision_json(decision) for decision in run.decisions],
        "versions": {
            "agent": run.agent_version, "prompt": run.prompt_version, "service": run.service_name,
            "service_version": run.service_version, "commit": run.commit_id, "system_instructions": run.system_hash,
            "tool_definitions": run.tools_hash,
        },
        "trace_id": run.trace_id, "span_id": run.span_id, "process": {"pid": run.pid, "host": run.host},
    }  # fmt: skip


def _known(counts: dict[str, int], missing: int) -> dict[str, int | None]:
    """*counts* of tokens; without the *missing* calls, so null where those were all."""
    known = any(counts.values()) or not missing
    return {**{name: count if known else None for name, count in counts.items()}, "calls_without_usage": missing}


def _cost(amount: Decimal, unpriced: int) -> dict[str, Any]:
    """*amount*, without the *unpriced* calls, so null where nothing has a price."""
    known = bool(amount) or not unpriced
    return {"amount": format(amount, "f") if known else None, "currency": "USD", "unpriced_calls": unpriced}


def runs_json(runs: Sequence[RunRow], found: Sum, kills: Mapping[str, Kill] | None = None) -> dict[str, Any]:
    """A list of runs, and what they come to; with *kills*, by target, who stopped each."""
    totals = {
        "runs": found.runs, "by_status": dict(found.by_status), "by_stop_reason": dict(found.by_stop_reason),
        **_known({"input_tokens": found.input_tokens, "output_tokens": found.output_tokens}, found.unknown_usage),
        "cost": _cost(found.cost, found.unpriced),
    }  # fmt: skip
    listed = [run_json(run) for run in runs]
    for run, row in zip(runs, listed, strict=True) if kills is not None else ():
        row["killed"] = kill_json(kill_of(run, kills or {}))
    return {"schema": RUNS_SCHEMA, "runs": listed, "totals": totals}


def tree_json(tree: RunTree, *, content: bool = False) -> dict[str, Any]:
    """A run with all that happened inside; what was said only with *content*."""
    return {"schema": RUN_SCHEMA, **_tree(tree, content)}


def _tree(tree: RunTree, content: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "run": run_json(tree.run), "redacted": dict(tree.redacted),
        "children": [_node(node, content) for node in tree.children],
    }  # fmt: skip
    found["run"]["decisions"] = [decision_json(decision) for decision in tree.decisions]
    found["unsent"] = dict(tree.unsent)
    if content and tree.content:
        found["content"] = tree.content
    return found


def _node(node: Node, content: bool) -> dict[str, Any]:
    if node.tree is not None:
        return {"kind": "run", **_tree(node.tree, content)}
    found = {
        "kind": node.kind, "name": node.name, "span_id": node.span.span_id if node.span else None,
        "started": instant(node.started), "seconds": node.seconds,
        **{name: value for name, value in node.facts.items() if name != "paid"},
        "children": [_node(child, content) for child in node.children],
    }  # fmt: skip
    if content and node.content:
        found["content"] = node.content
    return found
