"""
A run as a tree for a terminal, with or without colour, of any width.

Our own words are ASCII, lines of the tree too where the terminal has no better; nobody's markup is obeyed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from rich.text import Text
from rich.tree import Tree

from ..journal import RunRow
from .decisions import in_words
from .tree import Node, RunTree
from .words import clean, duration, instant, money, outcome, seconds_of, short_hash, spent, tokens

__all__ = ["STYLES", "render"]

STYLES: Final = {"success": "green", "failure": "red", "timeout": "red", "running": "cyan"}
_UNPRICED: Final = {
    "unknown_model": "unpriced: unknown model", "no_usage": "unpriced: no usage",
    "inconsistent_usage": "unpriced: inconsistent usage", "unsupported_tier": "unpriced: unsupported tier",
    "counted_in_child": "priced inside",
}  # fmt: skip
_GAP: Final = "  "
_CHANGING: Final = (("system", "system_hash"), ("tools", "tools_hash"))
MAX_NAME: Final = 120
"""Characters of a name that are shown; the JSON form has all of it."""
MAX_DECISIONS: Final = 20
"""How many decisions of a run are shown; the middle ones are left out."""


def render(tree: RunTree, *, content: bool = False) -> Tree:
    """*tree* for printing with rich; what was said only with *content*."""
    drawn = Tree(_run_lines(tree.run), guide_style="dim", highlight=False)
    _fill(drawn, tree, content)
    return drawn


def _fill(drawn: Tree, tree: RunTree, content: bool) -> None:
    if content:
        _add_content(drawn, tree.content)
    for node in tree.children:
        _add(drawn, node, content)
    for decision in _some(tree.decisions):
        drawn.add(_decision(decision))
    for exporter, spans in tree.unsent.items():
        drawn.add(_line([("unsent", "red"), _count(spans, "span"), f"not taken by {exporter}"]))
    drawn.add(_totals(tree))


def _add(drawn: Tree, node: Node, content: bool) -> None:
    if node.tree is not None:
        _fill(drawn.add(_run_lines(node.tree.run)), node.tree, content)
        return
    line = {"step": _step, "model": _model, "tool": _tool}.get(node.kind, _other)(node)
    branch = drawn.add(line)
    if content:
        _add_content(branch, node.content)
    for child in node.children:
        _add(branch, child, content)


def _short(name: str) -> str:
    return name if len(name) <= MAX_NAME else f"{name[:MAX_NAME]}…"


def _line(parts: Iterable[tuple[str, str] | str | None]) -> Text:
    text = Text()
    for part in parts:
        if not part or not part[0]:
            continue
        words, style = (part, "") if isinstance(part, str) else part
        text.append(_GAP if text else "").append(clean(words), style)
    return text


def _run_lines(run: RunRow) -> Text:
    head = _line([
        ("run", "dim"), (run.run_id, "bold"), (_short(run.name or ""), "bold"),
        (outcome(run), STYLES.get(run.status, "")),
        run.error_class, duration(seconds_of(run)), _tokens_of(run),
        spent(run.cost, run.unpriced, run.model_calls),
    ])  # fmt: skip
    facts = {
        "agent": run.agent_version, "prompt": run.prompt_version,
        "system": short_hash(run.system_hash) if run.system_hash else None,
        "tools": short_hash(run.tools_hash) if run.tools_hash else None,
        "service": " ".join(filter(None, (run.service_name, run.service_version))) or None,
        "commit": run.commit_id[:12] if run.commit_id else None,
        "models": ", ".join(run.models) or None, "session": run.session_id, "user": run.user_id,
        "request": run.request_id, "called by": run.called_by, **run.labels,
    }  # fmt: skip
    about = _line((f"{name} {value}", "dim") for name, value in facts.items() if value)
    return Text("\n").join([head, about] if about else [head])


def _tokens_of(run: RunRow) -> str:
    return tokens(run.input_tokens, run.output_tokens, run.cache_read_tokens, missing=run.unknown_usage)


def _step(node: Node) -> Text:
    facts = node.facts
    cost = Decimal(facts["cost"] or 0)
    price = spent(cost, facts["unpriced"], facts["model_calls"]) if facts["model_calls"] else None
    return _line([
        (f"step {facts.get('number', '?')}", "bold"), facts.get("title"), duration(node.seconds),
        tokens(facts["input_tokens"], facts["output_tokens"], missing=facts["calls_without_usage"])
        if facts["model_calls"] else None, price,
        *((f"{word} {short_hash(facts[name])}", "dim") for word, name in _CHANGING if name in facts),
        *_failure(node),
    ])  # fmt: skip


def _model(node: Node) -> Text:
    facts = node.facts
    known = "input_tokens" in facts or "output_tokens" in facts
    usage = tokens(facts.get("input_tokens"), facts.get("output_tokens"), facts.get("cache_read_tokens"))
    refused = facts.get("error_class") == "denied"
    return _line([
        (facts.get("operation", "model"), "magenta"), facts.get("model") or "unknown model", duration(node.seconds),
        *(["not sent"] if refused else [usage if known else "tokens unknown", _price(facts)]),
        ", ".join(map(str, facts.get("finish_reasons") or [])),
        (f"fallback for {facts['fallback_for']}", "yellow") if facts.get("fallback_for") else None,
        (f"try {facts['try']}", "yellow") if facts.get("try") else None,
        (f"{facts['attempts']} attempts of the client", "yellow") if facts.get("attempts") else None,
        f"stream {facts['stream_end']}" if facts.get("stream_end", "drained") != "drained" else None,
        *_failure(node),
    ])  # fmt: skip


def _price(facts: dict[str, Any]) -> str:
    status = facts.get("cost_status")
    if facts["cost"] is None:
        return _UNPRICED.get(status or "", "unpriced")
    return money(Decimal(facts["cost"])) + (" (part of it unpriced)" if status == "partial" else "")


def _tool(node: Node) -> Text:
    facts = node.facts
    took = facts.get("duration")
    return _line([
        ("tool", "blue"), _short(facts.get("tool") or node.name),
        (f"version {facts['tool_version']}", "dim") if facts.get("tool_version") else None,
        f"args {short_hash(facts['args_hash'])}" if facts.get("args_hash") else None,
        duration(took) if isinstance(took, (int, float)) else None if facts["inferred"] else duration(node.seconds),
        None if facts["status"] == "error" else (str(facts.get("tool_status", "ok")), "green"), *_failure(node),
        ("(inferred)", "dim") if facts["inferred"] else None,
    ])  # fmt: skip


def _other(node: Node) -> Text:
    facts = node.facts
    status = facts.get("http_status")
    return _line([
        (_short(node.name), "dim"), facts.get("server"), str(status) if status else None, duration(node.seconds),
        *_failure(node),
    ])  # fmt: skip


def _failure(node: Node) -> list[tuple[str, str] | str | None]:
    if node.facts.get("status") != "error":
        return []
    return [(f"error: {node.facts.get('error_class') or node.facts.get('error_type') or 'unknown'}", "red")]


def _some(decisions: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """*decisions*, the middle left out where there are many."""
    if len(decisions) <= MAX_DECISIONS:
        return decisions
    left_out = len(decisions) - MAX_DECISIONS
    half = MAX_DECISIONS // 2
    return [*decisions[:half], {"outcome": "...", "reason": f"{left_out} more"}, *decisions[-half:]]


def _decision(decision: Mapping[str, Any]) -> Text:
    outcome, since = str(decision.get("outcome")), decision.get("since")
    return _line([
        ("decision", "yellow"), (outcome, "red" if outcome == "stop" else ""), str(decision.get("limit", "")),
        f"step {decision['step']}" if decision.get("step") else None, in_words(decision),
        f"by {decision['by']}" if decision.get("by") else None, f"since {instant(int(since))}" if since else None,
    ])  # fmt: skip


def _totals(tree: RunTree) -> Text:
    run = tree.run
    redacted = ", ".join(f"{count} {kind}" for kind, count in sorted(tree.redacted.items()))
    return _line([
        ("total", "bold"), _count(run.steps, "step"), _count(run.model_calls, "model call", run.model_errors),
        _count(run.tool_calls, "tool call", run.tool_errors),
        _tokens_of(run),
        spent(run.cost, run.unpriced, run.model_calls),
        f"{_count(run.retries, 'retry', plural='retries')}, waited {duration(run.retry_wait)}" if run.retries else None,
        f"redacted: {redacted or 'nothing'}",
    ])  # fmt: skip


def _count(number: int, what: str, failed: int = 0, *, plural: str | None = None) -> str:
    return f"{number} {what if number == 1 else plural or what + 's'}" + (f" ({failed} failed)" if failed else "")


def _add_content(branch: Tree, content: dict[str, Any]) -> None:
    for name, value in content.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        branch.add(_line([(name.replace("_", " "), "yellow"), text]))
