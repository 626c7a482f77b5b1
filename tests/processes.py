"""Programs in processes of their own: what they run, and where they send it."""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spanledger.journal import Archive

BIN = Path(sys.executable).parent


AGENT = """
    import openai
    client = openai.OpenAI()
    said = client.chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": "I am dana@example.com"}]
    )
    print(said.choices[0].message.content)
"""


class Sink:
    """A collector on loopback that keeps what it is sent."""

    def __init__(self):
        self.bodies = []
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                sink.bodies.append(body)
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self.server.shutdown()
        self.server.server_close()

    @property
    def spans(self):
        found = []
        for body in self.bodies:
            request = ExportTraceServiceRequest.FromString(body)
            found += [s for r in request.resource_spans for scope in r.scope_spans for s in scope.spans]
        return found


LAUNCHER = (str(BIN / "opentelemetry-instrument"), sys.executable)


EXEC = (str(BIN / "spanledger"), "exec", sys.executable)


def waits_for(process, line):
    assert process.stdout.readline().strip() == line


CALLING = """
    import openai, spanledger, sys
    def call(name):
        with spanledger.run(name):
            openai.OpenAI().chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "hi"}])
"""


def spans_of(tmp_path):
    with Archive(tmp_path / "journal.db") as archive:
        return {run.name: sorted(span.name for span in archive.spans(run.run_id)) for run in archive.runs()}


def both(name):
    return {name: ["chat gpt-4o-mini", f"invoke_agent {name}"]}
