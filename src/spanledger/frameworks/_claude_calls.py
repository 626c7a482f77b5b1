"""
The model calls of a Claude Code process, as its messages tell of them, and their tokens, which its results sum up.

A message that is sent before its answer has ended holds the output tokens of the answer's beginning; the pieces of the
answer tell the rest.  A subagent's answers come without pieces: what the sums have more than was told is theirs.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from opentelemetry.trace import SpanKind, StatusCode

from .. import runs, semconv
from ..ledger import ModelCall, Run
from ..model import Response, Usage
from ..outcomes import stop_reason_of_finish
from ._scopes import FrameworkRun

__all__ = ["MAX_LANES", "Call", "Lane", "Tokens"]

MAX_LANES: Final = 50
"""How many models of one connection are summed up apart, and how many of its agents are told apart."""

_SUMS: Final = (
    ("uncached", "inputTokens"), ("cache_read", "cacheReadInputTokens"), ("cache_write", "cacheCreationInputTokens"),
    ("output", "outputTokens"), ("cache_write_1h", "cacheCreationEphemeral1hInputTokens"),
    ("reasoning", "thinkingTokens"),
)  # fmt: skip
_BUCKETS: Final = ("uncached", "cache_read", "cache_write", "output")
_SEARCHES: Final = "web_search"
_PROVIDERS: Final = {"bedrock": "aws.bedrock", "vertex": "gcp.vertex_ai"}
_BY_ID: Final = (("msg_bdrk_", "aws.bedrock"), ("msg_vrtx_", "gcp.vertex_ai"))
_MODEL: Final = re.compile(r"claude.*?(?=-\d{8}|@|-v\d|\[|$)")
"""What is left of a model's name without who serves it, its date and its variant."""


@dataclass(slots=True)
class Call:
    """A model call of which something may still be said.  Times are nanoseconds since the epoch."""

    scope: FrameworkRun
    """The run that it belongs to."""
    step: int
    response: Response
    started: int
    ended: int
    asked: str | None = None
    """The model that was asked for, where that is known."""
    first: int | None = None
    """When the answer began."""
    final: bool = False
    """Whether its usage is that of its end."""
    error: str | None = None
    retried: tuple[str, ...] = ()
    waited: float = 0.0
    fallback_for: str | None = None
    provider: str | None = None

    def account(self) -> None:
        """Count the call and what it is known to have used."""
        usage, response = replace(self.response.usage), self.response
        self.scope.run.settle_model(self._entry(usage, response, self.retried))

    def more(self, usage: Usage) -> None:
        """It used more than was counted."""
        had = self.response.usage
        had.output = (had.output or 0) + (usage.output or 0)
        had.reasoning = (had.reasoning or 0) + (usage.reasoning or 0) or None
        entry, run = self._entry(usage, self.response, ()), self.scope.run
        found: Run | None = run
        while found is not None:  # the call itself is counted
            with found.lock:
                found.usage.add(usage, "embeddings")
                found._to_price.append(entry)  # noqa: SLF001 - a price that comes in two parts
            found = found.parent

    def _entry(self, usage: Usage, response: Response, retried: tuple[str, ...]) -> ModelCall:
        return ModelCall(
            "chat", self._provider(), self.asked, response.model, usage, self.started, self.ended, self.step,
            semconv.tier_of(response.extra), self.error, len(response.tool_calls), retried, self.waited,
            self.fallback_for,
        )  # fmt: skip

    def _provider(self) -> str:
        named = str(self.response.id)
        return self.provider or next((found for start, found in _BY_ID if named.startswith(start)), "anthropic")

    def write(self, *, estimated: bool = False) -> None:
        """Make the call's span."""
        response = self.response
        attributes: dict[str, Any] = {
            semconv.OPERATION: "chat", semconv.PROVIDER: self._provider(),
            **runs.attributes_of(self.scope.run, self.step),
        }  # fmt: skip
        semconv.put_response(response, attributes)
        self._describe(attributes, estimated=estimated)
        context = self.scope.context
        span = runs.start_span(
            f"chat {response.model or self.asked or 'unknown'}", context, SpanKind.CLIENT, attributes, self.started
        )
        if self.error is not None:
            span.set_status(StatusCode.ERROR, self.error)
        span.end(self.ended)

    def _describe(self, attributes: dict[str, Any], *, estimated: bool) -> None:
        if self.asked is not None:
            attributes[semconv.REQUEST_MODEL] = self.asked
        if self.first is not None:
            attributes[semconv.TIME_TO_FIRST_CHUNK] = max(self.first - self.started, 0) / 1e9
        if estimated:
            attributes[semconv.USAGE_SOURCE] = "estimated"
        if self.retried:
            attributes.update({
                semconv.RETRY_ATTEMPTS: len(self.retried) + 1, semconv.RETRY_WAIT: self.waited,
                semconv.RETRY_ERRORS: self.retried,
            })  # fmt: skip
        if self.fallback_for is not None:
            attributes[semconv.FALLBACK_FOR] = self.fallback_for
        if self.error is not None:
            attributes[semconv.ERROR_CLASS] = attributes[semconv.ERROR_TYPE] = self.error


class Lane:
    """An agent at work in the process: the one that was asked, or a subagent of its."""

    def __init__(self, scope: FrameworkRun | None) -> None:
        self.scope = scope
        """The run that is going on."""
        self.held: Call | None = None
        """Its last call, of which more may be said."""
        self.told: str | None = None
        """The id of the answer before."""
        self.asked: str | None = None
        """The model that it asks."""
        self.since = time.time_ns()
        """When the request that is going on began, as far as is known."""
        self.begun: Response | None = None
        """The answer that is arriving in pieces."""
        self.first: int | None = None
        self.retried: tuple[str, ...] = ()
        self.waited = 0.0
        self.fallback_for: str | None = None
        self.task: str | None = None
        """The id of a subagent's task."""
        self.background = False
        self.ending: str | None = None
        """Its stop reason, when its task has ended and what it used may still be told."""

    def begin(self, response: Response, error: str | None = None) -> Call:
        """The next call of this agent, which takes what went before it."""
        scope, now = self.scope, time.time_ns()
        assert scope is not None  # noqa: S101 - whoever begins a call has opened a run
        call = Call(
            scope, runs.begin_step(scope.run), response, min(self.since, now), now, self.asked, error=error,
            retried=self.retried, waited=self.waited, fallback_for=self.fallback_for,
        )  # fmt: skip
        if self.begun is not None and self.begun.id == response.id:
            call.first = self.first
        self.retried, self.waited, self.fallback_for = (), 0.0, None
        return call


@dataclass(slots=True)
class _Sums:
    """Tokens of one model: what its calls said since the last result, and what results said before."""

    said: dict[str, int] = field(default_factory=dict)
    before: dict[str, int] = field(default_factory=dict)
    loose: Call | None = None
    """The last call whose output tokens are not known yet."""
    loosened: int = 0
    """How many there were since the last result."""


class Tokens:
    """What the calls of a connection used, and what its results say that they used in all."""

    def __init__(self) -> None:
        self._models: dict[str, _Sums] = {}
        self._untold: list[tuple[FrameworkRun, int]] = []

    def settle(self, call: Call) -> None:
        """Take a *call* of which nothing more will be said, but for the sums."""
        finish = stop_reason_of_finish(call.response.finish_reasons)
        run = call.scope.run
        run.finish = None if finish == "completed" else finish
        if call.error is not None:
            run.failed = (0, "model", call.error)
        sums = self._of(str(call.response.model)) if call.response.model else None
        call.account()
        if sums is None:
            call.write(estimated=not call.final and call.error is None)
            return
        _add(sums.said, call.response.usage)
        if call.final:
            call.write()
            return
        before, sums.loose = sums.loose, call
        sums.loosened += 1
        if before is not None:
            before.write(estimated=True)

    def untold(self, lane: Lane, total: int) -> None:
        """A subagent is done whose last answer, of *total* tokens with what was asked, nobody told of."""
        if lane.scope is not None and len(self._untold) < MAX_LANES:
            self._untold.append((lane.scope, total))

    def sum_up(self, result: Mapping[str, Any], scope: FrameworkRun) -> None:
        """Set right what calls said by the sums of a *result*; calls that nobody told of are of the run of *scope*."""
        since = result.get("model_usage_since_last_result")
        totals = since if isinstance(since, Mapping) else result.get("modelUsage")
        for name, total in totals.items() if isinstance(totals, Mapping) else ():
            if isinstance(total, Mapping):
                self._sum_up(str(name), total, scope, anew=totals is since)
        self._untold.clear()
        if not totals:
            self.let_go()

    def let_go(self) -> None:
        """No sums come any more for what was said so far."""
        for sums in self._models.values():
            if sums.loose is not None:
                sums.loose.write(estimated=True)
            sums.loose, sums.loosened = None, 0

    def _of(self, model: str) -> _Sums | None:
        if model not in self._models and len(self._models) < MAX_LANES:
            self._models[model] = _Sums()
        return self._models.get(model)

    def _sum_up(self, name: str, total: Mapping[str, Any], scope: FrameworkRun, *, anew: bool) -> None:
        model = _told(name, str(total.get("canonicalModel") or name), self._models)
        if (sums := self._of(model)) is None:
            return
        now = {bucket: _count(total.get(key)) for bucket, key in (*_SUMS, (_SEARCHES, "webSearchRequests"))}
        anew = anew or any(now[bucket] < sums.before.get(bucket, 0) for bucket in now)
        rest = {b: now[b] - (0 if anew else sums.before.get(b, 0)) - sums.said.get(b, 0) for b in now}
        sums.before = now
        sums.said = {bucket: -rest[bucket] for bucket in _BUCKETS if rest[bucket] < 0}  # the next sums will hold it
        if sums.said and sums.loose is not None:  # it has not ended over there
            return
        call, sums.loose = sums.loose, None
        alone = not any(rest[bucket] > 0 for bucket in _BUCKETS if bucket != "output")
        if call is not None:
            if alone and rest["output"] > 0:
                call.more(Usage(output=rest["output"], reasoning=max(rest["reasoning"], 0) or None))
            call.write(estimated=not alone or sums.loosened > 1)  # the only one: what is left is its own
        sums.loosened = 0
        if not alone or (call is None and rest["output"] > 0):
            used = sum(max(rest[bucket], 0) for bucket in _BUCKETS)
            whose = [of for of, total in self._untold if total == used]
            _hidden(model, rest, str(total.get("provider")), whose[0] if len(whose) == 1 else scope)


def _hidden(model: str, rest: Mapping[str, int], provider: str, scope: FrameworkRun) -> None:
    """Calls that no message told of: titles, summaries, searches, a subagent's last words and its subagents."""
    usage = Usage()
    for bucket, _ in _SUMS:
        if bucket in _BUCKETS or rest[bucket] > 0:
            setattr(usage, bucket, max(rest[bucket], 0))
    if rest[_SEARCHES] > 0:
        usage.requests = {_SEARCHES: rest[_SEARCHES]}
    at = scope.run.ended or time.time_ns()
    provider = _PROVIDERS.get(provider, "anthropic")
    call = Call(scope, scope.run.steps, Response(model=model, usage=usage), at, at, provider=provider)
    call.account()
    call.write()


def _told(name: str, canonical: str, known: Iterable[str]) -> str:
    """The model of answers that a name in the sums stands for."""
    known = list(known)
    if name in known:
        return name
    return next((model for model in known if _bare(model) in (_bare(name), _bare(canonical))), name)


def _bare(model: str) -> str:
    found = _MODEL.search(model)
    return found.group() if found else model


def _count(value: Any) -> int:
    return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else 0


def _add(sums: dict[str, int], usage: Usage) -> None:
    for bucket, _ in _SUMS:
        sums[bucket] = sums.get(bucket, 0) + (getattr(usage, bucket) or 0)
    if usage.requests:
        sums[_SEARCHES] = sums.get(_SEARCHES, 0) + usage.requests.get(_SEARCHES, 0)
