"""Clients that do not speak HTTP as the others do: gRPC, a session of their own, another client underneath."""

from __future__ import annotations

import functools
import json
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

from clients import CHAT, CHAT_ASK, CHAT_EVENTS, MESSAGE, Case
from clients import clients as plain_clients
from more_clients import CLAUDE, CONVERSE, CONVERSE_ASK, CONVERSE_EVENTS, INVOKE_ASK, INVOKE_EVENTS, TOO_FAST
from wires import Answers, http_client, httpx, library_of

# --- LiteLLM, over OpenAI's client ---------------------------------------------------------------------------------


def litellm(answers: Answers, asynchronous: bool) -> Any:
    import litellm as package

    client = plain_clients(answers)["openai"][asynchronous]
    where = {"client": client, "api_key": "k", "api_base": "http://openai.test/v1", "num_retries": 0}
    name = "acompletion" if asynchronous else "completion"
    # looked up when it is called: the function is replaced when watching begins
    return SimpleNamespace(call=lambda **ask: getattr(package, name)(**where, **ask))


LITELLM_ASK = CHAT_ASK | {"model": "openai/gpt-4o-mini"}


# --- Bedrock, asynchronously ---------------------------------------------------------------------------------------


class Later:
    """What aiobotocore takes for the body of a response."""

    def __init__(self, said: Any) -> None:
        self._pieces = aiter(said.stream)
        self.content = self
        self.closed = False

    async def read(self, amount: int = -1) -> bytes:
        return b"".join([piece async for piece in self._pieces])

    async def iter_chunks(self) -> AsyncIterator[tuple[bytes, bool]]:
        async for piece in self._pieces:
            yield piece, True

    def close(self) -> None:
        self.closed = True


class AsyncBedrock:
    """One client for each call: it belongs to the loop."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    async def _ask(self, operation: str, **ask: Any) -> Any:
        from aiobotocore.awsrequest import AioAWSResponse
        from aiobotocore.session import get_session
        from botocore.config import Config

        async def send(request: Any, **_: Any) -> Any:
            said = self._answers(request)
            return AioAWSResponse(request.url, said.status_code, {"content-type": "application/json"}, Later(said))

        made = get_session().create_client(
            "bedrock-runtime", region_name="us-east-1", endpoint_url="http://bedrock.test", aws_access_key_id="k",
            aws_secret_access_key="k", config=Config(retries={"total_max_attempts": 1}),
        )  # fmt: skip
        async with made as client:
            client.meta.events.register("before-send.bedrock-runtime.*", send)
            return await getattr(client, operation)(**ask)

    async def whole(self, **ask: Any) -> Any:
        return await self._ask("converse", **ask)

    async def stream(self, **ask: Any) -> Any:
        return (await self._ask("converse_stream", **ask))["stream"]

    async def invoked(self, **ask: Any) -> Any:
        return json.loads(await (await self._ask("invoke_model", **ask))["body"].read())

    async def invoked_stream(self, **ask: Any) -> Any:
        return (await self._ask("invoke_model_with_response_stream", **ask))["body"]


def aiobedrock(answers: Answers, asynchronous: bool) -> Any:
    return AsyncBedrock(answers)


# --- watsonx -------------------------------------------------------------------------------------------------------


def watsonx(answers: Answers, asynchronous: bool) -> Any:
    import ibm_watsonx_ai
    from ibm_watsonx_ai.foundation_models import ModelInference

    library = library_of("ibm_watsonx_ai.client")

    class Site(Answers):
        """Knows the project that the client asks for when it is made, and no version of its models' list."""

        def __call__(self, request: Any) -> Any:
            if "/ml/v1/text/" in str(request.url):
                return answers(request)
            project = {"entity": {"storage": {"type": "cos"}, "compute": [{"type": "machine_learning", "guid": "g"}]}}
            return httpx.Response(200, json=project)

        async def asyncio(self, request: Any) -> Any:
            return await answers.asyncio(request) if "/ml/v1/text/" in str(request.url) else self(request)

    where = {
        "httpx_client": http_client(Site(), library, False), "async_httpx_client": http_client(Site(), library, True),
    }  # fmt: skip
    credentials = ibm_watsonx_ai.Credentials(url="https://us-south.ml.cloud.ibm.com", token="t")
    client = ibm_watsonx_ai.APIClient(credentials, project_id="p", **where)
    made = ModelInference(model_id="ibm/granite-4", api_client=client, project_id="p", validate=False, max_retries=0)
    if asynchronous:
        return SimpleNamespace(call=made.achat, stream=made.achat_stream, made=made)
    return SimpleNamespace(call=made.chat, stream=made.chat_stream, made=made)


# --- xAI, over protocol buffers -------------------------------------------------------------------------------------


@functools.cache
def too_many() -> type[Exception]:
    import grpc

    class TooMany(grpc.RpcError):
        def code(self) -> Any:
            return grpc.StatusCode.RESOURCE_EXHAUSTED

    return TooMany


class XaiStub:
    """What stands between the client and gRPC, answered by *answers* in serialised protocol buffers."""

    def __init__(self, answers: Answers, asynchronous: bool) -> None:
        self._answers, self._asynchronous = answers, asynchronous

    def _said(self, request: Any) -> Any:
        said = self._answers(request)
        if said.status_code >= 400:
            raise too_many()("slow down")
        return said

    def GetCompletion(self, request: Any) -> Any:  # noqa: N802
        from xai_sdk.proto import chat_pb2

        def answer() -> Any:
            return chat_pb2.GetChatCompletionResponse.FromString(bytes.fromhex(self._said(request).json()["hex"]))

        async def later() -> Any:
            return answer()

        return later() if self._asynchronous else answer()

    def GetCompletionChunk(self, request: Any) -> Any:  # noqa: N802
        from xai_sdk.proto import chat_pb2

        read = chat_pb2.GetChatCompletionChunk.FromString

        async def later() -> AsyncIterator[Any]:
            async for piece in self._said(request).stream:
                yield read(piece)

        return later() if self._asynchronous else (read(piece) for piece in self._said(request).stream)


def xai(answers: Answers, asynchronous: bool) -> Any:
    from xai_sdk import aio, sync
    from xai_sdk.chat import user

    kind = (aio if asynchronous else sync).chat.Chat
    chat = kind(XaiStub(answers, asynchronous), None, None, model="grok-4", messages=[user("Hi")])
    return SimpleNamespace(call=chat.sample, stream=chat.stream)


def _xai_answers() -> tuple[dict[str, Any], list[bytes]]:
    try:
        from xai_sdk.proto import chat_pb2, usage_pb2
    except ImportError:
        return {}, []
    usage = usage_pb2.SamplingUsage(prompt_tokens=9, completion_tokens=4, total_tokens=13)
    message = chat_pb2.CompletionMessage(content="Hello there", role=2)
    whole = chat_pb2.CompletionOutput(message=message, finish_reason="REASON_STOP")
    answer = chat_pb2.GetChatCompletionResponse(id="x1", model="grok-4", outputs=[whole], usage=usage)
    chunks = []
    for text, reason in (("Hello ", 0), ("there", 0), ("", "REASON_STOP")):
        output = chat_pb2.CompletionOutputChunk(delta=chat_pb2.Delta(content=text, role=2), finish_reason=reason)
        more = {"usage": usage} if reason else {}
        chunks.append(chat_pb2.GetChatCompletionChunk(id="x1", model="grok-4", outputs=[output], **more))
    return {"hex": answer.SerializeToString().hex()}, [chunk.SerializeToString() for chunk in chunks]


XAI, XAI_EVENTS = _xai_answers()
ASK = {"messages": CHAT_ASK["messages"]}

ODD_CASES = (
    Case(
        "litellm", litellm, lambda c: c.call(**LITELLM_ASK), lambda c: c.call(stream=True, **LITELLM_ASK), CHAT,
        CHAT_EVENTS, "gpt-4o-mini", "openai", "chat", "stop", (9, 4),
        (429, {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}), package="litellm",
    ),
    Case(
        "aiobotocore converse", aiobedrock, lambda c: c.whole(**CONVERSE_ASK), lambda c: c.stream(**CONVERSE_ASK),
        CONVERSE, CONVERSE_EVENTS, CLAUDE, "aws.bedrock", "chat", "end_turn", (9, 4), TOO_FAST,
        package="aiobotocore", synchronous=False,
    ),
    Case(
        "aiobotocore invoke", aiobedrock, lambda c: c.invoked(**INVOKE_ASK), lambda c: c.invoked_stream(**INVOKE_ASK),
        MESSAGE, INVOKE_EVENTS, CLAUDE, "aws.bedrock", "chat", "end_turn", (9, 4), TOO_FAST,
        package="aiobotocore", synchronous=False,
    ),
    Case(
        "watsonx", watsonx, lambda c: c.call(**ASK), lambda c: c.stream(**ASK), CHAT, CHAT_EVENTS[:-1], "ibm/granite-4",
        "ibm.watsonx.ai", "chat", "stop", (9, 4), (429, {"errors": [{"code": "rate_limit", "message": "slow down"}]}),
        package="ibm_watsonx_ai",
    ),
    Case(
        "xai", xai, lambda c: c.call(), lambda c: c.stream(), XAI, XAI_EVENTS, "grok-4", "x_ai", "chat", "stop",
        (9, 4), TOO_FAST, package="xai_sdk",
    ),
)  # fmt: skip
