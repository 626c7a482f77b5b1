"""
Where the money went: spend by user, session, agent, version, model, tool, step or day, and how much of it was wasted.

Money comes from the runs' own accounts where runs are grouped, and from the spans where calls are.  A run inside
another one is counted there, not twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, TypeVar

from .. import semconv
from ..journal import Archive, RunRow
from ..limits.plan import Days
from .waste import WASTE, Call, mark_waste

N = TypeVar("N", Decimal, int)
S = TypeVar("S", bound="Spend")

__all__ = ["BY", "Costs", "Group", "Spend", "read_costs"]

_RUN_KEYS: Final[dict[str, Callable[[RunRow], str | None]]] = {
    "user": lambda run: run.user_id,
    "session": lambda run: run.session_id,
    "agent": lambda run: run.name,
    "version": lambda run: run.agent_version or run.service_version,
    "team": lambda run: run.labels.get("team"),
    "project": lambda run: run.labels.get("project"),
}
_INHERITED: Final = ("user", "session", "team", "project")
BY: Final = (*_RUN_KEYS, "day", "model", "tool", "step")
"""What spend can be grouped by."""
NOBODY: Final = "-"
_WINDOWS: Final = (("hour", 3600), ("day", 86_400), ("week", 604_800))
_FIELDS: Final = {
    "cost": semconv.COST_AMOUNT, "own": semconv.TOOL_COST, "cost_status": semconv.COST_STATUS,
    "response_model": semconv.RESPONSE_MODEL, "request_model": semconv.REQUEST_MODEL,
    "tool": semconv.TOOL_NAME, "args": semconv.TOOL_ARGS_HASH, "result": semconv.TOOL_RESULT_HASH,
    "tool_status": semconv.TOOL_STATUS, "error_class": semconv.ERROR_CLASS,
}  # fmt: skip
_CALLS: Final = (  # the names are ours
    "SELECT run_id, step, status, "  # noqa: S608
    + ", ".join(f"json_extract(attributes, '$.\"{key}\"') AS {name}" for name, key in _FIELDS.items())
    + " FROM spans WHERE operation IS NOT NULL AND started >= ? ORDER BY run_id, started"
)


@dataclass(slots=True)
class Spend:
    """Money, USD, and what it bought.  *wasted* is the part that bought nothing, *waste* the same by `WASTE`."""

    cost: Decimal = Decimal(0)
    wasted: Decimal = Decimal(0)
    waste: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(WASTE, Decimal(0)))
    runs: int = 0
    successes: int = 0
    calls: int = 0
    errors: int = 0
    repeats: int = 0
    unpriced: int = 0

    @property
    def known_cost(self) -> Decimal | None:
        """`cost`, which is that of the calls with a price; `None` when there were calls and none had one."""
        return self.cost if self.cost or not self.unpriced else None

    @property
    def per_success(self) -> Decimal | None:
        """What a successful run costs, the failed ones included; `None` when there is none, or nothing has a price."""
        return self.cost / self.successes if self.successes and self.known_cost is not None else None

    @property
    def wasted_share(self) -> float | None:
        """The wasted share, from 0 to 1; `None` when nothing was spent."""
        return float(self.wasted / self.cost) if self.cost else None

    @property
    def failed_share(self) -> float | None:
        """The share that failed and timed out runs cost, from 0 to 1; `None` when nothing was spent."""
        return float(self.waste["failed_runs"] / self.cost) if self.cost else None

    def throw_away(self, what: str, amount: Decimal) -> None:
        """Count *amount* as wasted on *what*."""
        self.wasted += amount
        self.waste[what] += amount


@dataclass(slots=True)
class Group(Spend):
    """The spend of one *name*; *dear_runs* is the share of the dearest tenth of the runs that it is part of."""

    name: str = NOBODY
    dear_runs: float | None = None


@dataclass(slots=True)
class Costs:
    """
    What the runs of a time came to.

    Wasted is all that a failed or timed out run cost; and in the others, model calls that failed, and those of steps
    that led nowhere: in which the agent only asked its tools what it had asked before, to be told the same (a
    duplicate), or only tools that failed once more in a row, whatever they were asked (a retry, a loop).
    """

    runs: list[RunRow]
    calls: list[Call]
    days: Days = field(default_factory=Days)
    _by_id: dict[str, RunRow] = field(init=False, repr=False)
    _own: dict[str, Decimal] = field(init=False, repr=False)
    _calls: dict[str, int] = field(init=False, repr=False)
    _unpriced: dict[str, int] = field(init=False, repr=False)
    _wasted: dict[str, list[tuple[str, Decimal]]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._by_id = ids = {run.run_id: run for run in self.runs}
        self._own = self._without_inner(lambda run: run.cost)
        self._calls = self._without_inner(lambda run: run.model_calls + run.tool_calls)
        self._unpriced = self._without_inner(lambda run: run.unpriced)
        failed = {run.run_id for run in self.runs if run.status in ("failure", "timeout")}
        mark_waste(self.calls, failed)
        self._wasted = defaultdict(list, {run_id: [("failed_runs", self._own[run_id])] for run_id in failed})
        for call in self.calls:
            if call.wasted and call.cost and call.run_id in ids and call.run_id not in failed:
                self._wasted[call.run_id].append((call.wasted, call.cost))

    def _without_inner(self, what: Callable[[RunRow], N]) -> dict[str, N]:
        """What each run has of its own: without the runs inside it, which have it, too."""
        found = {run.run_id: what(run) for run in self.runs}
        for run in self.runs:
            if run.parent_id in self._by_id:
                found[run.parent_id or ""] -= what(run)
        return found

    def total(self) -> Spend:
        """All of it."""
        return self._sum(Spend(), self.runs)

    def by(self, what: str) -> list[Group]:
        """The spend by *what*, one of `BY`; the dearest first, days in their order."""
        if what in _RUN_KEYS or what == "day":
            members: dict[str, list[RunRow]] = defaultdict(list)
            for run in self.runs:
                members[self._name(run, what) or NOBODY].append(run)
            found = [self._sum(Group(name=name), runs) for name, runs in members.items()]
        else:
            found = self._by_call(what)
        return sorted(found, key=lambda group: group.name if what == "day" else (-group.cost, group.name))

    def split(self, at: int) -> list[Group]:
        """The runs that began before *at* (nanoseconds since the epoch), and those that began then or later."""
        before = [run for run in self.runs if run.started < at]
        after = [run for run in self.runs if run.started >= at]
        return [self._sum(Group(name="before"), before), self._sum(Group(name="after"), after)]

    def windows(self, now: int) -> dict[str, Spend]:
        """What was spent in the last hour, day and week."""
        return {
            name: self._sum(Spend(), (run for run in self.runs if run.started >= now - seconds * 10**9))
            for name, seconds in _WINDOWS
        }

    def top_tenth(self) -> tuple[list[str], float | None]:
        """The tenth of the users who cost most, and which share of all users' spend; `None` without users."""
        users = [group for group in self.by("user") if group.name != NOBODY]
        top, total = users[: max(1, len(users) // 10)], sum(group.cost for group in users)
        return [group.name for group in top], float(sum(group.cost for group in top) / total) if total else None

    def first_of(self, version: str) -> int | None:
        """When the first run of this agent, prompt or service *version* began; `None` when there is none."""
        runs = [r for r in self.runs if version in (r.agent_version, r.prompt_version, r.service_version)]
        return min((run.started for run in runs), default=None)

    def _name(self, run: RunRow | None, what: str) -> str | None:
        """What *run* is of; a run inside another is of the same user, session and team unless it says so."""
        found = None
        if what == "day" and run is not None:
            return self.days.at(run.started / 1e9)[0]
        while run is not None and found is None:
            found = _RUN_KEYS[what](run)
            run = self._by_id.get(run.parent_id or "") if what in _INHERITED else None
        return found

    def _sum(self, into: S, runs: Iterable[RunRow]) -> S:
        for run in runs:
            into.runs += 1
            into.successes += run.status == "success"
            into.errors += run.status in ("failure", "timeout")
            into.calls += self._calls[run.run_id]
            into.cost += self._own[run.run_id]
            for what, amount in self._wasted.get(run.run_id, ()):
                into.throw_away(what, amount)
            into.unpriced += self._unpriced[run.run_id]
        return into

    def _by_call(self, what: str) -> list[Group]:
        groups: dict[str, Group] = {}
        members: dict[str, set[str]] = defaultdict(set)
        per_step: dict[tuple[str, int | None], list[Call]] = defaultdict(list)
        for call in self.calls:
            if call.tool is not None:
                per_step[call.run_id, call.step].append(call)
        for call in self.calls:
            for name, share, is_its_call in _shares(call, what, per_step):
                group = groups.setdefault(name, Group(name=name))
                members[name].add(call.run_id)
                group.cost += share
                if call.wasted:
                    group.throw_away(call.wasted, share)
                group.unpriced += call.tool is None and call.cost is None
                if is_its_call:
                    group.calls += 1
                    group.errors += call.failed
                    group.repeats += bool(call.wasted) and call.tool is not None
        succeeded = {run.run_id for run in self.runs if run.status == "success"}
        dear = {run.run_id for run in sorted(self.runs, key=lambda r: -r.cost)[: max(1, len(self.runs) // 10)]}
        for name, group in groups.items():
            group.runs, group.successes = len(members[name]), len(members[name] & succeeded)
            group.dear_runs = len(members[name] & dear) / len(dear) if dear else None
        return list(groups.values())


def _shares(
    call: Call, what: str, per_step: dict[tuple[str, int | None], list[Call]]
) -> Iterable[tuple[str, Decimal, bool]]:
    """
    What *call* adds to which names, and whether it is a call of that name.

    A tool is charged what it cost itself, and an equal part of the model calls of the step that asked for it.
    """
    cost = call.cost or Decimal(0)
    if what == "step":
        return [(str(call.step) if call.step else NOBODY, cost, True)]
    if what == "model":
        return [(call.model or NOBODY, cost, True)] if call.tool is None else []
    if call.tool is not None:
        return [(call.tool, cost, True)]
    asked = per_step.get((call.run_id, call.step), [])
    return [(tool.tool or NOBODY, cost / len(asked), False) for tool in asked]


def read_costs(
    archive: Archive, *, since: int = 0, until: int = 1 << 62, zone: str = "UTC", **filters: Any
) -> Costs:  # fmt: skip
    """The costs of the runs that began between *since* and *until*, by days of *zone*; *filters* as `Archive.runs`."""
    runs = [run for run in archive.runs(since=since, **filters) if run.started < until]
    ids = {run.run_id for run in runs}
    calls = []
    for row in archive.ask(_CALLS, (since,)):
        if row["run_id"] not in ids or (row["response_model"] or row["request_model"] or row["tool"]) is None:
            continue
        if row["error_class"] == "denied" and not row["tool"]:
            continue  # refused by a limit: never sent
        amount = row["own"] if row["tool"] else row["cost"]
        counted = amount is not None and row["cost_status"] != "counted_in_child"
        failed = row["status"] == "ERROR" or row["tool_status"] == "error"
        model = None if row["tool"] else row["response_model"] or row["request_model"]
        cost = Decimal(str(amount)) if counted else None
        calls.append(Call(row["run_id"], row["step"], model, row["tool"], cost, failed, row["args"], row["result"]))
    return Costs(runs, calls, Days(zone))
