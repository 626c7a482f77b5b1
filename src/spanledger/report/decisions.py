"""What limits decided about a run: from its row, or from its spans where only they reached the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from .. import semconv
from ..journal import RunRow, SpanRow
from ..limits import Kill
from .words import age, instant

__all__ = ["decision_json", "decisions_of", "in_short", "in_words", "kill_json", "kill_of"]

_SAID: Final = {
    "outcome": semconv.DECISION_OUTCOME, "limit": semconv.DECISION_LIMIT, "scope": semconv.DECISION_SCOPE,
    "reason": semconv.DECISION_REASON, "value": semconv.DECISION_VALUE, "maximum": semconv.DECISION_MAXIMUM,
    "wasted": semconv.DECISION_WASTED, "by": semconv.DECISION_BY, "why": semconv.DECISION_WHY,
}  # fmt: skip


def decisions_of(run: RunRow, spans: Sequence[SpanRow]) -> list[Mapping[str, Any]]:
    """The decisions about *run*, in order."""
    if run.decisions:
        return list(run.decisions)
    found: list[Mapping[str, Any]] = []
    for span in spans:
        for event in span.events:
            if event.get("name") == semconv.DECISION:
                said = event.get("attributes") or {}
                facts = {name: said[key] for name, key in _SAID.items() if key in said}
                found.append({**facts, "step": span.step or 0, "time": event.get("time", span.started)})
    return sorted(found, key=lambda decision: int(decision["time"]))


def decision_json(decision: Mapping[str, Any]) -> dict[str, Any]:
    """*decision* with its times spelled out; money and counts as text."""
    found = {key: value for key, value in decision.items() if key not in ("time", "since")}
    for key in ("value", "maximum", "wasted"):
        if key in found:
            found[key] = str(found[key])
    found["at"] = instant(int(decision["time"]))
    if (since := decision.get("since")) is not None:
        found["since"] = instant(int(since))
    return found


def in_words(decision: Mapping[str, Any]) -> str:
    """Why it was decided, and what it wasted."""
    wasted = f"; ${decision['wasted']} wasted since" if decision.get("wasted") else ""
    return f"{decision.get('reason', '')}{wasted}"


def in_short(run: RunRow, kill: Kill | None, now: int) -> str:
    """The last thing decided about *run*, or who stopped it; for a table."""
    if kill is not None:
        return f"killed by {kill.by} {age(int(kill.at * 1e9), now)}" + (f": {kill.why}" if kill.why else "")
    if not run.decisions:
        return "-"
    last = run.decisions[-1]
    value, maximum = last.get("value"), last.get("maximum")
    much = "" if value is None else f" {value}" if maximum is None else f" {value} of {maximum}"
    return f"{last.get('outcome')} {last.get('limit')}{much}"


def kill_of(run: RunRow, kills: Mapping[str, Kill]) -> Kill | None:
    """Who stopped *run*, its agent, the run around it or everything; *kills* by target."""
    for target in (f"run:{run.run_id}", f"run:{run.parent_id}", f"run:{run.called_by}", f"agent:{run.name}", "all"):
        if target in kills:
            return kills[target]
    return None


def kill_json(kill: Kill | None) -> dict[str, Any] | None:
    """*kill* for programs."""
    if kill is None:
        return None
    return {"target": kill.target, "by": kill.by, "why": kill.why, "at": instant(int(kill.at * 1e9))}
