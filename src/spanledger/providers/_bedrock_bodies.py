"""
The bodies that ``InvokeModel`` takes and gives: every maker's own, told apart by what is in them.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from .. import semconv
from ..model import Draft, Message, Part, Request, Response, Usage, output_message
from ._adapter import Endpoint, dig
from ._chat_completions import CHAT_ALIKE
from ._chat_messages import read_prompt
from ._cohere_chat_v1 import CHAT_V1
from ._converse import CONVERSE
from ._plain_calls import plain_call
from ._settings import Setting, read_settings, stops
from ._wire import as_list, count, fields, index_of, text_of
from .anthropic import MESSAGES

__all__ = ["endpoint_of", "metered"]

METRICS: Final = "amazon-bedrock-invocationMetrics"

_SETTINGS: Final[Mapping[str, str | Setting]] = {
    **dict.fromkeys(
        ("max_tokens", "max_gen_len", "maxTokenCount", "max_tokens_to_sample"), semconv.REQUEST_MAX_TOKENS
    ),
    "temperature": semconv.REQUEST_TEMPERATURE,
    **dict.fromkeys(("top_p", "topP", "p"), semconv.REQUEST_TOP_P),
    **dict.fromkeys(("top_k", "k"), semconv.REQUEST_TOP_K),
    **dict.fromkeys(("stop", "stopSequences", "stop_sequences"), stops),
    **dict.fromkeys(("dimensions", "output_dimension"), semconv.EMBEDDING_DIMENSIONS),
}


def _read_request(body: Any) -> Request:
    found = fields(body)
    settings = read_settings({**found, **fields(found.get("textGenerationConfig"))}, _SETTINGS)
    return Request(model=found.get("modelId"), stream=found.get("stream") is True, settings=settings)


def _read_prompt(body: Any) -> tuple[list[Part], list[Message]]:
    found = fields(body)
    parts = read_prompt(found.get("prompt") or found.get("inputText") or found.get("texts"))
    return [], [{"role": "user", "parts": parts}] if parts else []


def _answers(found: Mapping[str, Any]) -> list[tuple[str, str | None, int | None]]:
    """Text, reason to stop and tokens of each answer, whoever made it."""
    several = next((found[key] for key in ("results", "outputs", "generations", "choices") if found.get(key)), None)
    answers = []
    for answer in map(fields, as_list(several) or [found]):
        texts = (answer.get(key) for key in ("outputText", "text", "generation", "completion"))
        reasons = (answer.get(key) for key in ("completionReason", "stop_reason", "finish_reason"))
        reason = next((reason for reason in reasons if reason), None)
        answers.append((next((t for t in texts if isinstance(t, str)), ""), reason, count(answer.get("tokenCount"))))
    return answers


def _tokens(found: Mapping[str, Any], output: int | None) -> Usage:
    into = [count(found.get(key)) for key in ("inputTextTokenCount", "prompt_token_count")]
    out = [output, *(count(found.get(key)) for key in ("totalOutputTextTokenCount", "generation_token_count"))]
    usage = Usage(next((n for n in into if n is not None), None))
    usage.output = next((n for n in out if n is not None), None)
    return usage


def _read_response(answer: Any, content: bool) -> Response:
    found = fields(answer)
    answers = _answers(found)
    counts = [tokens for _, _, tokens in answers if tokens is not None]
    response = Response(usage=_tokens(found, sum(counts) if counts else None))
    response.finish_reasons = [reason for _, reason, _ in answers if reason]
    if content:
        response.messages = [output_message(read_prompt(text), reason) for text, reason, _ in answers if text]
    return response


def _fold(draft: Draft, chunks: Sequence[Any]) -> None:
    for chunk in chunks:
        found = fields(chunk)
        for text, reason, _ in _answers(found):
            index = index_of(found.get("index"))
            if text_of(text):
                draft.text(index).append(text)
            if reason:
                draft.finish_reasons[index] = reason
        if (usage := _tokens(found, None)).known:
            before = draft.usage or Usage()
            draft.usage = Usage(
                before.uncached if usage.uncached is None else usage.uncached,
                output=before.output if usage.output is None else usage.output,
            )


def _read_vectors(answer: Any, content: bool) -> Response:  # noqa: ARG001
    found = fields(answer)
    response = Response(usage=_tokens(found, None))
    several = found.get("embeddings")
    first = found.get("embedding") or dig(several, 0) if isinstance(several, (list, type(None))) else None
    if isinstance(first, list):
        response.extra[semconv.EMBEDDING_DIMENSIONS] = len(first)
    return response


def metered(endpoint: Endpoint) -> Endpoint:
    """*endpoint*, read from ``InvokeModel``: the model is in the call, and Bedrock counts where the body does not."""

    def read_request(body: Any) -> Request:
        request = endpoint.read_request(body)
        request.model = fields(body).get("modelId")
        return request

    def read_response(answer: Any, content: bool) -> Response:
        response = endpoint.read_response(answer, content)
        if not response.usage.known:
            headers = fields(dig(answer, "ResponseMetadata", "HTTPHeaders"))
            response.usage = Usage(
                _number(headers.get("x-amzn-bedrock-input-token-count")),
                output=_number(headers.get("x-amzn-bedrock-output-token-count")),
            )
        return response

    def fold(draft: Draft, chunks: Sequence[Any]) -> None:
        endpoint.fold(draft, chunks)
        metrics = fields(fields(chunks[-1]).get(METRICS)) if chunks else {}
        if metrics:  # what Bedrock itself counts, which is not always what the model says
            usage = draft.usage = draft.usage or Usage()
            into, output = count(metrics.get("inputTokenCount")), count(metrics.get("outputTokenCount"))
            usage.uncached = usage.uncached if into is None else into
            usage.output = usage.output if output is None else output

    return replace(endpoint, read_request=read_request, read_response=read_response, fold=fold)


def _number(text: Any) -> int | None:
    return int(text) if isinstance(text, str) and text.isdigit() else None


_CLAUDE, _CONVERSE, _CHAT, _COHERE = map(metered, (MESSAGES, CONVERSE, CHAT_ALIKE, CHAT_V1))
_PROMPT: Final = metered(Endpoint("text_completion", _read_request, _read_response, _fold, _read_prompt))
_EMBED: Final = metered(Endpoint("embeddings", _read_request, _read_vectors, read_messages=_read_prompt))
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
