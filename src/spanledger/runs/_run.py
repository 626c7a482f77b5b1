"""
Runs and steps that the user's code enters: context managers and decorators, for every kind of function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, overload

from ..ledger import Run, Totals
from ..outcomes import STOP_REASONS
from ._gate import gate
from ._place import current
from ._scopes import RunScope, StepScope, defaults, new_id
from ._wrap import decorate, decorates

__all__ = ["ActiveRun", "Managed", "current_run", "run", "step"]

P = ParamSpec("P")
R = TypeVar("R")


class Managed:
    """Context manager, asynchronous context manager and decorator over the scopes that `_scope` makes."""

    def __init__(self) -> None:
        self._scopes: list[Any] = []

    def _scope(self) -> Any:
        raise AssertionError  # every kind of scope says how it is made

    def _given(self, scope: Any) -> Any:
        return scope

    def __enter__(self) -> Any:
        scope = self._scope()
        scope.open()
        self._scopes.append(scope)
        scope.resume()
        return self._given(scope)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        scope = self._scopes.pop()
        scope.leave()
        scope.close(error)

    async def __aenter__(self) -> Any:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        return decorate(function, lambda _args, _kwargs: self._scope())  # type: ignore[no-any-return]


class step(Managed):  # noqa: N801 - reads as a word: `with run.step():`
    """A step of a run: ``with run.step():``, ``@run.step()`` or ``@run.step``."""

    def __init__(self, run: Run, name: str | None = None) -> None:
        super().__init__()
        self._run = run
        self._name = name

    def _scope(self) -> StepScope:
        return StepScope(self._run, self._name)


class ActiveRun:
    """A run, as the code inside it sees it."""

    __slots__ = ("_run",)

    def __init__(self, run: Run) -> None:
        self._run = run

    id = property(lambda self: self._run.id, doc="The run's id, 32 hex digits.")

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
    def step(self, function: Callable[P, R], /) -> Callable[P, R]: ...
    @overload
    def step(self, name: str | None = None) -> step: ...
    def step(self, name: Any = None) -> Any:
        """A step of this run, as context manager or decorator."""
        return step(self._run)(name) if decorates(name) else step(self._run, name)

    def __repr__(self) -> str:
        return f"<run {self._run.id} {self._run.name or ''} {self.status}>"


class run(Managed):  # noqa: N801 - reads as a word: `with spanledger.run("support"):`
    """
    One request of an agent, from its beginning to its end.

    ``with run("support", user_id="u1") as r:``, or ``@run("support")`` or ``@run`` over any kind of function, each call
    a run.
    *session_id* is the conversation it belongs to, *request_id* your own id of the request, *labels* go on the run's
    span and into the journal.
    """

    @overload
    def __new__(cls, function: Callable[P, R], /) -> Callable[P, R]: ...  # type: ignore[misc]
    @overload
    def __new__(cls, name: str | None = None, **options: Any) -> run: ...
    def __new__(cls, name: Any = None, **options: Any) -> Any:
        """Decorate at once when a function is given."""
        made = super().__new__(cls)
        if decorates(name):
            made.__init__(None, **options)  # type: ignore[misc]
            return made(name)
        return made

    def __init__(
        self,
        name: str | None = None,
        *,
        session_id: str | None = None,
        user_id: str | None = None,
        request_id: str | None = None,
        agent_version: str | None = None,
        prompt_version: str | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self._fields: dict[str, Any] = {
            "name": name or defaults["agent"],
            "session_id": session_id,
            "user_id": user_id,
            "request_id": request_id,
            "agent_version": agent_version or defaults["agent_version"],
            "prompt_version": prompt_version or defaults["prompt_version"],
            "labels": dict(labels or {}),
        }

    def _scope(self) -> RunScope:
        return RunScope(Run(id=new_id(), **self._fields))

    def _given(self, scope: RunScope) -> ActiveRun:
        return ActiveRun(scope.run)


def current_run() -> ActiveRun | None:
    """The run that code running here belongs to, whoever opened it."""
    found = current()
    return ActiveRun(found.run) if found is not None else None
