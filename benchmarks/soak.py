"""
Does memory stay flat, and is nothing lost, when many runs never end?

    python benchmarks/soak.py [--runs 100000] [--unended 10] [--check]

The real `openai` client, answered in memory; redaction, prices, metrics and the journal on.  Of each hundred runs,
*unended* never end: agent loops whose tool is never answered.  The others are agents that answer at once.  `--check`
exits with 1 when a call, a span or a run is missing, or when memory grows by more than a twentieth in the second half.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
import time
from collections import Counter
from contextvars import Context
from pathlib import Path
from typing import Any

import openai
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

import spanledger
from spanledger.ledger import ledger

if int(openai.__version__.split(".")[0]) >= 3:
    import httpx2 as http
else:
    import httpx as http

SCHEMA = {"type": "object", "properties": {}}
ASK = {
    "model": "gpt-4o-mini", "messages": [{"role": "user", "content": "How is the weather?"}],
    "tools": [{"type": "function", "function": {"name": "look", "parameters": SCHEMA}}],
}  # fmt: skip
USAGE = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}
LOOK = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": "{}"}}


def answer(tool: bool) -> dict[str, Any]:
    message = (
        {"role": "assistant", "content": None, "tool_calls": [LOOK]}
        if tool
        else {"role": "assistant", "content": "It rains."}
    )
    choice = {"index": 0, "finish_reason": "tool_calls" if tool else "stop", "message": message}
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [choice],
        "usage": USAGE,
    }


class Counted(SpanExporter):
    """Counts what is exported, and keeps nothing."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    def export(self, spans: Any) -> Any:
        for span in spans:
            said = span.attributes
            self.seen[said.get("gen_ai.operation.name", "?")] += 1
            if (status := said.get("agent.run.status")) is not None:
                self.seen[f"run {status}"] += 1
            if "gen_ai.usage.cost.amount" in said:
                self.seen["priced"] += 1
        return SpanExportResult.SUCCESS


def resident() -> float:
    """Memory of this process, in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def soak(runs: int, unended: int, tell: Any = lambda *_: None) -> dict[str, Any]:
    """What came of *runs* runs of which *unended* in a hundred never end."""
    tool = [False]
    client = openai.OpenAI(
        api_key="k", base_url="http://model.test/v1", max_retries=0,
        http_client=http.Client(transport=http.MockTransport(lambda _: http.Response(200, json=answer(tool[0])))),
    )  # fmt: skip
    counted, settled = Counted(), Counter()
    made = spanledger.configure(
        exporters=[counted], flush_seconds=60
    )  # a tenth is ended at exit, behind an exporter that keeps up
    made.instrumentation.engine.listeners.append(lambda _: settled.update(calls=1))
    ledger.listen(ended=lambda _: settled.update(ended=1))

    def ends() -> None:
        tool[0] = False
        client.chat.completions.create(**ASK)

    def waits() -> None:
        tool[0] = True
        client.chat.completions.create(**ASK)

    memory = []
    for number in range(runs):
        Context().run(waits if number % 100 < unended else ends)
        if number % 500 == 499:  # a process that never rests would fill the SDK's queue, which then drops
            made.provider.force_flush()
        if number % (runs // 10) == runs // 10 - 1:
            gc.collect()
            memory.append(resident())
            tell(number + 1, memory[-1], len(ledger), len(ledger.going_on()), ledger.forgotten)
    made.finish()
    return {"memory": memory, "settled": settled, "exported": counted.seen, "forgotten": ledger.forgotten}


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=100_000)
    options.add_argument("--unended", type=int, default=10)
    options.add_argument("--check", action="store_true")
    chosen = options.parse_args()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SPANLEDGER_JOURNAL"] = str(Path(folder) / "journal.db")
        print("runs  MB  remembered  going on  forgotten")
        found = soak(chosen.runs, chosen.unended, lambda *row: print(*(f"{value:.0f}" for value in row), flush=True))
    print(dict(found["settled"]), dict(found["exported"]), f"{time.perf_counter() - began:.0f} s")
    memory = found["memory"]
    flat = memory[-1] <= memory[len(memory) // 2] * 1.05
    whole = found["settled"]["calls"] == chosen.runs == found["exported"]["chat"] == found["exported"]["invoke_agent"]
    print("memory is flat" if flat else "MEMORY GROWS", "and nothing is lost" if whole else "AND SOMETHING IS LOST")
    return 1 if chosen.check and not (flat and whole) else 0


if __name__ == "__main__":
    sys.exit(main())
