"""Rules of the house that are gates, not wishes."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

import spanledger

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "src").rglob("*.py"))
OUTSIDE = sorted(path for folder in ("benchmarks", "examples") for path in (ROOT / folder).glob("*.py"))
BANNED = re.compile(r"_?(utils?|helpers?|common|misc|base|manager)s?$")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_modules_are_small_named_for_what_they_are_and_say_why_they_exist(path):
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert len(text.splitlines()) <= 300
    assert ast.get_docstring(tree)
    assert not BANNED.search(path.stem)
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert node.end_lineno - node.lineno < 60, f"{node.name} is too long"


@pytest.mark.parametrize("path", OUTSIDE, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_no_other_test_runs_imports_names_of_ours_that_are_there(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "spanledger":
            module = import_module(node.module)
            for name in node.names:
                assert hasattr(module, name.name) or find_spec(f"{node.module}.{name.name}"), name.name


def test_public_names_are_sorted_and_there():
    assert spanledger.__all__ == sorted(spanledger.__all__)
    for name in spanledger.__all__:
        assert getattr(spanledger, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = spanledger.nothing


def test_importing_the_package_costs_next_to_nothing():
    code = (
        "import sys, spanledger; print(sorted(m for m in sys.modules if m.split('.')[0] in ('opentelemetry', 'wrapt')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_asking_for_every_public_name_brings_in_no_client_and_nothing_that_only_patching_needs():
    late = ["wrapt", "asyncio", "importlib.metadata", "ssl", "email", "tempfile", "sqlite3", "genai_prices",
            "phonenumbers", "yaml", "rich", "click", "rfc8785", "openai", "httpx", "pydantic"]  # fmt: skip
    code = (
        "import sys, opentelemetry.sdk.trace.export; before = set(sys.modules); import spanledger; "
        "[getattr(spanledger, name) for name in spanledger.__all__]; "
        f"print([m for m in {late!r} if m in sys.modules and m not in before])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n", done.stdout


def test_configuring_leaves_alone_what_only_a_span_or_an_sdk_in_use_needs(tmp_path):
    late = ["opentelemetry.sdk.metrics", "opentelemetry.sdk._logs", "spanledger.pipeline.detect", "genai_prices",
            "phonenumbers", "multiprocessing", "yaml", "rich", "click", "difflib", "statistics"]  # fmt: skip
    code = f"import sys, spanledger; spanledger.configure(); print([m for m in {late!r} if m in sys.modules])"
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("OTEL_", "SPANLEDGER_"))}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path,
        env={**clean, "XDG_STATE_HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.stdout == "[]\n", done.stdout
