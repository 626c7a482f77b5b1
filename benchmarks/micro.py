"""
Where the microseconds of one call go: the pieces of the path that a user's call waits for.

    python benchmarks/micro.py [WORD ...]      all pieces, or those whose name holds one of the words

Each piece is timed in a tight loop (`warm`), and between real un-instrumented calls, when the caches hold what the
client left there (`in place`): the second is what a user pays.  Microseconds of CPU, medians.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

from contenders import CONTENT, QUIET
from measure import Counting
from openai._models import FinalRequestOptions
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import INVALID_SPAN, SpanKind
from workloads import CHUNKS, Workload

from spanledger import runs
from spanledger.canonical import to_json
from spanledger.config import Settings
from spanledger.hashing import hasher
from spanledger.instrument import Instrumentation, instrument
from spanledger.instrument._watch import Watch
from spanledger.ledger import Ledger, ModelCall
from spanledger.model import Draft, Request, Response, Usage
from spanledger.providers import ADAPTERS, Adapter, Endpoint, Peer, Seam
from spanledger.signals import Metrics

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
        self.requests: dict[str, Any] = {}
        self.answers: dict[str, Any] = {}
        for name in ("short", "history", "stream"):
            workload = Workload(name)
            answer = workload.client().chat.completions.create(**workload.request)
            self.requests[name] = workload.request
            self.answers[name] = list(answer) if name == "stream" else answer


def _floor(provider: TracerProvider) -> dict[str, Callable[[], Any]]:
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


def _reading(bodies: Bodies, seam: Seam) -> dict[str, Callable[[], Any]]:
    pieces: dict[str, Callable[[], Any]] = {}
    client = Workload("short").client()
    for name, body in bodies.requests.items():
        options = FinalRequestOptions.construct(method="post", url="/chat/completions", json_data=body)
        found = seam.recognize(client, (None, options), {})
        assert found is not None  # noqa: S101 - it is a chat
        endpoint = found.endpoint
        if name == "stream":
            pieces["fold 200 chunks"] = partial(_fold, endpoint, bodies.answers[name])
            continue
        pieces[f"recognize, {name}"] = partial(seam.recognize, client, (None, options), {})
        pieces[f"read_request, {name}"] = partial(endpoint.read_request, body)
        pieces[f"content of the request, {name}"] = partial(_content, endpoint, body)
        pieces[f"read_response, {name}"] = partial(endpoint.read_response, bodies.answers[name], True)
    return pieces


def _fold(endpoint: Endpoint, chunks: list[Any]) -> Response:
    draft = Draft()
    for chunk in chunks:
        endpoint.fold(draft, chunk)
    return draft.build()


def _content(endpoint: Endpoint, body: Any) -> list[str]:
    return [to_json(found) for found in (*endpoint.read_messages(body), endpoint.read_tools(body))]


def _accounting(bodies: Bodies) -> dict[str, Callable[[], Any]]:
    usage = Usage(uncached=230, output=91)
    called = ModelCall("chat", "openai", "m", "m-1", usage, 1, 2, 1)

    def alone() -> None:
        placement, found = runs.open_for(Request(model="m"))
        placement.run.settle_model(called)
        assert found is not None  # noqa: S101 - nobody opened a run
        runs.call_ended(found, Response(), None, INVALID_SPAN)

    return {
        "hash: system of short": partial(hasher().hash, [bodies.requests["short"]["messages"][0]["content"]], "system"),
        "hash: tools of history": partial(hasher().hash, bodies.requests["history"]["tools"], "tools"),
        "open an implicit run, settle its call, close it": alone,
    }


def _metrics() -> dict[str, Callable[[], Any]]:
    metrics = Metrics(Ledger(), MeterProvider([InMemoryMetricReader()]))
    called = ModelCall("chat", "openai", "gpt-4o-mini", "gpt-4o-mini", Usage(230, output=91), 1, 2, 1)
    ended = SimpleNamespace(model_call=called, peer=Peer("openai", "model.test", 80), seconds=0.1, first_chunk=None)

    def drained() -> None:
        metrics.call_ended(ended)
        metrics.drain()

    return {
        "metrics: note a call": partial(metrics.call_ended, ended),
        "metrics: note and drain (reader's thread)": drained,
    }


def _whole(bodies: Bodies, inst: Instrumentation, adapter: Adapter) -> dict[str, Callable[[], Any]]:
    watch = Watch(inst.engine, adapter, adapter.seams[0])
    client = Workload("short").client()
    pieces: dict[str, Callable[[], Any]] = {}
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
    os.environ.update(CONTENT, XDG_STATE_HOME=tempfile.mkdtemp())
    bodies = Bodies()
    adapter = next(adapter for adapter in ADAPTERS if adapter.package == "openai")
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Counting(), **QUIET))
    inst = instrument(Settings.load(), tracer_provider=provider, adapters=())  # what is timed is called, not patched
    pieces = {
        **_floor(provider), **_reading(bodies, adapter.seams[0]), **_accounting(bodies), **_metrics(),
        **_whole(bodies, inst, adapter),
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
