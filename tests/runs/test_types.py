"""What a type checker makes of runs, steps and tools."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import spanledger

USE = Path(__file__).with_name("typed_use.py")
PACKAGE = Path(spanledger.__file__).parent


def test_the_package_says_that_it_is_typed():
    assert (PACKAGE / "py.typed").is_file()


def test_a_strict_checker_finds_the_types_of_every_use(tmp_path):
    pytest.importorskip("mypy")
    (tmp_path / "none.ini").write_text("[mypy]\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--config-file", tmp_path / "none.ini",
         "--cache-dir", tmp_path / "cache", USE],
        capture_output=True, text=True, cwd=tmp_path, check=False, env={**os.environ, "MYPYPATH": str(PACKAGE.parent)},
    )  # fmt: skip
    assert done.stdout.splitlines()[-1:] == ["Success: no issues found in 1 source file"], done.stdout + done.stderr
