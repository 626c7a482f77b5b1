"""
The context protocol of OpenTelemetry's GenAI utilities (``opentelemetry-util-genai``), spoken in both directions.

Whoever makes the span of a call leaves a place for data in the context; whoever stands inside makes none, and puts what
it knows there.  Inside of them we put ours, so that their span, metrics and events have it; around them (LiteLLM over
OpenAI's client) we take what our answer did not say.  Content is not passed on: they hand it to upload hooks, which no
redaction of ours stands before; where content is wanted, we write it on their span ourselves.  Nothing is done where
the package is not imported.

https://github.com/open-telemetry/opentelemetry-python-contrib/tree/main/util/opentelemetry-util-genai
"""

from __future__ import annotations

from typing import Any, Final

from ..model import Response, Usage
from ..patching import Patches
from ..shield import shield
from ._calls import Call
from ._engine import Engine

__all__ = ["speak_officially"]

_MODULE: Final = "opentelemetry.util.genai._inference_invocation"
_PLACES: Final = ("opentelemetry.genai.client.inference.context", "opentelemetry.genai.client.embedding.context")


def speak_officially(engine: Engine, patches: Patches) -> None:
    """Speak the protocol as soon as somebody imports the package."""

    def begin(_: object) -> None:
        engine.heed = _take
        engine.listeners.append(_give)

    patches.on_import(_MODULE, begin)


def _data(call: Call) -> Any:
    """The place for this call's data in the context that its client works in, if there is one."""
    place = _PLACES[call.endpoint.operation == "embeddings"]
    return call.context.get(place)


def _give(call: Call) -> None:
    """Tell whoever made the call's span what we know."""
    if call.theirs is None or (data := _data(call)) is None:
        return
    with shield("telling the call's owner"):
        response, request, usage = call.response or Response(), call.request, (call.response or Response()).usage
        known = {
            "provider_name": call.peer.provider, "request_model": request.model, "server_address": call.peer.address,
            "server_port": call.peer.port, "request_stream": request.stream or None, "response_id": response.id,
            "response_model": response.model,
            "response_finish_reasons": list(map(str, response.finish_reasons)) or None,
            "usage_input_tokens": usage.input, "usage_output_tokens": usage.output,
            "usage_cache_read_input_tokens": usage.cache_read, "usage_cache_write_input_tokens": usage.cache_write,
            "usage_reasoning_output_tokens": usage.reasoning, "response_time_to_first_chunk": call.first_chunk,
        }  # fmt: skip
        for name, value in known.items():
            if value is not None and hasattr(data, name):
                setattr(data, name, value)


def _take(call: Call, response: Response) -> None:
    """Learn what those inside of our call were told, where its own answer did not say."""
    if call.theirs is not None or (data := _data(call)) is None:
        return
    with shield("reading what others know"):
        said = vars(data).get
        response.id = response.id or said("response_id")
        response.model = response.model or said("response_model")
        response.finish_reasons = response.finish_reasons or list(said("response_finish_reasons") or ())
        if not response.usage.known and (into := said("usage_input_tokens")) is not None:
            read, write = said("usage_cache_read_input_tokens"), said("usage_cache_write_input_tokens")
            response.usage = Usage(
                into - (read or 0) - (write or 0), read, write, said("usage_output_tokens"),
                reasoning=said("usage_reasoning_output_tokens"),
            )  # fmt: skip
