"""Programs that the tests talk to, on ports of their own on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def built(name):
    """What `make services` built."""
    program = ROOT / ".cache" / "services" / name
    if not program.exists():
        pytest.skip(f"{name.upper()} IS NOT HERE, so nothing was checked against it; `make services` builds it with Go")
    return program


def read(url):
    """What is at *url*."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


class Service:
    """``with Service(command, folder, url, ready="/path"):`` a program on loopback; *url* is where it answers."""

    def __init__(self, command, folder, url, *, ready, **env):
        self.url = url
        self.log = folder / f"{Path(command[0]).name}.log"
        self._command = [str(part) for part in command]
        self._ready = ready
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
        self._env = {**kept, **env}

    def __enter__(self):
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(self._command, env=self._env, stdout=log, stderr=subprocess.STDOUT)
        try:
            until(lambda: self._process.poll() is not None or self._answers())
            assert self._process.poll() is None, f"it did not start: {self.log.read_text()[-2000:]}"
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc):
        self._process.terminate()
        self._process.wait()

    def _answers(self):
        try:
            with urllib.request.urlopen(self.url + self._ready, timeout=2):
                return True
        except urllib.error.HTTPError as error:  # a receiver that wants a POST
            with error:
                return error.code == 405
        except OSError:
            return False

    def text(self, path, **query):
        """What it answers."""
        return read(f"{self.url}{path}?{urllib.parse.urlencode(query)}" if query else self.url + path)

    def get(self, path, **query):
        """What it answers, as JSON."""
        return json.loads(self.text(path, **query))


def until(what, seconds=60):
    """What *what* gives as soon as that is true."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        time.sleep(0.2)
    return found
