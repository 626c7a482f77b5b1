"""
xAI with its own client, which speaks gRPC.

https://github.com/xai-org/xai-sdk-python

What is sent and what comes back are protocol buffers, read here by their fields.  The client makes spans of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Final

from ._adapter import Adapter, Endpoint, Found, Peer, Seam
from ._methods import methods
from ._plain_calls import plain_call
from ._xai_protos import CHAT

__all__ = ["ADAPTER"]


_MODULES: Final = ("chat", "image", "video", "batch")
_PEER: Final = Peer("x_ai", "api.x.ai", 443)


def _chat_seam(module: str, method: str, *, whole: bool) -> Seam:
    def recognize(chat: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Found:  # noqa: ARG001
        return Found(CHAT, {"proto": chat._proto, "stream": not whole}, _PEER)  # noqa: SLF001

    awaited = whole and ".aio." in module
    return Seam(module, None if awaited else f"Chat.{method}", f"Chat.{method}" if awaited else None, recognize)


def _media(module: str, table: Mapping[str, Endpoint]) -> list[Seam]:
    found: list[Seam] = []
    for method, endpoint in table.items():
        found += methods(f"xai_sdk.sync.{module}", {f"Client.{method}|": endpoint}, lambda _: _PEER, optional=True)
        found += methods(f"xai_sdk.aio.{module}", {f"|Client.{method}": endpoint}, lambda _: _PEER, optional=True)
    return found


def _speaks_otel(chat: Any) -> Any:
    tracer = getattr(sys.modules.get(type(chat).__module__), "tracer", None)
    return None if type(tracer).__name__ == "NoOpTracer" else tracer


ADAPTER: Final = Adapter(
    package="xai_sdk",
    distribution="xai-sdk",
    oldest="1.21",
    seams=(
        *(
            _chat_seam(f"xai_sdk.{form}.chat", method, whole=whole)
            for form in ("sync", "aio")
            for whole, names in ((True, ("sample", "sample_batch", "parse", "defer", "defer_batch")),
                                 (False, ("stream", "stream_batch")))
            for method in names
        ),
        *_media("image", dict.fromkeys(("sample", "sample_batch"), plain_call("image_generation", "image"))),
        *_media("video", dict.fromkeys(("start", "extend_start"), plain_call("video_generation", "video"))),
        *_media("batch", {"create": plain_call("batch")}),
        *_media("chat", {"compact_context": plain_call("compaction")}),
    ),
    speaks_otel=_speaks_otel,
    quiet=("XAI_SDK_DISABLE_TRACING", "1"),
    voices=tuple(f"xai_sdk.{form}.{module}:tracer" for form in ("sync", "aio") for module in _MODULES),
    unseen="a chat's own compaction, collections' search",
)  # fmt: skip
