from __future__ import annotations

import inspect
import os

import pytest
from click.testing import CliRunner

from recorded import record_support
from spanledger.cli import main


@pytest.fixture
def path(tmp_path, monkeypatch):
    for name in list(os.environ):
        if name.startswith(("OTEL_", "SPANLEDGER_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "220")
    return tmp_path / "state" / "spanledger" / "journal.db"


@pytest.fixture
def recorded_path(path):
    record_support(path)
    return path


@pytest.fixture
def call(path):
    separate = {"mix_stderr": False} if "mix_stderr" in inspect.signature(CliRunner).parameters else {}  # click < 8.2

    def invoke(*arguments):
        result = CliRunner(**separate).invoke(main, arguments)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke
