"""The scripted model server: real HTTP on loopback, spoken by four provider dialects, from one scenario."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from . import _chat, _gemini
from ._messages import Messages
from ._responses import Responses
from ._script import Script
from ._wire import Answer, Asked, Dialect, Event
from .scenario import Failure, Scenario, Turn, tokens

__all__ = ["Request", "ScriptedServer"]

MAX_REQUESTS: Final = 10_000
"""How many requests the log keeps; the oldest go first."""
BEGUN: Final = 2
"""After so many events a stream counts as begun, and its scripted error comes."""

_CHAT: Final = _chat.Chat()
_DIALECTS: Final[tuple[tuple[str, str, Dialect], ...]] = (
    (r"/chat/completions$", "openai.chat", _CHAT),
    (r"/responses$", "openai.responses", Responses()),
    (r"/messages$", "anthropic.messages", Messages()),
    (r"/models/[^/]+:(generateContent|streamGenerateContent)$", "gemini.generate_content", _gemini.Gemini()),
)
_EMBEDDINGS: Final = (
    (r"/embeddings$", "openai.embeddings", _chat.embeddings),
    (r"/models/[^/]+:(embedContent|batchEmbedContents)$", "gemini.embed_content", _gemini.embeddings),
)
_COUNTS: Final = (
    (r"/messages/count_tokens$", "anthropic.count_tokens", Messages(), "input_tokens"),
    (r"/models/[^/]+:countTokens$", "gemini.count_tokens", _gemini.Gemini(), "totalTokens"),
)


@dataclass(frozen=True, slots=True)
class Request:
    """One request that arrived: what it held, and the turn that answered it."""

    path: str
    api: str
    """``openai.chat``, ``openai.responses``, ``anthropic.messages``, ``gemini.generate_content``, an ``embeddings`` or
    ``count_tokens`` name, or ``unknown``."""
    headers: Mapping[str, str]
    """Names in lower case."""
    raw: bytes
    body: Any
    """The JSON that was sent; `None` when it was none."""
    turn: Turn | None = None


class ScriptedServer:
    """
    A model provider on loopback that says what a scenario tells it to: ``with ScriptedServer(["Hello!"]) as server:``.

    Point any client at `url`: OpenAI's at ``server.url + "/v1"``, Anthropic's and Google's at ``server.url``.  A path
    is known by its end, so Azure's and other prefixes work too.  *scenario* is what `Scenario.load` takes; *port* 0 is
    any free one.  Ids count up from one in order of arrival, so a sequential run gives the same bytes every time.
    """

    def __init__(self, scenario: Scenario | Mapping[str, Any] | Sequence[Any] | str | Path, *, port: int = 0) -> None:
        self.scenario = Scenario.load(scenario)
        self.requests: deque[Request] = deque(maxlen=MAX_REQUESTS)
        """What arrived, in order."""
        self.script = Script(self.scenario)
        self.closing = threading.Event()
        self._http = _Http(("127.0.0.1", port), _Handler)
        self._http.owner = self
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._http.server_address[1])

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> ScriptedServer:
        """Begin to answer, on a thread of its own."""
        serve = self._http.serve_forever
        self._thread = threading.Thread(target=serve, args=(0.05,), name="scripted-model-server", daemon=True)
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop, and close every connection."""
        self.closing.set()
        if self._thread is not None:
            self._http.shutdown()
            self._thread.join()
        self._http.close_connections()
        self._http.server_close()

    def __enter__(self) -> ScriptedServer:  # noqa: PYI034 - Self is not in 3.10
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class _Http(ThreadingHTTPServer):
    request_queue_size = 128
    owner: ScriptedServer

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._lock = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer on a thread that no program's end waits for: clients keep connections open; `close` does wait."""
        worker = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        with self._lock:
            self._connections[request] = worker
        worker.start()

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        with self._lock:
            self._connections.pop(request, None)

    def close_connections(self) -> None:
        """Wake the threads that wait for another request on a connection that was kept open, and let all end."""
        with self._lock:
            left = dict(self._connections)
        for connection, worker in left.items():
            with contextlib.suppress(OSError):  # gone already
                connection.shutdown(socket.SHUT_RDWR)
            worker.join()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is not worth a traceback."""


class _Cut(Exception):
    """The scenario wants the connection to be closed here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Http

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name
        """Say nothing; the request log has it all."""

    def do_GET(self) -> None:
        self._json(200, {"status": "ok"})

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            body = json.loads(raw) if raw else {}
        except ValueError:
            body = None
        headers = {name.lower(): value for name, value in self.headers.items()}

        def log(api: str, turn: Turn | None = None) -> None:
            self.server.owner.requests.append(Request(self.path, api, headers, raw, body, turn))

        try:
            if isinstance(body, dict):
                self._answer(unquote(urlsplit(self.path).path), body, log)
            else:
                log("unknown")
                self._failure(Failure(status=400, message="the body is no JSON object"), _CHAT)
        except _Cut:
            self.close_connection = True

    def _answer(self, path: str, body: Mapping[str, Any], log: Callable[..., None]) -> None:
        owner = self.server.owner
        for pattern, api, dialect in _DIALECTS:
            if re.search(pattern, path):
                asked = dialect.read(body, path)
                turn, number = owner.script.next(asked)
                log(api, turn)
                self._turn(turn, number, dialect, asked, body)
                return
        for pattern, api, embed in _EMBEDDINGS:
            if re.search(pattern, path):
                log(api)
                self._json(200, embed(body, path, owner.scenario.embedding_dimensions))
                return
        for pattern, api, dialect, key in _COUNTS:
            if re.search(pattern, path):
                log(api)
                self._json(200, {key: tokens(dialect.read(body, path).sent)})
                return
        log("unknown")
        message = f"no scripted answer for {path}; known: chat/completions, responses, messages, embeddings, models/*"
        self._failure(Failure(status=404, message=message), _CHAT)

    def _turn(self, turn: Turn, number: int, dialect: Dialect, asked: Asked, body: Mapping[str, Any]) -> None:
        owner = self.server.owner
        if turn.delay:
            owner.closing.wait(turn.delay)
        failure = turn.error if asked.stream else turn.error or turn.stream_error
        if failure:
            self._failure(failure, dialect)
            return
        usage = turn.usage.complete(asked.sent, turn.answered) if turn.usage else None
        model = turn.model or asked.model
        answer = Answer(turn=turn, number=number, model=model, usage=usage, asked=asked, body=body)
        whole = dialect.reply(answer)
        if isinstance(whole.get("id"), str):
            owner.script.remember(whole["id"], asked, turn.answered)
        if asked.stream:
            self._stream(turn, dialect, dialect.events(answer))
        else:
            self._json(200, whole, cut=turn.cut_after is not None)

    def _failure(self, failure: Failure, dialect: Dialect) -> None:
        headers = {}
        if failure.retry_after is not None:
            headers["retry-after"] = f"{failure.retry_after:g}"
            headers["retry-after-ms"] = f"{failure.retry_after * 1000:g}"
        self._json(failure.status, dialect.failure(failure), headers)

    def _json(self, status: int, body: Any, headers: Mapping[str, str] | None = None, *, cut: bool = False) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if cut:
            self.wfile.write(data[: len(data) // 2])
            raise _Cut
        self.wfile.write(data)

    def _stream(self, turn: Turn, dialect: Dialect, events: Iterator[Event]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for count, event in enumerate(events):
            if count == turn.cut_after:
                raise _Cut
            if turn.stream_error and count == BEGUN:
                break
            self._event(*event)
            if turn.chunk_delay:
                self.server.owner.closing.wait(turn.chunk_delay)
        if turn.cut_after is not None:
            raise _Cut
        if turn.stream_error:
            self._event(*dialect.stream_failure(turn.stream_error))
        self.wfile.write(b"0\r\n\r\n")

    def _event(self, name: str | None, data: Any) -> None:
        text = data if isinstance(data, str) else json.dumps(data)
        block = (f"event: {name}\n" if name else "") + f"data: {text}\n\n"
        encoded = block.encode()
        self.wfile.write(f"{len(encoded):x}\r\n".encode() + encoded + b"\r\n")
