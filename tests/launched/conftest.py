"""A program that is started, and what became of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from processes import BIN
from spanledger.journal import Archive
from spanledger.testing import ScriptedServer


@pytest.fixture(autouse=True)
def _signals_as_in_a_terminal():
    """Tests that are started in the background, or by `nohup`, ignore signals, and what they start inherits that."""
    ours = [getattr(signal, name) for name in ("SIGINT", "SIGHUP") if hasattr(signal, name)]
    ours = [one for one in ours if signal.getsignal(one) is signal.SIG_IGN]
    for one in ours:
        signal.signal(one, signal.default_int_handler)  # what has a handler here is back to its default over there
    yield
    for one in ours:
        signal.signal(one, signal.SIG_IGN)


@pytest.fixture
def model():
    with ScriptedServer(["Hello"] * 20) as server:
        yield server


@pytest.fixture
def start(tmp_path, model):
    def start(code, *command, **env):
        program = tmp_path / "agent.py"
        program.write_text(textwrap.dedent(code))
        environ = {k: v for k, v in os.environ.items() if not k.startswith(("OTEL_", "SPANLEDGER_"))}
        environ |= {
            "OPENAI_BASE_URL": f"{model.url}/v1", "OPENAI_API_KEY": "none", "HOME": str(tmp_path),
            "XDG_STATE_HOME": str(tmp_path / "state"), "SPANLEDGER_JOURNAL": str(tmp_path / "journal.db"),
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY", "PATH": f"{BIN}:{os.environ['PATH']}",
            "SPANLEDGER_FLUSH_SECONDS": "60",  # a busy machine is no failure
        }  # fmt: skip
        command = command or (sys.executable,)
        return subprocess.Popen(
            [*command, str(program)], env=environ | env, cwd=tmp_path, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    return start


@pytest.fixture
def ended(start):
    def ended(code, *command, **env):
        process = start(code, *command, **env)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        return out, err

    return ended


@pytest.fixture
def runs_of(tmp_path):
    def runs_of():
        with Archive(tmp_path / "journal.db") as archive:
            return archive.runs()

    return runs_of
