"""``make phoenix``: a Phoenix on loopback, the demo shipped to it, and the address of its trace."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = "support-agent"


class Phoenix:
    """A Phoenix server of its own: free ports, an empty database in *folder*, no word to the outside."""

    def __init__(self, program: Path, folder: Path) -> None:
        self.program = program
        self.folder = folder
        self.url = ""
        self.log = folder / "phoenix.log"
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> Phoenix:
        self.folder.mkdir(parents=True, exist_ok=True)
        web, grpc = free_ports(2)
        self.url = f"http://127.0.0.1:{web}"
        env = {name: value for name, value in os.environ.items() if not name.startswith(("PHOENIX_", "OTEL_"))}
        env.update(
            PHOENIX_WORKING_DIR=str(self.folder.resolve()), PHOENIX_HOST="127.0.0.1", PHOENIX_PORT=str(web),
            PHOENIX_GRPC_PORT=str(grpc), PHOENIX_ALLOW_EXTERNAL_RESOURCES="false", PHOENIX_TELEMETRY_ENABLED="false",
            PHOENIX_DISABLE_AGENT_ASSISTANT="true", PHOENIX_ENABLE_MCP_SERVER="false",
        )  # fmt: skip
        with self.log.open("wb") as log:
            command = [str(self.program), "serve"]
            self._process = subprocess.Popen(command, env=env, stdout=log, stderr=subprocess.STDOUT)
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()

    def _wait(self, seconds: float = 180) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=2):
                    return
            except OSError:
                time.sleep(0.2)
        raise RuntimeError(f"Phoenix did not start; see {self.log}")

    def get(self, path: str) -> dict:
        """What its REST interface answers; empty when there is no such thing yet."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                if error.code != 404:
                    raise
                return {}

    def spans(self, project: str, seconds: float = 60) -> list[dict]:
        """All spans of *project*, as soon as a root is among them."""
        deadline = time.monotonic() + seconds
        found: list[dict] = []
        while time.monotonic() < deadline:
            found = self.get(f"/v1/projects/{project}/spans?limit=1000").get("data", [])
            if any(not span.get("parent_id") for span in found):
                return found
            time.sleep(0.3)
        raise RuntimeError(f"no whole trace arrived in Phoenix: {[span['name'] for span in found]}")

    def trace_url(self, project: str, trace_id: str) -> str:
        """Where to look at a trace."""
        projects = {item["name"]: item["id"] for item in self.get("/v1/projects").get("data", [])}
        return f"{self.url}/projects/{projects[project]}/traces/{trace_id}"


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on just now; never the standard ones."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def run_demo(phoenix: Phoenix, **more: str) -> subprocess.CompletedProcess:
    """The demo, its spans shipped to *phoenix* as well."""
    env = {
        **os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": phoenix.url,
        "OTEL_RESOURCE_ATTRIBUTES": f"openinference.project.name={PROJECT}", **more,
    }  # fmt: skip
    return subprocess.run([sys.executable, str(HERE / "demo.py")], env=env, check=False)


def main() -> int:
    once = bool(os.environ.get("PHOENIX_ONCE"))
    program = HERE.parent / ".venv-phoenix" / "bin" / "phoenix"
    print("Phoenix starts; this takes some ten seconds", flush=True)
    with Phoenix(program, Path(".cache") / "phoenix") as phoenix:
        print(f"Phoenix is on {phoenix.url}, its log in {phoenix.log}", flush=True)
        if code := run_demo(phoenix).returncode:
            return code
        root = next(span for span in phoenix.spans(PROJECT) if not span.get("parent_id"))
        print(f"\nThe trace in Phoenix:\n{phoenix.trace_url(PROJECT, root['context']['trace_id'])}", flush=True)
        if not once:
            print("Ctrl-C stops Phoenix.", flush=True)
            try:
                while True:
                    time.sleep(3600)
            except KeyboardInterrupt:
                print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
