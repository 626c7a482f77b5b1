"""Tests against real services: collected only by `make integration`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

if not os.environ.get("INTEGRATION"):
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def examples():
    """The folder of examples, importable."""
    folder = Path(__file__).resolve().parents[2] / "examples"
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
