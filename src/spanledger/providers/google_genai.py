"""
Gemini and Vertex AI with Google's client.

https://github.com/googleapis/python-genai

The choke point is the transport: it takes JSON and gives JSON, whole or piece by piece.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from .. import semconv
from ..model import Draft, Message, Part, Request, Response, ToolResult, Usage, output_message
from ._adapter import Adapter, Endpoint, Found, Peer, Seam
from ._gemini_contents import content_parts, either, part_of, read_messages, read_tools, tool_call
from ._gemini_usage import read_usage
from ._interactions import INTERACTIONS
from ._peers import base_url, peers
from ._plain_calls import plain_call
from ._realtime import connections
from ._settings import Setting, choices, plain, put, read_settings, stops
from ._stainless import by_path, stainless
from ._wire import as_list, count, error_name, fields, index_of, text_part

__all__ = ["ADAPTER", "ROUTES"]


def _output_type(found: dict[str, Any], value: Any) -> None:
    if value == "application/json":
        found[semconv.OUTPUT_TYPE] = "json"


def _top_k(found: dict[str, Any], value: Any) -> None:
    if (whole := count(value)) is not None:  # the client makes it a float
        found[semconv.REQUEST_TOP_K] = whole


def _thinking(found: dict[str, Any], value: Any) -> None:
    put(found, semconv.REQUEST_REASONING_LEVEL, either(fields(value), "thinkingLevel", "thinking_level"))


SETTINGS: Final[Mapping[str, str | Setting]] = {
    "maxOutputTokens": semconv.REQUEST_MAX_TOKENS,
    "temperature": semconv.REQUEST_TEMPERATURE,
    "topP": semconv.REQUEST_TOP_P,
    "topK": _top_k,
    "frequencyPenalty": semconv.REQUEST_FREQUENCY_PENALTY,
    "presencePenalty": semconv.REQUEST_PRESENCE_PENALTY,
    "seed": semconv.REQUEST_SEED,
    "stopSequences": stops,
    "candidateCount": choices,
    "responseMimeType": _output_type,
    "thinkingConfig": _thinking,
}


def read_request(body: Any) -> Request:
    body = fields(body)
    request = Request(
        model=body.get("model"),
        stream=body.get("stream") is True,
        settings=read_settings(fields(body.get("generationConfig")), SETTINGS),
        system=body.get("systemInstruction"),
        tools=body.get("tools"),
    )
    for content in reversed(as_list(body.get("contents"))):
        said = fields(content)
        parts = [fields(part) for part in as_list(said.get("parts"))]
        if said.get("role") == "model":
            request.asked = [tool_call(fields(c)) for p in parts if (c := either(p, "functionCall", "function_call"))]
            break
        for part in reversed(parts):
            if answer := either(part, "functionResponse", "function_response"):
                found = fields(answer)
                request.results.append(ToolResult(found.get("id"), found.get("name"), found.get("response")))
    request.results.reverse()
    return request


def read_response(answer: Any, content: bool) -> Response:
    found = fields(answer)
    response = Response(
        id=found.get("responseId"), model=found.get("modelVersion"), usage=read_usage(found.get("usageMetadata"))
    )
    for candidate in as_list(found.get("candidates")):
        said = fields(candidate)
        reason = said.get("finishReason")
        if reason:
            response.finish_reasons.append(reason)
        parts = [fields(part) for part in as_list(fields(said.get("content")).get("parts"))]
        response.tool_calls += [tool_call(fields(c)) for p in parts if (c := p.get("functionCall"))]
        if content:
            response.messages.append(output_message([part_of(part) for part in parts], reason))
    if not response.finish_reasons and _blocked(found):
        response.finish_reasons = ["content_filter"]
    if error := found.get("error"):
        response.error = error_name(error)
    return response


def _blocked(found: Mapping[str, Any]) -> bool:
    return bool(fields(found.get("promptFeedback")).get("blockReason"))


def fold(draft: Draft, chunks: Sequence[Any]) -> None:
    for chunk in chunks:
        found = fields(chunk if isinstance(chunk, dict) else unpack(chunk))
        draft.id = found.get("responseId") or draft.id
        draft.model = found.get("modelVersion") or draft.model
        for candidate in as_list(found.get("candidates")):
            said = fields(candidate)
            index = index_of(said.get("index"))
            for part in as_list(fields(said.get("content")).get("parts")):
                _fold_part(draft, index, fields(part))
            if reason := said.get("finishReason"):
                draft.finish_reasons[index] = reason
        if usage := found.get("usageMetadata"):
            draft.usage = read_usage(usage)
        if _blocked(found):
            draft.finish_reasons.setdefault(0, "content_filter")
        if error := found.get("error"):
            draft.error = error_name(error)


def _fold_part(draft: Draft, index: int, part: Mapping[str, Any]) -> None:
    if isinstance(text := part.get("text"), str):
        (draft.reasoning(index) if part.get("thought") else draft.text(index)).append(text)
    elif call := part.get("functionCall"):
        found = tool_call(fields(call))
        if found.name:
            draft.tool_call(index, None, found.id, found.name, found.arguments)
    elif part:
        draft.part(index, None, part_of(part))


def unpack(result: Any) -> Any:
    """The JSON in what the transport returned: text in ``body``, or (older versions) the JSON itself."""
    body = getattr(result, "body", None)
    if isinstance(body, (str, bytes)):
        try:
            return json.loads(body) if body else {}
        except ValueError:  # the client will stumble over it after us
            return {"error": {"code": "invalid_json"}}
    return result


def _read_embed_request(body: Any) -> Request:
    body = fields(body)
    first = fields(next(iter(as_list(body.get("requests"))), None))
    said = {**fields(body.get("parameters")), **first, **body}
    return Request(model=body.get("model"), settings=read_settings(said, _EMBED_SETTINGS))


_EMBED_SETTINGS: Final[Mapping[str, str | Setting]] = {
    "outputDimensionality": semconv.EMBEDDING_DIMENSIONS,
    "embedContentConfig": plain(semconv.EMBEDDING_DIMENSIONS, "outputDimensionality"),
}


def _read_embed_messages(body: Any) -> tuple[list[Part], list[Message]]:
    body = fields(body)
    asked = as_list(body.get("requests")) or as_list(body.get("instances")) or [body]
    contents = [content_parts(fields(one).get("content")) for one in asked]
    return [], [{"role": "user", "parts": parts} for parts in contents if parts]


def _read_embed_response(answer: Any, content: bool) -> Response:  # noqa: ARG001
    found = fields(answer)
    response = Response(usage=read_usage(found.get("usageMetadata")))
    vectors = [fields(one) for one in as_list(found.get("embeddings")) or as_list(found.get("embedding"))]
    for prediction in as_list(found.get("predictions")):  # Vertex
        vectors.append(vector := fields(fields(prediction).get("embeddings")))
        if (tokens := count(fields(vector.get("statistics")).get("token_count"))) is not None:
            response.usage = Usage((response.usage.uncached or 0) + tokens)
    values = vectors[0].get("values") if vectors else None
    if isinstance(values, list):
        response.extra[semconv.EMBEDDING_DIMENSIONS] = len(values)
    return response


def _read_nothing(answer: Any, content: bool) -> Response:  # noqa: ARG001
    return Response()


def _read_images(body: Any) -> tuple[list[Part], list[Message]]:
    prompts = [fields(one).get("prompt") for one in as_list(fields(body).get("instances"))]
    return [], [{"role": "user", "parts": [text_part(prompt)]} for prompt in prompts if isinstance(prompt, str)]


GENERATE: Final = Endpoint("generate_content", read_request, read_response, fold, read_messages, read_tools)
EMBED: Final = Endpoint("embeddings", _read_embed_request, _read_embed_response, read_messages=_read_embed_messages)
COUNT: Final = Endpoint("count_tokens", read_request, _read_nothing, read_messages=read_messages, inference=False)
IMAGES: Final = Endpoint(
    "image_generation",
    read_request,
    _read_nothing,
    read_messages=_read_images,
    attributes={semconv.OUTPUT_TYPE: "image"},
)

ROUTES: Final[Mapping[str, Endpoint]] = {
    "generateContent": GENERATE,
    "streamGenerateContent": GENERATE,
    "embedContent": EMBED,
    "batchEmbedContents": EMBED,
    "predict": EMBED,
    "predictLongRunning": plain_call("video_generation", "video"),
    "batchGenerateContent": plain_call("batch"),
    "asyncBatchEmbedContent": plain_call("batch"),
    "countTokens": COUNT,
    "computeTokens": COUNT,
}

_PATH, _BODY, _OPTIONS = 1, 2, 3  # request(http_method, path, request_dict, http_options)


def _recognize(client: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Found | None:
    path = args[_PATH] if len(args) > _PATH else kwargs.get("path")
    if not isinstance(path, str) or ":" not in path:
        return None
    before, _, operation = path.partition("?")[0].rpartition(":")
    endpoint = ROUTES.get(operation)
    if endpoint is None:
        return None
    sent = args[_BODY] if len(args) > _BODY else kwargs.get("request_dict")
    options = args[_OPTIONS] if len(args) > _OPTIONS else kwargs.get("http_options")
    body = dict(_merged(fields(sent), fields(fields(options).get("extra_body"))))
    body["model"] = before.rpartition("models/")[2]
    if operation.startswith("stream"):
        body["stream"] = True
    if endpoint is EMBED and "prompt" in fields(next(iter(as_list(body.get("instances"))), None)):
        endpoint = IMAGES
    return Found(endpoint, body, _peer(client))


def _merged(body: Mapping[str, Any], extra: Mapping[str, Any]) -> Mapping[str, Any]:
    if not extra:
        return body
    nested = {k: _merged(fields(body.get(k)), v) for k, v in extra.items() if isinstance(v, Mapping)}
    return {**body, **extra, **nested}


def _provider(client: Any) -> str:
    return "gcp.vertex_ai" if getattr(client, "vertexai", False) else "gcp.gemini"


def _base_url(client: Any) -> Any:
    read = getattr(client, "get_read_only_http_options", None)
    return fields(read()).get("base_url") if callable(read) else None


_peer = peers(_provider, of=_base_url, fixed=True)
_interactions_peer = peers(lambda _: "gcp.gemini", of=base_url)


def _peer_of_live(live: Any) -> Peer:
    return _peer(live._api_client)  # noqa: SLF001


def _recognize_interaction(client: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Found | None:
    return None if args else Found(INTERACTIONS, kwargs, _interactions_peer(client))


ADAPTER: Final = Adapter(
    package="google.genai",
    distribution="google-genai",
    oldest="1.20",
    seams=(
        Seam("google.genai._api_client", "BaseApiClient.request", "BaseApiClient.async_request", _recognize, unpack),
        Seam(
            "google.genai._api_client",
            "BaseApiClient.request_streamed",
            "BaseApiClient.async_request_streamed",
            _recognize,
            unpack,
        ),
        Seam(
            "google.genai._gaos.google_genai",
            "GeminiNextGenInteractions.create",
            "AsyncGeminiNextGenInteractions.create",
            _recognize_interaction,
        ),
        # the same API in older versions
        stainless("google.genai._interactions", by_path({"/interactions": INTERACTIONS}), _interactions_peer),
        *connections("google.genai.live", "AsyncLive.connect", _peer_of_live),
        *connections("google.genai.live_music", "AsyncLiveMusic.connect", _peer_of_live),
    ),
    unseen="what is said in live sessions, tuning, batch jobs on Vertex AI",
)
