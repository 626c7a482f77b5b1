"""
Where the microseconds of one call go: the pieces of the path that a user's call waits for.

    python benchmarks/micro.py [WORD ...]      all pieces, or those whose name holds one of the words

Each piece is timed in a tight loop (`warm`), and between real un-instrumented calls, when the caches hold what the
client left there (`in place`): the second is what a user pays.  Microseconds of CPU, medians.
"""

# ruff: noqa: PLC0415, SLF001 - looks inside, after the environment is set
from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from contenders import CONTENT
from openai._models import FinalRequestOptions
from workloads import CHUNKS, Workload

WARM_SECONDS = 0.15
IN_PLACE = 250


class _Chunks:
    def __init__(self, chunks: list[Any]) -> None:
        self._next = iter(chunks).__next__

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        return self._next()


def warm(piece: Callable[[], Any]) -> float:
    """Microseconds in a tight loop."""
    found, until = [], time.monotonic() + WARM_SECONDS
    while time.monotonic() < until:
        began = time.perf_counter_ns()
        for _ in range(10):
            piece()
        found.append((time.perf_counter_ns() - began) / 10_000)
    return statistics.median(found)


def in_place(piece: Callable[[], Any], cool: Callable[[], Any]) -> float:
    """Microseconds right after a real call."""
    found = []
    for _ in range(IN_PLACE):
        cool()
        began = time.perf_counter_ns()
        piece()
        found.append((time.perf_counter_ns() - began) / 1000)
    return statistics.median(found)


class Bodies:
    """Requests and answers of the workloads as the client holds them."""

    def __init__(self) -> None:
        self.requests, self.answers = {}, {}
        for name in ("short", "history", "stream"):
            workload = Workload(name)
            answer = workload.client().chat.completions.create(**workload.request)
            self.requests[name] = workload.request
            self.answers[name] = list(answer) if name == "stream" else answer


def _floor(provider: Any) -> dict[str, Callable[[], Any]]:
    from opentelemetry.trace import SpanKind

    tracer = provider.get_tracer("micro")
    few = {f"gen_ai.request.key{n}": f"value {n}" for n in range(7)}
    many = {f"gen_ai.response.key{n}": f"value {n}" for n in range(20)}

    def span() -> None:
        tracer.start_span("chat", kind=SpanKind.CLIENT, attributes=few).end()

    def filled() -> None:
        span = tracer.start_span("chat", kind=SpanKind.CLIENT, attributes=few)
        span.set_attributes(many)
        span.end()

    return {"SDK: span, 7 attributes": span, "SDK: span, 7 attributes + 20 at its end": filled}


def _reading(bodies: Bodies, seam: Any) -> dict[str, Callable[[], Any]]:
    from spanledger.instrument._content import content_attributes, output_attribute
    from spanledger.model import Draft

    pieces: dict[str, Callable[[], Any]] = {}
    client = Workload("short").client()
    for name, body in bodies.requests.items():
        options = FinalRequestOptions.construct(method="post", url="/chat/completions", json_data=body)
        found = seam.recognize(client, (None, options), {})
        if name == "stream":
            pieces["fold 200 chunks"] = lambda e=found.endpoint: e.fold(Draft(), bodies.answers["stream"])
            continue
        answer = bodies.answers[name]
        pieces[f"recognize, {name}"] = lambda o=options: seam.recognize(client, (None, o), {})
        pieces[f"read_request, {name}"] = lambda e=found.endpoint, b=body: e.read_request(b)
        pieces[f"content of the request, {name}"] = lambda e=found.endpoint, b=body: content_attributes(e, b)
        pieces[f"read_response, {name}"] = lambda e=found.endpoint, a=answer: e.read_response(a, True)
        response = found.endpoint.read_response(answer, True)
        pieces[f"content of the response, {name}"] = lambda r=response: output_attribute(r)
    return pieces


def _accounting(bodies: Bodies) -> dict[str, Callable[[], Any]]:
    from spanledger import runs, semconv
    from spanledger.hashing import hasher
    from spanledger.ledger import ModelCall, Run
    from spanledger.model import Request, Response, Usage

    usage = Usage(uncached=230, output=91)
    run = Run(id="1" * 32)

    def settle() -> None:
        fresh = Run(id=run.id)
        fresh.settle_model(ModelCall("chat", "openai", "m", "m-1", usage, 1, 2, 1))

    def run_around() -> None:
        _, found = runs.open_for(Request(model="m"))
        from opentelemetry.trace import INVALID_SPAN

        runs.call_ended(found, None, None, INVALID_SPAN)

    response = Response(id="r", model="m-1", finish_reasons=["stop"], usage=usage)
    hashed = {"hash: system of short": ([bodies.requests["short"]["messages"][0]["content"]], "system")}
    hashed["hash: tools of history"] = (bodies.requests["history"]["tools"], "tools")
    return {
        **{name: lambda v=value: hasher().hash(*v) for name, value in hashed.items()},
        "open and close an implicit run": run_around,
        "begin_step": lambda: runs.begin_step(run),
        "attributes_of": lambda: runs.attributes_of(run, 3),
        "Run() and settle_model": settle,
        "response_attributes": lambda: semconv.response_attributes(response),
    }


def _metrics() -> dict[str, Callable[[], Any]]:
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    from spanledger.ledger import Ledger, ModelCall
    from spanledger.model import Usage
    from spanledger.providers import Peer
    from spanledger.signals import Metrics

    metrics = Metrics(Ledger(), MeterProvider([InMemoryMetricReader()]))

    class Ended:
        model_call = ModelCall("chat", "openai", "gpt-4o-mini", "gpt-4o-mini", Usage(230, output=91), 1, 2, 1)
        peer = Peer("openai", "model.test", 80)
        seconds = 0.1
        first_chunk = None

    def drained() -> None:
        metrics.call_ended(Ended)
        metrics.drain()

    return {
        "metrics: note a call": lambda: metrics.call_ended(Ended),
        "metrics: note and drain (reader's thread)": drained,
    }


def _whole(bodies: Bodies, inst: Any, seam: Any) -> dict[str, Callable[[], Any]]:
    from spanledger.instrument._watch import Watch

    watch = Watch(inst.engine, type("Silent", (), {"speaks_otel": None}), seam)
    client = Workload("short").client()
    pieces = {}
    for name, body in bodies.requests.items():
        options = FinalRequestOptions.construct(method="post", url="/chat/completions", json_data=body)

        def call(options: Any = options, answer: Any = bodies.answers[name]) -> None:
            if isinstance(answer, list):
                for _ in watch.sync(lambda _kind, _options: _Chunks(answer), client, (None, options), {}):
                    pass
            else:
                watch.sync(lambda _kind, _options: answer, client, (None, options), {})

        pieces[f"ALL of a call, {name}"] = call
    return pieces


def main() -> None:
    """Time the pieces and print them."""
    import os

    os.environ.update(CONTENT, XDG_STATE_HOME=tempfile.mkdtemp())
    from contenders import _batch, _provider
    from measure import Counting

    from spanledger.config import Settings
    from spanledger.instrument import instrument
    from spanledger.providers import ADAPTERS

    bodies = Bodies()
    seam = next(adapter for adapter in ADAPTERS if adapter.package == "openai").seams[0]
    provider = _provider(_batch(Counting()))
    inst = instrument(Settings.load(), tracer_provider=provider)
    inst._patches.undo()
    pieces = {
        **_floor(provider), **_reading(bodies, seam), **_accounting(bodies), **_metrics(), **_whole(bodies, inst, seam),
    }  # fmt: skip
    workload = Workload("short")
    client = workload.client()
    print(f"{'piece':<46}{'warm':>9}{'in place':>10}")
    for name, piece in pieces.items():
        if len(sys.argv) > 1 and not any(word in name for word in sys.argv[1:]):
            continue
        piece()
        figures = warm(piece), in_place(piece, lambda: workload.call(client, 1))
        per_chunk = f"   ({figures[1] / CHUNKS:.2f} a chunk)" if "stream" in name or "chunks" in name else ""
        print(f"{name:<46}{figures[0]:>9.1f}{figures[1]:>10.1f}{per_chunk}", flush=True)
        provider.force_flush()


if __name__ == "__main__":
    main()
