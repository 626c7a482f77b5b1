"""
Amazon Bedrock with botocore, which boto3 stands on, and with aiobotocore.

https://boto3.amazonaws.com/v1/documentation/api/latest/reference/services/bedrock-runtime.html

Every call of every service goes through one method, so what is none of our business must be told quickly.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from ._adapter import Adapter, Endpoint, Found, Peer, Seam, dig
from ._bedrock_bodies import beside, endpoint_of
from ._converse import CONVERSE
from ._peers import peers
from ._plain_calls import plain_call
from ._wire import fields

__all__ = ["ADAPTER", "OPERATIONS"]

_INVOKE: Final = plain_call("invoke")
"""Stands for a body that has yet to be looked at."""

OPERATIONS: Final[Mapping[str, Endpoint]] = {
    "Converse": CONVERSE,
    "ConverseStream": CONVERSE,
    "InvokeModel": _INVOKE,
    "InvokeModelWithResponseStream": _INVOKE,
    "CountTokens": plain_call("count_tokens", inference=False),
    "ApplyGuardrail": plain_call("apply_guardrail", inference=False),
    "StartAsyncInvoke": plain_call("video_generation", "video"),
    "CreateModelInvocationJob": plain_call("batch"),
    "Rerank": plain_call("rerank"),
    "RetrieveAndGenerate": plain_call("retrieve_and_generate"),
    "RetrieveAndGenerateStream": plain_call("retrieve_and_generate"),
}

_peer = peers(lambda _: "aws.bedrock", of=lambda client: client.meta.endpoint_url, fixed=True)


def _recognize(client: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Found | None:
    name, asked = (*args, None, None)[:2]
    name = name or kwargs.get("operation_name")
    endpoint = OPERATIONS.get(name) if isinstance(name, str) else None
    if endpoint is None or not dig(client, "meta", "service_model", "service_name").startswith("bedrock"):
        return None
    asked = fields(asked or kwargs.get("api_params"))
    body = {**asked, "model": asked.get("modelId")}
    if endpoint is _INVOKE:
        sent = fields(_parsed(asked.get("body")))
        endpoint = endpoint_of(sent, str(asked.get("modelId")))
        body = {**sent, "modelId": asked.get("modelId"), **beside(asked)}
    body["stream"] = "Stream" in str(name)
    found: Peer = _peer(client)
    return Found(endpoint, body, found)


def _parsed(body: Any) -> Any:
    """A body as JSON; a file is not read, because it is the user's to read."""
    try:
        return json.loads(body) if isinstance(body, (str, bytes, bytearray)) and body else {}
    except ValueError:
        return {}


def _unpack(result: Any) -> Any:
    found = fields(result)
    if (chunk := found.get("chunk")) is not None:
        return _parsed(fields(chunk).get("bytes"))
    if (body := found.get("body")) is not None:
        return {**fields(_parsed(body)), "ResponseMetadata": found.get("ResponseMetadata"), **beside(found)}
    return result


def _later(result: Any) -> tuple[Any, str] | None:
    for key in ("stream", "body"):
        if key in result:
            return result, key
    return None


ADAPTER: Final = Adapter(
    package="botocore",
    distribution="botocore",
    oldest="1.36",
    seams=(
        Seam("botocore.client", "BaseClient._make_api_call", None, _recognize, _unpack, _later),
        Seam("aiobotocore.client", None, "AioBaseClient._make_api_call", _recognize, _unpack, _later),
    ),
    unseen="agents (InvokeAgent, InvokeFlow), bidirectional streams, requests signed by hand",
)
