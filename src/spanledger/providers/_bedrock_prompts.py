"""
Bodies of models that take a prompt and give text or vectors: Amazon's, Meta's, Mistral's, AI21's.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .. import semconv
from ..model import Draft, Message, Part, Request, Response, Usage, output_message
from ._content_parts import read_prompt
from ._settings import Setting, read_settings, stops
from ._wire import as_list, count, fields, index_of, text_of

__all__ = ["fold", "read_prompt_of", "read_request", "read_response", "read_vectors"]


_SETTINGS: Final[Mapping[str, str | Setting]] = {
    **dict.fromkeys(("max_tokens", "max_gen_len", "maxTokenCount", "max_tokens_to_sample"), semconv.REQUEST_MAX_TOKENS),
    "temperature": semconv.REQUEST_TEMPERATURE,
    **dict.fromkeys(("top_p", "topP", "p"), semconv.REQUEST_TOP_P),
    **dict.fromkeys(("top_k", "k"), semconv.REQUEST_TOP_K),
    **dict.fromkeys(("stop", "stopSequences", "stop_sequences"), stops),
    **dict.fromkeys(("dimensions", "output_dimension"), semconv.EMBEDDING_DIMENSIONS),
}


def read_request(body: Any) -> Request:
    found = fields(body)
    settings = read_settings({**found, **fields(found.get("textGenerationConfig"))}, _SETTINGS)
    return Request(model=found.get("modelId"), stream=found.get("stream") is True, settings=settings)


def read_prompt_of(body: Any) -> tuple[list[Part], list[Message]]:
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


def read_response(answer: Any, content: bool) -> Response:
    found = fields(answer)
    answers = _answers(found)
    counts = [tokens for _, _, tokens in answers if tokens is not None]
    response = Response(usage=_tokens(found, sum(counts) if counts else None))
    response.finish_reasons = [reason for _, reason, _ in answers if reason]
    if content:
        response.messages = [output_message(read_prompt(text), reason) for text, reason, _ in answers if text]
    return response


def fold(draft: Draft, chunk: Any) -> None:
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


def read_vectors(answer: Any, content: bool) -> Response:  # noqa: ARG001
    found = fields(answer)
    response = Response(usage=_tokens(found, None))
    several = found.get("embeddings")
    if isinstance(several, Mapping):  # by type
        several = next((vectors for vectors in several.values() if vectors), None)
    first = found.get("embedding") or next(iter(as_list(several)), None)
    if isinstance(first, list):
        response.extra[semconv.EMBEDDING_DIMENSIONS] = len(first)
    return response
