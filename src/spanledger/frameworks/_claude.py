"""
What a Claude Code process says of itself, message by message, as a run, its model calls and its tool calls.

The model is called over there, and so are most tools: what is known of a call is what the messages say.  A subagent is
a run of its own inside of the one that started it.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.context import Context

from .. import runs
from ..model import Response, ToolResult
from ..outcomes import classify_code
from ..providers._anthropic_messages import read_response
from ..providers._anthropic_usage import read_usage
from ._claude_calls import MAX_LANES, Lane, Tokens
from ._claude_ends import error_of_request, error_of_tool, reason_of_result, reason_of_task
from ._scopes import FrameworkRun

__all__ = ["Conversation"]

_NOBODY: Final = "<synthetic>"
"""The model of messages that the process wrote itself."""
MAX_RETRIES: Final = 20
"""How many failed attempts of a call are told apart."""
MAX_ASKED: Final = 1_000
"""How many tool calls without a result are remembered, with when they were asked for."""


class Conversation:
    """One connection to a Claude Code process."""

    def __init__(self, scope: FrameworkRun | None) -> None:
        self._own = scope is None
        self._main = Lane(scope)
        self._lanes: OrderedDict[str, Lane] = OrderedDict({"": self._main})
        """The agents at work: the one that was asked, and each subagent by the tool call that it is."""
        self._asked: OrderedDict[str, tuple[Lane, int, str | None]] = OrderedDict()
        """The tool calls without a result: whose they are, when they were asked for, the subagent they stand for."""
        self._tokens = Tokens()
        self._session: str | None = None
        self._reason: str | None = None
        self._cut: str | None = None
        self._denied = self._over = self._ending = False

    @property
    def scope(self) -> FrameworkRun | None:
        """The run that is going on."""
        return self._main.scope

    def context_of(self, tool_call: Any) -> Context | None:
        """Where a tool call belongs that was asked for over there."""
        asked = self._asked.get(tool_call) if isinstance(tool_call, str) else None
        scope = (asked[0] if asked is not None else self._main).scope
        return scope.context if scope is not None else None

    def begin(self) -> None:
        """A request begins, unless one is going on."""
        if self.scope is None or self.scope.run.ended is not None:
            self._main.scope = FrameworkRun("claude", session_id=self._session)
            self._main.scope.open()
            self._cut = None
        self._main.since = time.time_ns()

    def end(self, error: BaseException | None = None) -> None:
        """What is going on ends, one way or another; somebody else's run is left to them."""
        self._over = True
        for key in [key for key in self._lanes if key]:
            self._close(key, "cancelled")
        self._settle(self._main)
        self._tokens.let_go()
        if self._own and self.scope is not None and self.scope.run.ended is None:
            self.scope.close(error)

    def saw(self, message: Mapping[str, Any]) -> None:
        """Take note of a *message* that the process sent."""
        kind = message.get("type")
        act = {"system": self._system, "assistant": self._assistant, "user": self._user,
               "stream_event": self._event, "result": self._result}.get(str(kind))  # fmt: skip
        if act is None or self._over:
            return
        inside = message.get("parent_tool_use_id")
        if self._ending and kind != "system":
            self._ending = False
            for key in [key for key, lane in self._lanes.items() if lane.ending is not None]:
                self._close(key, self._lanes[key].ending)
        going_on = self.scope is not None and not (self._own and self.scope.run.ended is not None)
        if not going_on and not inside:
            begins = kind in ("assistant", "stream_event") or message.get("subtype") == "init"
            if not begins and (kind != "system" or self.scope is None):
                return
            if begins:
                self.begin()
        context = self.scope.context if self.scope is not None else None
        if context is None:
            return
        previous = runs.attach(context)
        try:
            act(message)
        finally:
            runs.restore(context, previous)

    def _system(self, message: Mapping[str, Any]) -> None:
        act = {"init": self._init, "status": self._status, "api_retry": self._retry, "model_fallback": self._fallback,
               "model_refusal_fallback": self._fallback,
               "task_started": self._task, "task_notification": self._task_ended, "task_updated": self._task_ends,
               }.get(str(message.get("subtype")))  # fmt: skip
        if act is not None:
            act(message)

    def _init(self, message: Mapping[str, Any]) -> None:
        session, model, main = message.get("session_id"), message.get("model"), self._main
        if isinstance(session, str) and main.scope is not None and main.scope.run.session_id is None:
            self._session = main.scope.run.session_id = session
            trace.get_current_span().set_attributes(runs.attributes_of(main.scope.run, 0))
        if isinstance(model, str):
            main.asked = model.partition("[")[0]
        main.since = time.time_ns()

    def _status(self, message: Mapping[str, Any]) -> None:
        if message.get("status") == "requesting" and not self._main.retried:
            self._main.since = time.time_ns()

    def _retry(self, message: Mapping[str, Any]) -> None:
        lane, status, delay = self._lane(message), message.get("error_status"), message.get("retry_delay_ms")
        error = classify_code(str(status)) if status is not None else "connection"
        lane.retried = (*lane.retried, error)[-MAX_RETRIES:]
        lane.waited += delay / 1000 if isinstance(delay, (int, float)) else 0.0

    def _fallback(self, message: Mapping[str, Any]) -> None:
        lane = self._lane(message)
        if lane.retried or message.get("trigger") == "overloaded":  # then nobody else says that the other one failed
            lane.held = lane.begin(Response(), lane.retried[-1] if lane.retried else "upstream_error")
            self._settle(lane)
            lane.since = time.time_ns()
        lane.asked, lane.fallback_for = message.get("fallback_model") or lane.asked, message.get("original_model")

    def _task(self, message: Mapping[str, Any]) -> None:
        """A subagent begins; other tasks are tool calls."""
        if message.get("task_type") != "local_agent" or not message.get("tool_use_id"):
            return
        lane = self._lane({**message, "parent_tool_use_id": message["tool_use_id"]})
        lane.task, lane.background = message.get("task_id"), message.get("is_backgrounded") is True

    def _of_task(self, task: Any) -> str | None:
        return next((key for key, lane in self._lanes.items() if task is not None and lane.task == task), None)

    def _task_ends(self, message: Mapping[str, Any]) -> None:
        key, reason = self._of_task(message.get("task_id")), reason_of_task((message.get("patch") or {}).get("status"))
        if key is not None and reason is not None:
            self._lanes[key].ending = reason
            self._ending = True

    def _task_ended(self, message: Mapping[str, Any]) -> None:
        """A subagent is done, and its last answer is as long as what it left in its context says."""
        key, reason = self._of_task(message.get("task_id")), reason_of_task(message.get("status"))
        if key is None or reason is None:
            return
        lane, total = self._lanes[key], (message.get("usage") or {}).get("total_tokens")
        call = lane.held
        if isinstance(total, int) and (call is None or call.response.tool_calls):
            self._tokens.untold(lane, total)
        elif isinstance(total, int) and call is not None:
            used = call.response.usage
            if total - (used.input or 0) >= (used.output or 0):
                used.output, call.final = total - (used.input or 0), True
        self._close(key, reason)

    def _lane(self, message: Mapping[str, Any]) -> Lane:
        key = str(message.get("parent_tool_use_id") or "")
        lane = self._lanes.get(key)
        if lane is None:
            asked = self._asked.get(key)
            name = message.get("subagent_type") or (asked[2] if asked is not None else None)
            lane = self._lanes[key] = Lane(FrameworkRun(name if isinstance(name, str) else "subagent"))
            above = self._lanes.get(self._of_task(message.get("parent_task_id")) or "", self._main)
            parent = asked[0].scope if asked is not None else above.scope
            here = parent.context if parent is not None else None
            previous = runs.attach(here) if here is not None else None
            lane.scope.open()  # type: ignore[union-attr]
            if here is not None and previous is not None:
                runs.restore(here, previous)
            if len(self._lanes) > MAX_LANES:
                self._close(next(key for key in self._lanes if key), "abandoned")
        return lane

    def _close(self, key: str, reason: str | None) -> None:
        """A subagent is done."""
        lane = self._lanes.pop(key, None)
        if lane is not None and lane.scope is not None:
            self._settle(lane)
            lane.scope.run.stop_reason = lane.scope.run.stop_reason or reason
            lane.scope.close(None)

    def _assistant(self, message: Mapping[str, Any]) -> None:
        response, lane = read_response(message.get("message") or {}, content=False), self._lane(message)
        if response.model == _NOBODY:
            self._wrote(message, lane)
            return
        held = lane.held
        if held is None or held.response.id != response.id:
            self._settle(lane)
            if lane.told is not None and lane.told == response.id:
                held = None  # the sums of a result hold it already
            else:
                held = lane.held = lane.begin(response)
        else:
            held.response.tool_calls += response.tool_calls
            if not held.final:
                held.response.usage = response.usage
            held.response.finish_reasons = response.finish_reasons or held.response.finish_reasons
            held.ended = time.time_ns()
        if held is not None:
            held.final = held.final or bool(response.finish_reasons)
        self._denied = False
        if response.tool_calls and lane.scope is not None:
            runs.note_asked(lane.scope.run, lane.scope.run.steps if held is None else held.step, response)
            self._note_asked(response, lane)

    def _note_asked(self, response: Response, lane: Lane) -> None:
        for call in response.tool_calls:
            given = call.arguments if isinstance(call.arguments, Mapping) else {}
            self._asked[str(call.id)] = (lane, time.time_ns(), given.get("subagent_type"))
        while len(self._asked) > MAX_ASKED:
            self._asked.popitem(last=False)

    def _wrote(self, message: Mapping[str, Any], lane: Lane) -> None:
        """The process itself speaks: about a request that failed, or about an answer that it had."""
        error = message.get("error")
        if error is None:
            return
        if error == "max_output_tokens" or message.get("refused_message_id"):
            self._cut = "max_tokens" if error == "max_output_tokens" else "content_filter"
            return
        self._settle(lane)
        lane.held = lane.begin(Response(), error_of_request(message))
        self._settle(lane)

    def _event(self, message: Mapping[str, Any]) -> None:
        """A piece of an answer: the first one says when it began, the last one what it used."""
        event, lane, now = message.get("event") or {}, self._lane(message), time.time_ns()
        kind, held = event.get("type"), lane.held
        if kind == "message_start":
            lane.begun, lane.first = read_response(event.get("message") or {}, content=False), now
        elif lane.begun is not None and held is not None and held.response.id == lane.begun.id:
            held.first, held.ended = held.first or lane.first, now
            if kind == "message_delta":
                last = read_response(event.get("delta"), content=False)
                held.response.usage = read_usage(held.response.usage, event.get("usage"), held.response.extra)
                held.final = bool(last.finish_reasons)  # one that was broken off has none
                held.response.finish_reasons = last.finish_reasons or held.response.finish_reasons

    def _user(self, message: Mapping[str, Any]) -> None:
        content, lane = (message.get("message") or {}).get("content"), self._lane(message)
        blocks = [b for b in content if isinstance(b, Mapping)] if isinstance(content, list) else []
        results, seen = [], {}
        for block in blocks:
            if block.get("type") == "tool_result":
                key = str(block.get("tool_use_id"))
                asked, error = self._asked.pop(key, None), error_of_tool(block, message)
                result = ToolResult(block.get("tool_use_id"), None, block.get("content"), bool(block.get("is_error")))
                results.append(result)
                seen[key] = (asked[1] if asked is not None else None, error)
                self._denied = error == "denied"
                if key in self._lanes and not self._lanes[key].background:
                    self._close(key, "error" if error else None)
        if results and lane.scope is not None:
            runs.infer_tools(lane.scope.run, results, known=seen)
        lane.since = time.time_ns()

    def _result(self, message: Mapping[str, Any]) -> None:
        run = self.scope.run  # type: ignore[union-attr]
        for lane in self._lanes.values():
            self._settle(lane)
        self._tokens.sum_up(message, self.scope)  # type: ignore[arg-type]
        if run.stop_reason in (None, self._reason):  # else somebody here has said it
            run.stop_reason = self._reason = reason_of_result(message, self._cut, denied=self._denied)
        if run.stop_reason == "model_error" and run.failed is not None and run.failed[1] == "model":
            run.error_class = run.failed[2]
        if self._own and run.ended is None:
            self.scope.close(None)  # type: ignore[union-attr]

    def _settle(self, lane: Lane) -> None:
        call, lane.held = lane.held, None
        if call is not None:
            lane.told = call.response.id
            self._tokens.settle(call)
