"""
Ollama with its own client, on this machine or on its makers'.

https://github.com/ollama/ollama-python, https://docs.ollama.com/api
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from .. import semconv
from ..model import Draft, Message, Part, Request, Response, Usage, output_message
from ._adapter import Adapter, Endpoint, Found, Seam
from ._chat_completions import CHAT_ALIKE, SETTINGS
from ._chat_messages import message_parts, tool_calls
from ._content_parts import read_prompt
from ._peers import peers
from ._plain_calls import plain_call
from ._settings import Setting, put, read_settings
from ._wire import as_list, count, fields, media, text_of

__all__ = ["ADAPTER", "ROUTES"]

_OPTIONS: Final[Mapping[str, str | Setting]] = {**SETTINGS, "num_predict": semconv.REQUEST_MAX_TOKENS}


def _read_request(body: Any) -> Request:
    request = CHAT_ALIKE.read_request(body)
    found = fields(body)
    request.settings = read_settings(fields(found.get("options")), _OPTIONS)
    if found.get("format"):
        request.settings[semconv.OUTPUT_TYPE] = "json"
    put(request.settings, semconv.REQUEST_REASONING_LEVEL, _level(found.get("think")))
    request.system = request.system or found.get("system")
    return request


def _level(think: Any) -> str | None:
    return think if isinstance(think, str) else None


def _read_messages(body: Any) -> tuple[list[Part], list[Message]]:
    system, messages = CHAT_ALIKE.read_messages(body)
    for message, sent in zip(messages, as_list(fields(body).get("messages")), strict=False):
        message["parts"] += _images(sent)
    return system, messages


def _images(sent: Any) -> list[Part]:
    return [media(fields(i).get("value", i), "image", "image/png") for i in as_list(fields(sent).get("images"))]


def _read_prompts(body: Any) -> tuple[list[Part], list[Message]]:
    found = fields(body)
    prompt = read_prompt(found.get("prompt") or found.get("input")) + _images(found)
    return read_prompt(found.get("system")), [{"role": "user", "parts": prompt}] if prompt else []


def _usage(found: Mapping[str, Any]) -> Usage:
    return Usage(count(found.get("prompt_eval_count")), output=count(found.get("eval_count")))


def _message(found: Mapping[str, Any]) -> Mapping[str, Any]:
    message = fields(found.get("message")) or {"content": found.get("response"), "thinking": found.get("thinking")}
    return {**message, "reasoning": message.get("thinking")}


def _read_response(answer: Any, content: bool) -> Response:
    found = fields(answer)
    message, reason = _message(found), found.get("done_reason")
    calls = tool_calls(message)
    response = Response(None, found.get("model"), [reason] if reason else [], _usage(found), calls)
    if content:
        response.messages = [output_message(message_parts(message, calls), reason)]
    return response


def _fold(draft: Draft, chunk: Any) -> None:
    found = fields(chunk)
    message = _message(found)
    draft.model = draft.model or found.get("model")
    if thought := text_of(message.get("reasoning")):
        draft.reasoning(0).append(thought)
    if text := text_of(message.get("content")):
        draft.text(0).append(text)
    for call in tool_calls(message):
        draft.tool_call(0, None, call.id, call.name, call.arguments)
    if reason := found.get("done_reason"):
        draft.finish_reasons[0] = reason
    if (usage := _usage(found)).known:
        draft.usage = usage


def _read_vectors(answer: Any, content: bool) -> Response:  # noqa: ARG001
    found = fields(answer)
    response = Response(None, found.get("model"), usage=_usage(found))
    vectors = found.get("embeddings")
    first = found.get("embedding") if vectors is None else next(iter(as_list(vectors)), None)
    if isinstance(first, (list, tuple)):
        response.extra[semconv.EMBEDDING_DIMENSIONS] = len(first)
    return response


CHAT: Final = replace(
    CHAT_ALIKE, read_request=_read_request, read_response=_read_response, fold=_fold, read_messages=_read_messages
)
GENERATE: Final = Endpoint("text_completion", _read_request, _read_response, _fold, _read_prompts)
EMBED: Final = Endpoint("embeddings", _read_request, _read_vectors, read_messages=_read_prompts)

ROUTES: Final[Mapping[str, Endpoint]] = {
    "/api/chat": CHAT,
    "/api/generate": GENERATE,
    "/api/embed": EMBED,
    "/api/embeddings": EMBED,
    "/v1/systemone": plain_call("systemone"),
    "https://ollama.com/api/web_search": plain_call("web_search", inference=False),
    "https://ollama.com/api/web_fetch": plain_call("web_fetch", inference=False),
}

_peer = peers(lambda _: "ollama", of=lambda client: getattr(getattr(client, "_client", None), "base_url", None))


_PATH: Final = 2
"""Where the path stands among what ``_request`` gets: a class, a method, it."""


def _recognize(client: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Found | None:
    path = args[_PATH] if len(args) > _PATH else None
    endpoint = ROUTES.get(path) if isinstance(path, str) else None
    return None if endpoint is None else Found(endpoint, fields(kwargs.get("json")), _peer(client))


ADAPTER: Final = Adapter(
    package="ollama",
    distribution="ollama",
    oldest="0.4",
    seams=(Seam("ollama._client", "Client._request", "AsyncClient._request", _recognize),),
)
