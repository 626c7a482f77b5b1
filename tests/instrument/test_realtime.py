"""A connection that stays open is one call, from the handshake to the end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading

import openai
import pytest

from driving import only

server = pytest.importorskip("websockets.sync.server")
if not hasattr(openai.OpenAI, "realtime"):
    pytest.skip("this version of the client has no realtime connections", allow_module_level=True)


pytestmark = pytest.mark.filterwarnings("ignore:connect.. must be used:DeprecationWarning")  # the client's own


@pytest.fixture
def url():
    def answer(connection):
        with contextlib.suppress(Exception):
            for message in connection:
                said = json.loads(message)
                if "setup" in said:
                    connection.send(json.dumps({"setupComplete": {}}))
                else:
                    connection.send(
                        json.dumps({"type": "session.created", "event_id": "e1", "session": {"type": "realtime"}})
                    )

    with server.serve(answer, "127.0.0.1", 0) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield "ws://{}:{}".format(*serving.socket.getsockname())
        serving.shutdown()
        thread.join()


def check(spans, provider, model, *, end="drained"):
    said = only(spans).attributes
    assert said["gen_ai.operation.name"] == "realtime"
    assert (said["gen_ai.provider.name"], said["gen_ai.request.model"]) == (provider, model)
    assert said["agent.stream.end"] == end
    assert said["agent.run.stop_reason"] == ("completed" if end == "drained" else "model_error")
    assert said["agent.usage.source"] == "unknown"


def ask(connection):
    connection.send({"type": "session.update", "session": {"type": "realtime"}})
    assert connection.recv().type == "session.created"


def test_openai(url, watching, spans):
    with openai.OpenAI(api_key="k", base_url="http://x.test/v1", websocket_base_url=url) as client:
        with client.realtime.connect(model="gpt-realtime") as connection:
            ask(connection)
            assert not spans()
    check(spans, "openai", "gpt-realtime")


def test_openai_asynchronously(url, watching, spans):
    async def main():
        async with openai.AsyncOpenAI(api_key="k", base_url="http://x.test/v1", websocket_base_url=url) as client:
            async with client.realtime.connect(model="gpt-realtime") as connection:
                await connection.send({"type": "session.update", "session": {"type": "realtime"}})
                assert (await connection.recv()).type == "session.created"

    asyncio.run(main())
    check(spans, "openai", "gpt-realtime")


def test_a_connection_that_fails_is_an_error(watching, spans):
    with openai.OpenAI(api_key="k", base_url="http://x.test/v1", websocket_base_url="ws://127.0.0.1:9") as client:
        with pytest.raises(OSError, match="refused"), client.realtime.connect(model="gpt-realtime"):
            pass
    check(spans, "openai", "gpt-realtime", end="error")


def test_gemini(url, watching, spans, monkeypatch):
    from google import genai
    from google.genai import live, types

    connect = live.ws_connect
    monkeypatch.setattr(
        live, "ws_connect", lambda _, **more: connect(url, **(more | {"ssl": None}))
    )  # it would speak TLS

    async def main():
        client = genai.Client(api_key="k", http_options=types.HttpOptions(base_url="http://x.test"))
        async with client.aio.live.connect(model="gemini-live") as session:
            assert session is not None

    asyncio.run(main())
    check(spans, "gcp.gemini", "gemini-live")
