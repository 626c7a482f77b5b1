"""
The bodies that ``InvokeModel`` takes and gives: every maker's own, told apart by what is in them.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from .. import semconv
from ..model import Draft, Request, Response, Usage
from ._adapter import Endpoint, dig
from ._anthropic_messages import MESSAGES
from ._bedrock_prompts import fold, read_prompt_of, read_request, read_response, read_vectors
from ._chat_completions import CHAT_ALIKE
from ._cohere_chat_v1 import CHAT_V1
from ._converse import CONVERSE
from ._plain_calls import plain_call
from ._settings import put
from ._wire import as_list, count, fields

__all__ = ["beside", "endpoint_of", "metered"]

_BESIDE: Final = "amazon-bedrock-beside"
METRICS: Final = "amazon-bedrock-invocationMetrics"


def metered(endpoint: Endpoint) -> Endpoint:
    """*endpoint*, read from ``InvokeModel``: the model is in the call, and Bedrock counts where the body does not."""

    def read_request(body: Any) -> Request:
        request = endpoint.read_request(body)
        request.model = fields(body).get("modelId")
        _put_tier(request.settings, body, semconv.REQUEST_TIER, semconv.REQUEST_SPEED)
        return request

    def read_response(answer: Any, content: bool) -> Response:
        response = endpoint.read_response(answer, content)
        _put_tier(response.extra, answer, semconv.RESPONSE_TIER, semconv.RESPONSE_SPEED)
        if not response.usage.known:
            headers = fields(dig(answer, "ResponseMetadata", "HTTPHeaders"))
            response.usage = Usage(
                _number(headers.get("x-amzn-bedrock-input-token-count")),
                output=_number(headers.get("x-amzn-bedrock-output-token-count")),
            )
        return response

    def fold(draft: Draft, chunk: Any) -> None:
        endpoint.fold(draft, chunk)
        metrics = fields(fields(chunk).get(METRICS))
        if metrics:  # what Bedrock itself counts, which is not always what the model says
            usage = draft.usage = draft.usage or Usage()
            into, output = count(metrics.get("inputTokenCount")), count(metrics.get("outputTokenCount"))
            usage.uncached = usage.uncached if into is None else into
            usage.output = usage.output if output is None else output

    return replace(endpoint, read_request=read_request, read_response=read_response, fold=fold)


def beside(around: Mapping[str, Any]) -> dict[str, Any]:
    """What stands beside the maker's body, in a call and in its answer, and decides the price."""
    found = {key: word for key in ("serviceTier", "performanceConfigLatency") if (word := around.get(key))}
    return {_BESIDE: found} if found else {}


def _put_tier(into: dict[str, Any], body: Any, tier: str, speed: str) -> None:
    if said := fields(fields(body).get(_BESIDE)):
        put(into, tier, said.get("serviceTier"))
        put(into, speed, said.get("performanceConfigLatency"))


def _number(text: Any) -> int | None:
    return int(text) if isinstance(text, str) and text.isdigit() else None


def _renamed(answer: Any) -> dict[str, Any]:
    # Mistral's models have other names here for what a chunk brings and for why they stopped
    alike = []
    for choice in map(fields, as_list(fields(answer).get("choices"))):
        said = choice.get
        reason, delta = said("finish_reason") or said("stop_reason"), said("delta") or said("message")
        alike.append({**choice, "finish_reason": reason, "delta": delta})
    return {**fields(answer), "choices": alike}


_ALIKE: Final = replace(
    CHAT_ALIKE,
    read_response=lambda answer, content: CHAT_ALIKE.read_response(_renamed(answer), content),
    fold=lambda draft, chunk: CHAT_ALIKE.fold(draft, _renamed(chunk)),
)
_CLAUDE, _CONVERSE, _CHAT, _COHERE = map(metered, (MESSAGES, CONVERSE, _ALIKE, CHAT_V1))
_PROMPT: Final = metered(Endpoint("text_completion", read_request, read_response, fold, read_prompt_of))
_EMBED: Final = metered(Endpoint("embeddings", read_request, read_vectors, read_messages=read_prompt_of))
_RERANK: Final = metered(plain_call("rerank"))
_IMAGE: Final = metered(plain_call("image_generation", "image"))

_BY_KEY: Final[tuple[tuple[str, Endpoint], ...]] = (
    ("anthropic_version", _CLAUDE), ("inferenceConfig", _CONVERSE), ("schemaVersion", _CONVERSE),
    ("taskType", _IMAGE), ("text_prompts", _IMAGE), ("texts", _EMBED), ("input_type", _EMBED), ("query", _RERANK),
    ("message", _COHERE), ("textGenerationConfig", _PROMPT),
)  # fmt: skip


def endpoint_of(body: Mapping[str, Any], model: str) -> Endpoint:
    """How to read a *body* that is sent to *model*."""
    for key, endpoint in _BY_KEY:
        if key in body:
            return endpoint
    if "messages" in body:
        blocks = [block for m in as_list(body["messages"]) for block in as_list(fields(m).get("content"))]
        return _CONVERSE if blocks and all("type" not in fields(b) and fields(b) for b in blocks) else _CHAT
    if "embed" in model:
        return _EMBED
    return _IMAGE if any(word in model for word in ("image", "stability.", "canvas")) else _PROMPT
