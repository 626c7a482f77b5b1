"""
IBM watsonx with its own client.

https://ibm.github.io/watsonx-ai-python-sdk/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from .. import semconv
from ..model import Draft, Message, Part, Request, Response, Usage, output_message
from ._adapter import Adapter, Endpoint, Seam, dig
from ._chat_completions import CHAT_ALIKE
from ._content_parts import read_prompt
from ._methods import methods
from ._peers import peers
from ._plain_calls import plain_call
from ._settings import SAMPLING, Setting, read_settings, stops
from ._wire import as_list, count, fields, text_of

__all__ = ["ADAPTER", "CHAT", "GENERATE"]

_SETTINGS: Final[Mapping[str, str | Setting]] = {
    "max_new_tokens": semconv.REQUEST_MAX_TOKENS,
    **SAMPLING,
    "random_seed": semconv.REQUEST_SEED,
    "stop_sequences": stops,
}


def _read_chat(body: Any) -> Request:
    found = fields(body)
    return CHAT_ALIKE.read_request({**fields(found.get("params")), **found})


def _read_request(body: Any) -> Request:
    found = fields(body)
    settings = read_settings(fields(found.get("params")), _SETTINGS)
    return Request(found.get("model"), found.get("stream") is True, settings)


def _read_prompts(body: Any) -> tuple[list[Part], list[Message]]:
    return [], [{"role": "user", "parts": [part]} for part in read_prompt(fields(body).get("prompt"))]


def _read_response(answer: Any, content: bool) -> Response:
    response = Response()
    for one in as_list(answer):  # one for each prompt
        found = fields(one)
        response.model = found.get("model_id") or response.model
        for result in map(fields, as_list(found.get("results"))):
            reason = str(result.get("stop_reason") or "") or None
            response.finish_reasons += [reason] if reason else []
            into, out = count(result.get("input_token_count")), count(result.get("generated_token_count"))
            usage = response.usage
            if into is not None or out is not None:
                response.usage = Usage((usage.uncached or 0) + (into or 0), output=(usage.output or 0) + (out or 0))
            if content:
                response.messages.append(output_message(read_prompt(result.get("generated_text")), reason))
    return response


def _more(before: int | None, now: int | None) -> int | None:
    return max(before or 0, now or 0) if before is not None or now is not None else None


def _fold(draft: Draft, chunk: Any) -> None:
    if isinstance(chunk, str):
        draft.text(0).append(chunk)
        return
    response = _read_response(chunk, content=False)
    draft.model = draft.model or response.model
    for result in map(fields, as_list(fields(chunk).get("results"))):
        draft.text(0).append(text_of(result.get("generated_text")))
    if response.usage.known:  # what was put in stands on the first chunk alone, what came out is a running total
        before, now = draft.usage or Usage(), response.usage
        draft.usage = Usage(_more(before.uncached, now.uncached), output=_more(before.output, now.output))
    if response.finish_reasons and response.finish_reasons[0].lower() != "not_finished":
        draft.finish_reasons[0] = response.finish_reasons[0]


CHAT: Final = replace(CHAT_ALIKE, read_request=_read_chat)
GENERATE: Final = Endpoint("text_completion", _read_request, _read_response, _fold, _read_prompts)

_peer = peers(lambda _: "ibm.watsonx.ai", of=lambda made: dig(made, "_client", "credentials", "url"))


def _model(made: Any) -> Mapping[str, Any]:
    return {"model": dig(made, "_inference", "model_id") or dig(made, "model_id")}


def _seams(place: str, table: Mapping[str, Endpoint], *positional: str, streams: bool = False) -> tuple[Seam, ...]:
    module = f"ibm_watsonx_ai.foundation_models.{place}"
    return tuple(methods(module, table, _peer, positional=positional, streams=streams, given=_model, optional=True))


_INFERENCE: Final = "inference.model_inference"
_SAID: Final = ("messages", "params", "tools")

ADAPTER: Final = Adapter(
    package="ibm_watsonx_ai",
    distribution="ibm-watsonx-ai",
    oldest="1.8",
    seams=(
        *_seams(_INFERENCE, {"ModelInference.chat|ModelInference.achat": CHAT}, *_SAID),
        *_seams(_INFERENCE, {"ModelInference.chat_stream|ModelInference.achat_stream": CHAT}, *_SAID, streams=True),
        *_seams(_INFERENCE, {"ModelInference.generate|ModelInference.agenerate": GENERATE}, "prompt", "params"),
        *_seams(_INFERENCE, {"ModelInference.generate_text_stream|": GENERATE}, "prompt", "params", streams=True),
        *_seams(_INFERENCE, {"|ModelInference.agenerate_stream": GENERATE}, "prompt", "params", streams=True),
        *_seams("embeddings.embeddings", {"Embeddings.generate|Embeddings.agenerate": plain_call("embeddings")}),
        *_seams("rerank.rerank", {"Rerank.generate|Rerank.agenerate": plain_call("rerank")}),
    ),
    unseen="tuning, batch inference, time series, deployments' own runs",
)
