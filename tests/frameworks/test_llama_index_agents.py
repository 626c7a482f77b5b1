"""LlamaIndex: agents that hand over, agents in steps of a workflow, agents in tools."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("llama_index.core", reason="llama-index is not installed")
pytest.importorskip("llama_index.llms.openai", reason="llama-index-llms-openai is not installed")
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent
from llama_index.core.workflow import StartEvent, StopEvent, Workflow, step
from llama_index.llms.openai import OpenAI

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def llm(model):
    """A model of its own for each agent, which says *turns* in order."""

    def make(*turns):
        return OpenAI(model="gpt-4o-mini", api_base=f"{model(turns).url}/v1", api_key="k", max_retries=0)

    return make


def agent(name, llm, **more):
    return FunctionAgent(name=name, description="d", llm=llm, **more)


def call(name, **arguments):
    return {"tool_calls": [{"name": name, "arguments": arguments}]}


def done(workflow, **given):
    async def main():
        return str(await workflow.run(**given))

    return asyncio.run(main())


def runs_of(seen):
    keys = ("stop_reason", "model_calls", "tool_calls")
    said = [span.attributes for span in seen.invoke_agent]
    return [(one["gen_ai.agent.name"], *(one[f"agent.run.{key}"] for key in keys)) for one in said]


def test_a_handoff_stays_in_the_run(seen, llm):
    front = agent("front", llm(call("handoff", to_agent="weather", reason="r")), can_handoff_to=["weather"])
    team = AgentWorkflow(agents=[front, agent("weather", llm("It rains.", "It rains."))], root_agent="front")
    assert done(team, user_msg="Weather?") == "It rains."
    assert runs_of(seen) == [("AgentWorkflow", "completed", 2, 1)]


def test_a_workflow_is_a_run_with_the_agents_in_its_steps(seen, llm):
    weather, plain = agent("weather", llm("It rains.")), llm("Take a coat.")

    class Day(Workflow):
        @step
        async def all(self, event: StartEvent) -> StopEvent:
            await weather.run(user_msg=event.asked)
            return StopEvent(result=str(await plain.acomplete("And?")))

    assert done(Day(timeout=60), asked="Weather?") == "Take a coat."
    assert runs_of(seen) == [("Day", "completed", 2, 0)]


def test_a_workflow_that_takes_too_long(seen, watching):
    class Day(Workflow):
        @step
        async def all(self, event: StartEvent) -> StopEvent:
            await asyncio.sleep(60)
            return StopEvent()

    with pytest.raises(Exception, match="timed out"):
        done(Day(timeout=0.01))
    assert runs_of(seen) == [("Day", "timeout", 0, 0)]


def test_an_agent_in_a_tool_is_a_run_inside_of_the_call(seen, llm):
    weather = agent("weather", llm("It rains."))

    async def ask(question: str) -> str:
        """Ask about the weather."""
        return str(await weather.run(user_msg=question))

    assert done(agent("front", llm(call("ask", question="Bergen?"), "Rain."), tools=[ask]), user_msg="Rain?") == "Rain."
    assert runs_of(seen) == [("weather", "completed", 1, 0), ("front", "completed", 3, 1)]
    inner, outer = seen.invoke_agent
    assert inner.attributes["agent.run.parent_id"] == outer.attributes["agent.run.id"]
