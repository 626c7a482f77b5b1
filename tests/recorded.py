"""A small support agent's run, made by hand with the SDK and with times that never change."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import SpanKind, StatusCode, set_span_in_context

from spanledger import semconv
from spanledger.journal import Journal, JournalSpanExporter, RunRow

RUN = "4bf92f3577b34da6a3ce929d0e0e4736"
BEGAN = 1_767_261_600_000_000_000  # 2026-01-01 10:00:00 UTC
MS = 10**6

SUPPORT = RunRow(
    run_id=RUN, name="support", agent_version="3", prompt_version="p7", session_id="s-42", user_id="u-7",
    system_hash="hmac-sha256:k1:aaaa1111aaaa1111aaaa1111aaaa1111",
    tools_hash="hmac-sha256:k1:bbbb2222bbbb2222bbbb2222bbbb2222", service_name="shop", service_version="1.2.0",
    commit_id="0123456789abcdef", started=BEGAN, ended=BEGAN + 2500 * MS, active=BEGAN + 2500 * MS,
    heartbeat=BEGAN + 2500 * MS, status="failure", stop_reason="tool_error", error_class="rate_limited", steps=2,
    model_calls=2, tool_calls=3, tool_errors=1, last_tool="send_email", models={"gpt-4o-mini": 1, "house-model": 1},
    input_tokens=1500, output_tokens=70, cache_read_tokens=1000, cost=Decimal("0.00041"), unpriced=1,
    pid=1, host="elsewhere",
)  # fmt: skip


class Counting(IdGenerator):
    def __init__(self):
        self._last = 0

    def generate_span_id(self):
        self._last += 1
        return self._last

    def generate_trace_id(self):
        return 0xABC


class Recorder:
    """Makes spans at given milliseconds after the beginning, nested as they are entered."""

    def __init__(self, journal, run_id=RUN):
        self.provider = TracerProvider(
            id_generator=Counting(), resource=Resource({"service.name": "shop"}), shutdown_on_exit=False
        )
        self.provider.add_span_processor(SimpleSpanProcessor(JournalSpanExporter(journal)))
        self.tracer = self.provider.get_tracer("spanledger")
        self.run_id = run_id
        self._context = None

    @contextmanager
    def span(self, name, start, end, *, step=None, kind=SpanKind.INTERNAL, status=None, **attributes):
        facts = {semconv.RUN_ID: self.run_id, **attributes.pop("facts", {})}
        if step:
            facts |= {semconv.STEP_ID: f"{self.run_id}.{step}", semconv.STEP_NUMBER: step}
        span = self.tracer.start_span(
            name, self._context, kind=kind, attributes=facts | attributes, start_time=BEGAN + start * MS
        )
        before, self._context = self._context, set_span_in_context(span, self._context)
        yield span
        self._context = before
        if status:
            span.set_status(StatusCode.ERROR, status)
        span.end(BEGAN + end * MS)

    def chat(self, model, start, end, step, tokens, **facts):
        usage = {semconv.USAGE_INPUT: tokens[0], semconv.USAGE_OUTPUT: tokens[1], semconv.RESPONSE_MODEL: model}
        with self.span(
            f"chat {model}", start, end, step=step, kind=SpanKind.CLIENT,
            facts={semconv.OPERATION: "chat", semconv.REQUEST_MODEL: model} | usage | facts,
        ):  # fmt: skip
            pass

    @contextmanager
    def tool(self, name, start, end, step, **facts):
        kind = {semconv.OPERATION: "execute_tool", semconv.TOOL_NAME: name, semconv.TOOL_STATUS: "success"}
        with self.span(f"execute_tool {name}", start, end, step=step, facts=kind | facts):
            yield


def record_support(path, *, row=SUPPORT):
    """Record the support agent's run in the journal *path*."""
    journal = Journal(path, days=100_000)
    make = Recorder(journal, row.run_id)
    root = {
        semconv.OPERATION: "invoke_agent", semconv.AGENT_NAME: "support", semconv.RUN_STATUS: "failure",
        semconv.RUN_STOP_REASON: "tool_error", semconv.RUN_STEPS: 2,
    }  # fmt: skip
    with make.span("invoke_agent support", 0, 2500, facts=root):
        make.chat(
            "gpt-4o-mini", 0, 900, 1, (1000, 50),
            **{
                semconv.USAGE_CACHE_READ: 1000, semconv.RESPONSE_FINISH_REASONS: ["tool_calls"],
                semconv.COST_AMOUNT: 0.00041, semconv.COST_STATUS: "priced", semconv.USAGE_SOURCE: "provider",
                semconv.REDACTION_COUNT + "email": 2, semconv.REDACTION_COUNT + "phone": 1,
                semconv.INPUT_MESSAGES: '[{"role":"user","parts":[{"type":"text","content":"mail [EMAIL]"}]}]',
            },
        )  # fmt: skip
        looked_up = {semconv.TOOL_ARGS_HASH: "hmac-sha256:k1:9f3ab2c1deadbeef", semconv.TOOL_DURATION: 0.012}
        with (
            make.tool("lookup_customer", 900, 912, 1, **looked_up),
            make.span("GET", 901, 911, step=1, kind=SpanKind.CLIENT, facts={"http.response.status_code": 200}),
        ):
            pass
        make.chat(
            "house-model", 1000, 1800, 2, (500, 20),
            **{semconv.COST_STATUS: "unknown_model", semconv.RESPONSE_FINISH_REASONS: ["tool_calls"],
               semconv.REDACTION_COUNT + "email": 1},
        )  # fmt: skip
        failed = {semconv.TOOL_STATUS: "error", semconv.ERROR_CLASS: "rate_limited", semconv.TOOL_DURATION: 0.3}
        with make.tool("send_email", 1800, 2100, 2, **failed):
            pass
        with make.tool("web_search", 2100, 2100, 2, **{semconv.TOOL_INFERRED: True}):
            pass
    assert journal.write_runs([row])
    assert not journal.lost
    journal.close()
    return replace(row)
