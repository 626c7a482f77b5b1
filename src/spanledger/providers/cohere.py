"""
Cohere with its own client, versions 1 and 2 of its API.

https://github.com/cohere-ai/cohere-python

The public clients hand over to a raw client for each version, where whole answers, streams and raw responses meet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from .. import semconv
from ..model import Request, Response
from ._adapter import Adapter, Endpoint, Seam
from ._cohere_chat import CHAT_V2, read_tokens
from ._cohere_chat_v1 import CHAT_V1
from ._methods import methods
from ._peers import peers
from ._plain_calls import plain_call
from ._wire import as_list, fields

__all__ = ["ADAPTER", "EMBED"]


def _read_embed_request(body: Any) -> Request:
    found = fields(body)
    settings: dict[str, Any] = {}
    if isinstance(size := found.get("output_dimension"), int):
        settings[semconv.EMBEDDING_DIMENSIONS] = size
    if kinds := [kind for kind in as_list(found.get("embedding_types")) if isinstance(kind, str)]:
        settings[semconv.REQUEST_ENCODING_FORMATS] = kinds
    return Request(model=found.get("model"), settings=settings)


def _read_metered(answer: Any, content: bool) -> Response:  # noqa: ARG001
    found = fields(answer)
    return Response(id=found.get("id"), usage=read_tokens(fields(found.get("meta"))))


def _read_embed_response(answer: Any, content: bool) -> Response:
    response = _read_metered(answer, content)
    vectors = fields(answer).get("embeddings")
    if not isinstance(vectors, list):  # by type
        kinds = fields(vectors)
        vectors = kinds.get("float") or kinds.get("float_") or kinds.get("int8") or kinds.get("uint8")
    first = next(iter(as_list(vectors)), None)
    if isinstance(first, list):
        response.extra[semconv.EMBEDDING_DIMENSIONS] = len(first)
    return response


def _metered(operation: str) -> Endpoint:
    return Endpoint(operation, plain_call(operation).read_request, _read_metered)


EMBED: Final = Endpoint("embeddings", _read_embed_request, _read_embed_response)
_V1: Final = {"chat": CHAT_V1, "embed": EMBED, "rerank": _metered("rerank"), "generate": _metered("text_completion"),
              "classify": _metered("classify"), "summarize": _metered("summarize")}  # fmt: skip
_V2: Final = {"chat": CHAT_V2, "embed": EMBED, "rerank": _metered("rerank"), "parse": _metered("parse")}

_peer = peers(lambda _: "cohere", of=lambda raw: raw._client_wrapper.get_base_url(), fixed=True)  # noqa: SLF001


def _unpack(result: Any) -> Any:
    return getattr(result, "data", result)


def _stream(result: Any) -> tuple[Any, str] | None:
    found = vars(result)
    kind = type(found.get("_data"))
    return (found, "_data") if hasattr(kind, "__next__") or hasattr(kind, "__anext__") else None


def _seams(module: str, name: str, table: Mapping[str, Endpoint]) -> Iterator[Seam]:
    for method, endpoint in table.items():
        both = {f"{name}.{method}|Async{name}.{method}": endpoint}
        yield from methods(module, both, _peer, unpack=_unpack, optional=method == "parse")
    for kind in (name, f"Async{name}"):
        # a manager in both forms, made without waiting
        yield from methods(module, {f"{kind}.chat_stream|": table["chat"]}, _peer, streams=True, inside=_stream)


ADAPTER: Final = Adapter(
    package="cohere",
    distribution="cohere",
    oldest="5.21",
    seams=(
        *_seams("cohere.raw_base_client", "RawBaseCohere", _V1),
        *_seams("cohere.v2.raw_client", "RawV2Client", _V2),
        *methods(
            "cohere.audio.transcriptions.raw_client",
            {"RawTranscriptionsClient.create|AsyncRawTranscriptionsClient.create": plain_call("transcription")},
            _peer,
            unpack=_unpack,
        ),
        *methods(
            "cohere.embed_jobs.raw_client",
            {"RawEmbedJobsClient.create|AsyncRawEmbedJobsClient.create": plain_call("batch")},
            _peer,
            unpack=_unpack,
        ),
        *methods(
            "cohere.batches.raw_client",
            {"RawBatchesClient.create|AsyncRawBatchesClient.create": plain_call("batch")},
            _peer,
            unpack=_unpack,
        ),
    ),
    unseen="generate_stream (withdrawn), fine-tuning; its clients for Bedrock and SageMaker count as Cohere's",
)
