"""
Mistral with its own client, versions 1 to 3, on its own servers, on Azure and on Google's cloud.

https://github.com/mistralai/client-python
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from ..model import Message, Part, Request
from ._adapter import Adapter, Endpoint, Seam
from ._chat_completions import CHAT_ALIKE, COMPLETIONS
from ._embeddings import EMBEDDINGS
from ._methods import methods
from ._openai_media import TRANSCRIPTIONS
from ._peers import HOSTS, peers
from ._plain_calls import plain_call
from ._responses import RESPONSES
from ._wire import fields

__all__ = ["ADAPTER"]


def _for_agent(body: Any) -> Request:
    request = CHAT_ALIKE.read_request(body)
    request.model = None  # the agent's, which only the server knows
    return request


def _inputs(body: Any) -> tuple[list[Part], list[Message]]:
    found = fields(body)
    return EMBEDDINGS.read_messages({"input": found.get("inputs")})


_AGENT: Final = replace(CHAT_ALIKE, read_request=_for_agent)
_CONVERSATION: Final = plain_call("conversation")


def _base_url(resource: Any) -> str:
    url, variables = resource.sdk_configuration.get_server_details()
    return str(url).format(**fields(variables))


def _tables(prefix: str, name: str) -> Iterator[Seam]:
    def own_name(resource: Any) -> str:  # noqa: ARG001
        return name

    peer = peers(own_name, of=_base_url, fixed=True, hosts=HOSTS if name == "mistral_ai" else ())
    whole: dict[str, dict[str, Endpoint]] = {
        "chat:Chat": {"complete": CHAT_ALIKE},
        "fim:Fim": {"complete": COMPLETIONS},
        "agents:Agents": {"complete": _AGENT},
        "embeddings:Embeddings": {"create": replace(EMBEDDINGS, read_messages=_inputs)},
        "classifiers:Classifiers": dict.fromkeys(
            ("moderate", "moderate_chat", "classify", "classify_chat"), plain_call("moderation", inference=False)
        ),
        "ocr:Ocr": {"process": plain_call("ocr")},
        "transcriptions:Transcriptions": {"complete": TRANSCRIPTIONS},
        "speech:Speech": {"complete": plain_call("speech", "speech")},
        "responses:Responses": {"create": RESPONSES},
        "conversations:Conversations": dict.fromkeys(("start", "append", "restart"), _CONVERSATION),
        "jobs:Jobs": {"create": plain_call("batch")},
        "mistral_jobs:MistralJobs": {"create": plain_call("batch")},
    }
    streaming: dict[str, dict[str, Endpoint]] = {
        "chat:Chat": {"stream": CHAT_ALIKE},
        "fim:Fim": {"stream": COMPLETIONS},
        "agents:Agents": {"stream": _AGENT},
        "transcriptions:Transcriptions": {"stream": TRANSCRIPTIONS},
        "conversations:Conversations": dict.fromkeys(
            ("start_stream", "append_stream", "restart_stream"), _CONVERSATION
        ),
    }
    for table, streams in ((whole, False), (streaming, True)):
        for place, operations in table.items():
            module, _, kind = place.partition(":")
            for method, endpoint in operations.items():
                both = {f"{kind}.{method}|{kind}.{method}_async": endpoint}
                yield from methods(f"{prefix}.{module}", both, peer, streams=streams, unpack=_event)


def _event(chunk: Any) -> Any:
    """What is in a stream's event; a whole answer is not in one."""
    return chunk.data if type(chunk).__name__ in _EVENTS else chunk


_EVENTS: Final = frozenset({"CompletionEvent", "ConversationEvents", "TranscriptionStreamEvents", "SpeechStreamEvents"})


_PLACES: Final = {
    **dict.fromkeys(("mistralai", "mistralai.client"), "mistral_ai"),  # the first of each two: version 1
    **dict.fromkeys(("mistralai_azure", "mistralai.azure.client"), "azure.ai.inference"),
    **dict.fromkeys(("mistralai_gcp", "mistralai.gcp.client"), "gcp.vertex_ai"),
}

ADAPTER: Final = Adapter(
    package="mistralai",
    distribution="mistralai",
    oldest="1.12",
    seams=tuple(seam for place, name in _PLACES.items() for seam in _tables(place, name)),
    unseen="realtime audio, workflows, fine-tuning",
)
