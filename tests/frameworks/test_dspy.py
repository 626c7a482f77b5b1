"""DSPy: runs and tools."""

from __future__ import annotations

import pytest

dspy = pytest.importorskip("dspy", reason="dspy is not installed")

pytestmark = pytest.mark.filterwarnings("ignore")


def look(city: str) -> str:
    """The weather of a city."""
    return f"rain in {city}"


def turn(thought, tool, args):
    import json

    parts = {"next_thought": thought, "next_tool_name": tool, "next_tool_args": json.dumps(args)}
    return "\n\n".join(f"[[ ## {name} ## ]]\n{value}" for name, value in parts.items()) + "\n\n[[ ## completed ## ]]"


def ask(model, tool):
    answer = "[[ ## reasoning ## ]]\nseen\n\n[[ ## answer ## ]]\nIt rains.\n\n[[ ## completed ## ]]"
    server = model({"rules": [
        {"user_contains": "reasoning", "turn": {"text": answer}},
        {"user_contains": "observation_0", "turn": {"text": turn("done", "finish", {})}},
        {"user_contains": "Weather?", "turn": {"text": turn("look", "look", {"city": "Bergen"})}},
    ]})  # fmt: skip
    lm = dspy.LM("openai/gpt-4o-mini", api_base=f"{server.url}/v1", api_key="k", cache=False)
    with dspy.context(lm=lm):
        assert dspy.ReAct("question -> answer", tools=[tool])(question="Weather?").answer == "It rains."


def test_a_module_is_one_run(model, seen):
    ask(model, look)
    run = seen.agent(model_calls=3)
    assert run.name == "invoke_agent ReAct"


def test_a_function_of_ours_is_one_call(model, seen, ours):
    ask(model, ours)
    seen.agent(model_calls=3)


def test_modules_in_a_module_are_one_run(model, seen):
    server = model(["[[ ## answer ## ]]\nrain\n\n[[ ## completed ## ]]"] * 3)

    class Twice(dspy.Module):
        def __init__(self):
            super().__init__()
            self.first, self.then = dspy.Predict("question -> answer"), dspy.Predict("question -> answer")

        def forward(self, question):
            pairs = [(self.first, {"question": question}), (self.then, {"question": f"{question}?"})]
            said = dspy.Parallel(num_threads=2, disable_progress_bar=True)(pairs)
            return self.then(question=said[0].answer)

    with dspy.context(lm=dspy.LM("openai/gpt-4o-mini", api_base=f"{server.url}/v1", api_key="k", cache=False)):
        assert Twice()(question="Weather?").answer == "rain"
    assert seen.agent(model_calls=3, tool_calls=0).name == "invoke_agent Twice"
