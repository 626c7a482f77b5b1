"""
Hugging Face's inference client, for its own servers and for those that it routes to.

https://huggingface.co/docs/huggingface_hub/package_reference/inference_client
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .. import semconv
from ..model import Draft, Message, Part, Request, Response, Usage, output_message
from ._adapter import Adapter, Endpoint
from ._chat_completions import CHAT_ALIKE
from ._content_parts import read_prompt
from ._methods import methods
from ._peers import peers
from ._plain_calls import plain_call
from ._settings import SAMPLING, Setting, read_settings, stops
from ._wire import count, fields, text_of

__all__ = ["ADAPTER", "GENERATE"]

_SETTINGS: Final[Mapping[str, str | Setting]] = {
    "max_new_tokens": semconv.REQUEST_MAX_TOKENS,
    **SAMPLING,
    "seed": semconv.REQUEST_SEED,
    "frequency_penalty": semconv.REQUEST_FREQUENCY_PENALTY,
    "stop": stops,
}


def _read_request(body: Any) -> Request:
    found = fields(body)
    return Request(found.get("model"), found.get("stream") is True, read_settings(found, _SETTINGS))


def _read_prompt(body: Any) -> tuple[list[Part], list[Message]]:
    return [], [{"role": "user", "parts": read_prompt(fields(body).get("prompt"))}]


def _read_response(answer: Any, content: bool) -> Response:
    found = {"generated_text": answer} if isinstance(answer, str) else fields(answer)
    details = fields(found.get("details"))
    reason = details.get("finish_reason")
    response = Response(finish_reasons=[reason] if reason else [], usage=_usage(details))
    if content:
        response.messages = [output_message(read_prompt(found.get("generated_text")), reason or "stop")]
    return response


def _usage(details: Mapping[str, Any]) -> Usage:
    prefill = details.get("prefill") or details.get("input_length")
    into = len(prefill) if isinstance(prefill, list) else count(prefill)
    return Usage(into, output=count(details.get("generated_tokens")))


def _fold(draft: Draft, chunk: Any) -> None:
    found = fields(chunk)
    text = chunk if isinstance(chunk, str) else text_of(fields(found.get("token")).get("text"))
    draft.text(0).append(text)
    if details := fields(found.get("details")):
        draft.finish_reasons[0] = str(details.get("finish_reason"))
        draft.usage = _usage(details)


GENERATE: Final = Endpoint("text_completion", _read_request, _read_response, _fold, _read_prompt)
_TASKS: Final[Mapping[str, tuple[str, Endpoint]]] = {
    "chat_completion": ("messages", CHAT_ALIKE),
    "text_generation": ("prompt", GENERATE),
    "feature_extraction": ("text", plain_call("embeddings")),
    "text_to_image": ("prompt", plain_call("image_generation", "image")),
    "image_to_image": ("image", plain_call("image_generation", "image")),
    "text_to_video": ("prompt", plain_call("video_generation", "video")),
    "image_to_video": ("image", plain_call("video_generation", "video")),
    "text_to_speech": ("text", plain_call("speech", "speech")),
    "automatic_speech_recognition": ("audio", plain_call("transcription")),
    **dict.fromkeys(
        (
            "audio_classification", "audio_to_audio", "document_question_answering", "fill_mask",
            "image_classification", "image_segmentation", "image_to_text", "object_detection", "question_answering",
            "sentence_similarity", "summarization", "table_question_answering", "tabular_classification",
            "tabular_regression", "text_classification", "token_classification", "translation",
            "visual_question_answering", "zero_shot_classification", "zero_shot_image_classification",
        ),
        ("", plain_call("inference")),
    ),
}  # fmt: skip

_peer = peers(lambda _: "huggingface", of=lambda client: getattr(client, "model", None))  # which may be a URL


def _model(client: Any) -> Mapping[str, Any]:
    model = getattr(client, "model", None)
    return {} if model is None or "://" in str(model) else {"model": model}


ADAPTER: Final = Adapter(
    package="huggingface_hub",
    distribution="huggingface_hub",
    oldest="1.33",
    seams=tuple(
        seam
        for module, client in (("_client", "InferenceClient"), ("_generated._async_client", "AsyncInferenceClient"))
        for task, (first, endpoint) in _TASKS.items()
        for seam in methods(
            f"huggingface_hub.inference.{module}",
            {f"|{client}.{task}" if client.startswith("Async") else f"{client}.{task}|": endpoint},
            _peer,
            positional=(first,) if first else (),
            given=_model,
            optional=True,
        )
    ),
    unseen="endpoints that are created or scaled",
)
