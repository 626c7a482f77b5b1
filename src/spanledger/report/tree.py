"""
A run as a tree: steps, model calls, tool calls, and what other instrumentations saw inside them.

Where a span belongs is decided by its step first and by its parent second, so that a framework's wrapping span does
not swallow the steps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from .. import semconv
from ..journal import Archive, RunRow, SpanRow
from .decisions import decisions_of
from .facts import content_of, cost_of, facts_of, kind_of

__all__ = ["Node", "RunTree", "tree_of"]

MAX_DEPTH: Final = 8
"""How deep runs inside runs are followed."""


@dataclass(slots=True, eq=False)
class Node:
    """
    One line of the tree.  *kind* is ``run``, ``step``, ``model``, ``tool`` or ``span``.

    *facts* are JSON values by the names of the documented schema, *content* is what was said, where captured.
    """

    kind: str
    name: str
    started: int
    ended: int
    facts: dict[str, Any] = field(default_factory=dict)
    content: dict[str, Any] = field(default_factory=dict)
    children: list[Node] = field(default_factory=list)
    span: SpanRow | None = None
    tree: RunTree | None = None
    """The run inside, when *kind* is ``run``."""

    @property
    def seconds(self) -> float:
        """How long it took."""
        return max(0, self.ended - self.started) / 1e9

    def walk(self) -> Iterator[Node]:
        """Itself and all below it that belongs to the same run."""
        yield self
        for child in self.children:
            if child.tree is None:
                yield from child.walk()


@dataclass(slots=True, eq=False)
class RunTree:
    """A run with all that is known of it."""

    run: RunRow
    children: list[Node]
    redacted: Counter[str]
    """How many values were replaced before they were stored, by type; runs inside not counted."""
    content: dict[str, Any]
    decisions: list[Mapping[str, Any]]
    """What limits decided about it, in order."""
    unsent: dict[str, int] = field(default_factory=dict)
    """How many of its spans an exporter did not take."""


def tree_of(archive: Archive, run: RunRow, *, depth: int = MAX_DEPTH) -> RunTree:
    """The tree of *run*, the runs inside it included."""
    spans = archive.spans(run.run_id)
    root = next((s for s in spans if s.span_id == run.span_id or semconv.RUN_STATUS in s.attributes), None)
    alone = root is not None and kind_of(root) == "model"
    nodes = {s.span_id: _node(s) for s in spans if s is not root or alone}
    top = _place(spans, nodes)
    if depth:
        for child in archive.children(run.run_id):
            inner = tree_of(archive, child, depth=depth - 1)
            node = Node("run", child.name or "run", child.started, child.ended or child.heartbeat, tree=inner)
            own = next((s for s in archive.spans(child.run_id) if s.span_id == child.span_id), None)
            above = nodes.get(own.parent_id or "") if own else None
            (above.children if above else top).append(node)
    for node in (*top, *nodes.values()):
        node.children.sort(key=lambda n: n.started)
    for node in top:
        if node.kind == "step":
            _sum_step(node)
    top.sort(key=lambda n: n.started)
    _note_changes(top)
    content = content_of(root) if root is not None and not alone else {}
    unsent = {name: found["spans"] for name, found in archive.unsent(run.run_id).items()}
    return RunTree(run, top, _redacted(spans), content, decisions_of(run, spans), unsent)


def _node(span: SpanRow) -> Node:
    return Node(kind_of(span), span.name, span.started, span.ended, facts_of(span), content_of(span), span=span)


def _place(spans: list[SpanRow], nodes: dict[str, Node]) -> list[Node]:
    """Hang every node below its parent or its step; give back those that stand directly below the run."""
    by_id = {s.span_id: s for s in spans}
    steps = {s.step: nodes[s.span_id] for s in spans if s.span_id in nodes and nodes[s.span_id].kind == "step"}
    top = list(steps.values())
    for span_id, node in nodes.items():
        span = by_id[span_id]
        if node.kind == "step":
            continue
        above = _ancestor(span, by_id, nodes)
        if above is not None:
            above.children.append(node)
        elif span.step:
            if span.step not in steps:
                steps[span.step] = Node("step", "step", node.started, node.ended, {"number": span.step})
                top.append(steps[span.step])
            steps[span.step].children.append(node)
        else:
            top.append(node)
    return top


def _ancestor(span: SpanRow, by_id: dict[str, SpanRow], nodes: dict[str, Node]) -> Node | None:
    """The nearest span above in the same step; without a step, the nearest one above at all."""
    seen = {span.span_id}
    above = by_id.get(span.parent_id or "")
    while above is not None and above.span_id not in seen:
        seen.add(above.span_id)
        if above.span_id in nodes and (not span.step or above.step == span.step):
            return nodes[above.span_id]
        above = by_id.get(above.parent_id or "")
    return None


def _sum_step(step: Node) -> None:
    calls = [node for node in step.walk() if node.kind == "model"]
    if step.span is None:
        inside = [node for node in step.walk() if node is not step]
        step.started = min(node.started for node in inside)
        step.ended = max(node.ended for node in inside)
    prices = [cost_of(node.span) for node in calls if node.span is not None]
    step.facts["model_calls"] = len(calls)
    step.facts["tool_calls"] = sum(node.kind == "tool" for node in step.walk())
    sent = [node.facts for node in calls if node.facts.get("error_class") != "denied"]
    missing = sum(not _usage_known(facts) for facts in sent)
    for name in ("input_tokens", "output_tokens"):
        known = [facts[name] for facts in sent if name in facts]
        step.facts[name] = sum(known) if known or not missing else None
    step.facts["calls_without_usage"] = missing
    step.facts["unpriced"] = sum(facts.get("cost") is None and facts.get("paid", True) for facts in sent)
    total = sum((p for p in prices if p is not None), Decimal(0))
    step.facts["cost"] = str(total) if total or not step.facts["unpriced"] else None


def _note_changes(top: list[Node]) -> None:
    """Say at each step which system instructions and tool definitions came with it, where a run had several."""
    for name in ("system_hash", "tools_hash"):
        said = [(node, _first(node, name)) for node in top if node.kind == "step"]
        several = len({text for _, text in said if text is not None}) > 1
        for node, text in said:
            node.facts.pop(name, None)  # a step that was entered says it of itself
            if several and text is not None:
                node.facts[name] = text


def _first(step: Node, name: str) -> Any:
    """What the first call of *step* that says it has as *name*; calls say it only where it changed."""
    return next((node.facts[name] for node in step.walk() if node.kind == "model" and name in node.facts), None)


def _usage_known(facts: Mapping[str, Any]) -> bool:
    """Whether all tokens of a model call are known; one that embeds has no output."""
    sides = [name in facts for name in ("input_tokens", "output_tokens")]
    return all(sides) or (any(sides) and facts.get("operation") == "embeddings")


def _redacted(spans: list[SpanRow]) -> Counter[str]:
    start = len(semconv.REDACTION_COUNT)
    found: Counter[str] = Counter()
    for span in spans:
        for name, count in span.attributes.items():
            if name.startswith(semconv.REDACTION_COUNT) and isinstance(count, int):
                found[name[start:]] += count
    return found
