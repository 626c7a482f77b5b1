"""Google ADK: a live invocation; the model is a connection of the test's own, so no model call is seen."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("google.adk", reason="google-adk is not installed")
from google.adk.agents import LiveRequestQueue, LlmAgent
from google.adk.models import BaseLlm, LlmResponse
from google.adk.models.base_llm_connection import BaseLlmConnection
from google.genai import types

pytestmark = pytest.mark.filterwarnings("ignore")


class Connection(BaseLlmConnection):
    """Says what it is told to, and then listens."""

    def __init__(self, says):
        self.says = says

    async def send_history(self, history):
        pass

    async def send_content(self, content):
        pass

    async def send_realtime(self, blob):
        pass

    async def receive(self):
        while self.says:
            part = self.says.pop(0)
            yield LlmResponse(content=types.Content(role="model", parts=[part]))
            if part.text:
                yield LlmResponse(turn_complete=True)
        await asyncio.Event().wait()

    async def close(self):
        pass


class Live(BaseLlm):
    says: list

    async def generate_content_async(self, llm_request, stream=False):
        raise AssertionError
        yield

    def connect(self, llm_request):
        class Connected:
            async def __aenter__(_):  # noqa: N805
                return Connection([*self.says])

            async def __aexit__(_, *exc):  # noqa: N805
                pass

        return Connected()


def test_a_live_handoff_stays_in_the_run(watching, adk, seen, shape, monkeypatch):
    monkeypatch.setattr("google.adk.live._live_llm_flow.DEFAULT_TRANSFER_AGENT_DELAY", 0)
    over = types.Part.from_function_call(name="transfer_to_agent", args={"agent_name": "weather"})
    weather = LlmAgent(name="weather", model=Live(model="w", says=[types.Part(text="Rain.")]), description="Knows.")
    runner = adk.runner(LlmAgent(name="front", model=Live(model="f", says=[over]), sub_agents=[weather]))

    async def main():
        session, queue = await adk.session(runner), LiveRequestQueue()
        events = runner.run_live(user_id="u", session_id=session, live_request_queue=queue)
        async for event in events:
            if event.turn_complete:
                break
        queue.close()
        await events.aclose()
        return session

    session = asyncio.run(main())
    assert [(name, tools) for name, _, _, _, tools in shape()] == [("front", 1)]
    (run,) = [span for span in seen.invoke_agent if "agent.run.status" in span.attributes]
    assert (run.attributes["session.id"], run.attributes["user.id"]) == (session, "u")
    assert {span.context.trace_id for span in seen._spans()} == {run.context.trace_id}
