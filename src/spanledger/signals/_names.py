"""
Metric names, units and buckets, in one table each: the conventions' newest set, the one before, and ours.

User, session and run ids are never labels.
"""

from __future__ import annotations

from typing import Final

SECONDS: Final = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
RUN_SECONDS: Final = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6)
TOKENS: Final = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864)
COUNTS: Final = (1, 2, 4, 8, 16, 32, 64, 128)

HISTOGRAMS: Final[dict[str, tuple[str, tuple[float, ...], str]]] = {
    "gen_ai.client.inference.duration": ("s", SECONDS, "Duration of model calls."),
    "gen_ai.client.inference.time_to_first_chunk": ("s", SECONDS, "Time from the request to the first chunk."),
    "gen_ai.client.inference.operation.input_tokens": ("{token}", TOKENS, "Input tokens per model call."),
    "gen_ai.client.inference.operation.output_tokens": ("{token}", TOKENS, "Output tokens per model call."),
    "gen_ai.client.operation.duration": ("s", SECONDS, "Duration of client operations."),
    "gen_ai.client.token.usage": ("{token}", TOKENS, "Tokens per model call, by type."),
    "gen_ai.execute_tool.duration": ("s", SECONDS, "Duration of tool calls."),
    "gen_ai.invoke_agent.duration": ("s", RUN_SECONDS, "Duration of runs."),
    "gen_ai.invoke_agent.inference_calls": ("{inference_call}", COUNTS, "Model calls per run."),
    "gen_ai.invoke_agent.tool_calls": ("{tool_call}", COUNTS, "Tool calls per run."),
    "agent.run.duration": ("s", RUN_SECONDS, "Duration of runs."),
    "agent.tool.calls": ("{call}", COUNTS, "Tool calls per run."),
    "agent.tool.duration": ("s", SECONDS, "Duration of tool calls."),
}
COUNTERS: Final[dict[str, tuple[str, str]]] = {
    "gen_ai.client.inference.usage.input_tokens": ("{token}", "Input tokens, cached ones included."),
    "gen_ai.client.inference.usage.output_tokens": ("{token}", "Output tokens, reasoning included."),
    "gen_ai.client.inference.usage.cache_read.input_tokens": ("{token}", "Input tokens read from a cache."),
    "gen_ai.client.inference.usage.cache_write.input_tokens": ("{token}", "Input tokens written to a cache."),
    "gen_ai.client.inference.usage.reasoning.output_tokens": ("{token}", "Output tokens spent on reasoning."),
    "agent.run.status": ("", "Runs that ended, by status."),
    "agent.stop": ("", "Runs that ended, by stop reason."),
    "agent.cost": ("USD", "Price of the priced model calls."),
    "agent.unpriced": ("{call}", "Model calls without a price, by reason."),
    "agent.usage.unknown": ("{call}", "Model calls whose provider sent no usage."),
    "agent.decisions": ("{decision}", "Decisions of limits, by outcome, limit and scope."),
    "agent.tool.errors": ("{call}", "Tool calls that failed, by error class."),
    "agent.observer.failures": ("{failure}", "Failures of spanledger itself, by place."),
}
"""The unit of the first two of ours is left empty so that their Prometheus names end in ``_total`` alone."""
