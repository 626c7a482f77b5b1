"""
What a call's span says of the request and its content.

Messages are one JSON text per list, in the shape that Phoenix and Jaeger read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.trace import Span

from .. import runs, semconv
from ..canonical import to_json
from ..hashing import hasher
from ..ledger import Run
from ..model import Request
from ..shield import report

if TYPE_CHECKING:
    from ._calls import Call
    from ._history import Defined

__all__ = ["for_sampling", "note_hashes", "put_content", "request_attributes"]


def for_sampling(call: Call) -> dict[str, Any]:
    """What a sampler may want to know when the span starts; the rest is written once, at the end."""
    peer = call.peer
    found: dict[str, Any] = {semconv.OPERATION: call.endpoint.operation, semconv.PROVIDER: peer.provider}
    if call.request.model is not None:
        found[semconv.REQUEST_MODEL] = call.request.model
    if peer.address is not None:
        found[semconv.SERVER_ADDRESS] = peer.address
        if peer.port is not None:
            found[semconv.SERVER_PORT] = peer.port
    if call.run.name is not None:
        found[semconv.AGENT_NAME] = call.run.name
    return found


def request_attributes(call: Call, *, alone: bool) -> dict[str, Any]:
    """Where the call belongs, and its settings; what was given about the run when the call is all of it."""
    request = call.request
    found = runs.attributes_of(call.run, call.number)
    found.update(request.settings)
    found.update(call.endpoint.attributes)
    if request.stream:
        found[semconv.REQUEST_STREAM] = True
    if request.conversation_id is not None:
        found[semconv.CONVERSATION_ID] = request.conversation_id
    if alone:
        found.update(runs.described(call.run))
    return found


def note_hashes(
    request: Request, tools: Defined | None, run: Run, found: dict[str, Any], step: Span | None
) -> None:  # fmt: skip
    """
    Hash what the model was told to be and to have.

    Where that changed since the run's last call it goes into *found*, and on the *step* that was entered, if any was.
    """
    changed: dict[str, Any] = {}
    if request.system:
        system = hasher().hash(request.system, "system")
        if system.text != run.system_hash:
            run.system_hash = system.text
            system.put(changed, semconv.SYSTEM_HASH)
    if tools is not None and tools.hashed != run.tools_hash:
        run.tools_hash = changed[semconv.TOOLS_HASH] = tools.hashed
    if changed:
        found.update(changed)
        if step is not None and step.is_recording():
            step.set_attributes(changed)


def put_content(call: Call, found: dict[str, Any]) -> None:
    """System instructions, input messages and tool definitions of a request into *found*; never raises."""
    endpoint, body = call.endpoint, call.found.body
    try:
        written = call.engine.history.messages(endpoint, body)
        # what came before the messages, and they themselves only where they were not written already
        system, messages = endpoint.read_messages(body if written is None else {**body, endpoint.history: []})
        if system:
            found[semconv.SYSTEM_INSTRUCTIONS] = to_json(system)
        if written is not None:
            found[semconv.INPUT_MESSAGES] = written
        elif messages:
            found[semconv.INPUT_MESSAGES] = to_json(messages)
        if (tools := call.tools) is not None:
            if tools.written is None:
                tools.written = to_json(endpoint.read_tools(body))
            if tools.written != "[]":
                found[semconv.TOOL_DEFINITIONS] = tools.written
    except Exception as error:  # noqa: BLE001 - without its content then
        report("recording a request", error)
