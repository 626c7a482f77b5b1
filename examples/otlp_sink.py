"""An OTLP/HTTP endpoint on loopback that keeps every byte it is sent and, if told to, passes it on."""

from __future__ import annotations

import gzip
import threading
import urllib.error
import urllib.request
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SKIPPED = {"host", "content-length", "connection", "accept-encoding"}


class OtlpSink:
    """``with OtlpSink() as sink:``; `bodies` holds (path, decompressed bytes)."""

    def __init__(self, forward_to: str | None = None) -> None:
        self.bodies: list[tuple[str, bytes]] = []
        self.forward_to = forward_to.rstrip("/") if forward_to else None
        self.forwarded: dict[str, str] = {}
        """Path -> what the other side said last."""
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._http.sink = self
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> OtlpSink:
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def bytes_of(self, signal: str) -> bytes:
        """All that was sent for ``traces`` or ``metrics``."""
        return b"".join(body for path, body in self.bodies if path.endswith(signal))

    def take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        unpack = {"gzip": gzip.decompress, "deflate": zlib.decompress}.get(headers.get("content-encoding", ""), bytes)
        self.bodies.append((path, unpack(body)))
        if self.forward_to is None:
            return
        kept = {name: value for name, value in headers.items() if name not in SKIPPED}
        request = urllib.request.Request(self.forward_to + path, data=body, headers=kept)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                self.forwarded[path] = f"{answer.status}"
        except urllib.error.HTTPError as error:
            with error:
                self.forwarded[path] = f"{error.code} {error.reason}"
        except OSError as error:
            self.forwarded[path] = str(error)


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.sink.take(self.path, headers, self.rfile.read(int(headers.get("content-length") or 0)))
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", "0")
        self.end_headers()
