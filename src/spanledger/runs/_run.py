"""
Runs and steps that the user's code enters: context managers and decorators, for every kind of function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, ParamSpec, TypeVar, overload

from ..ledger import Run, Totals
from ..outcomes import STOP_REASONS
from ._gate import gate
from ._managed import Managed
from ._place import current
from ._scopes import RunScope, StepScope, defaults, new_id
from ._wrap import decorates

__all__ = ["ActiveRun", "current_run", "run"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class _Step(Managed[StepScope]):
    def __init__(self, run: Run, name: str | None = None) -> None:
        super().__init__()
        self._run = run
        self._name = name

    def _scope(self) -> StepScope:
        return StepScope(self._run, self._name)

    def _given(self, scope: StepScope) -> StepScope:
        return scope


class ActiveRun:
    """A run, as the code inside it sees it."""

    __slots__ = ("_run",)

    def __init__(self, run: Run) -> None:
        self._run = run

    @property
    def id(self) -> str:
        """The run's id, 32 hex digits."""
        return self._run.id

    @property
    def stop_reason(self) -> str | None:
        """Why the run ended; `None` while it goes on.  Set it to say so yourself; one of `STOP_REASONS`."""
        return self._run.stop_reason

    @stop_reason.setter
    def stop_reason(self, reason: str) -> None:
        if reason not in STOP_REASONS:
            msg = f"{reason!r} is no stop reason; one of: {', '.join(STOP_REASONS)}"
            raise ValueError(msg)
        self._run.stop_reason = reason

    @property
    def status(self) -> str:
        """``running``, ``success``, ``failure`` or ``timeout``."""
        return self._run.status

    @property
    def usage(self) -> Totals:
        """Tokens used so far."""
        return self._run.usage

    @property
    def cost(self) -> Decimal:
        """US dollars that the priced calls cost so far; see `unpriced` for the others."""
        return self._run.cost

    @property
    def unpriced(self) -> int:
        """How many model calls have no price."""
        return self._run.unpriced

    @property
    def steps(self) -> int:
        """How many steps began so far."""
        return self._run.steps

    @property
    def tool_calls(self) -> int:
        """How many tool calls ended so far."""
        return self._run.tool_calls

    @property
    def retries(self) -> int:
        """Attempts at model calls after others that failed: the clients' own, and those of whoever calls them."""
        return self._run.retries

    @property
    def decisions(self) -> list[Any]:
        """What limits decided, in order."""
        return self._run.decisions

    @property
    def budget(self) -> list[Any]:
        """How each limit on this run stands now: `Standing` objects with spent, held, left and share."""
        return gate.standing(self._run) if gate.standing is not None else []

    @overload
    def step(self, function: staticmethod[P, R], /) -> staticmethod[P, R]: ...
    @overload
    def step(self, function: classmethod[T, P, R], /) -> classmethod[T, P, R]: ...
    @overload
    def step(self, function: Callable[P, R], /) -> Callable[P, R]: ...
    @overload
    def step(self, name: str | None = None) -> Managed[StepScope]: ...
    def step(self, name: Any = None) -> Any:
        """A step of this run: ``with run.step():``, ``@run.step()`` or ``@run.step``."""
        return _Step(self._run)(name) if decorates(name) else _Step(self._run, name)

    def __repr__(self) -> str:
        return f"<run {self._run.id} {self._run.name or ''} {self.status}>"


def _text(given: object) -> str | None:
    """What names something, as the text that spans and the journal know it by: numbers and UUIDs are ids as well."""
    return given if given is None or isinstance(given, str) else str(given)


class _Run(Managed[ActiveRun]):
    def __init__(
        self,
        name: str | None,
        session_id: str | None = None,
        user_id: str | None = None,
        request_id: str | None = None,
        agent_version: str | None = None,
        prompt_version: str | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self._fields: dict[str, Any] = {
            "name": _text(name) or defaults["agent"],
            "session_id": _text(session_id),
            "user_id": _text(user_id),
            "request_id": _text(request_id),
            "agent_version": _text(agent_version) or defaults["agent_version"],
            "prompt_version": _text(prompt_version) or defaults["prompt_version"],
            "labels": {str(key): value for key, value in dict(labels or {}).items()},
        }

    def _scope(self) -> RunScope:
        return RunScope(Run(id=new_id(), **self._fields))

    def _given(self, scope: RunScope) -> ActiveRun:
        return ActiveRun(scope.run)


@overload
def run(function: staticmethod[P, R], /) -> staticmethod[P, R]: ...
@overload
def run(function: classmethod[T, P, R], /) -> classmethod[T, P, R]: ...
@overload
def run(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def run(
    name: str | None = None,
    *,
    session_id: str | None = None,
    user_id: str | None = None,
    request_id: str | None = None,
    agent_version: str | None = None,
    prompt_version: str | None = None,
    labels: Mapping[str, str] | None = None,
) -> Managed[ActiveRun]: ...
def run(name: Any = None, **options: Any) -> Any:
    """
    One request of an agent, from its beginning to its end.

    ``with run("support", user_id="u1") as r:``, or ``@run("support")`` or ``@run`` over any kind of function, each call
    a run.
    *session_id* is the conversation it belongs to, *request_id* your own id of the request, *labels* go on the run's
    span and into the journal.
    """
    return _Run(None, **options)(name) if decorates(name) else _Run(name, **options)


def current_run() -> ActiveRun | None:
    """The run that code running here belongs to, whoever opened it."""
    found = current()
    return ActiveRun(found.run) if found is not None else None
