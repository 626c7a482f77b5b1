"""What the documentation says is there: files, headings, targets, commands, settings; and the page of settings."""

from __future__ import annotations

import ast
import inspect
import os
import re
from dataclasses import MISSING, fields
from pathlib import Path

import click
import pytest
import yaml

from spanledger.cli import main
from spanledger.config import Settings
from spanledger.errors import ConfigurationError

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md")), ROOT / "collector-config" / "README.md"]
SETTINGS = ROOT / "docs" / "configuration.md"
WRITE = bool(os.environ.get("SPANLEDGER_WRITE_DOCS"))
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def blocks(page, *languages):
    return [
        body
        for language, body in re.findall(
            r"^ *```(\w*)\n(.*?)^ *```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
        )
        if language in languages
    ]


def headings(page):
    found = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


@each_page
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith(("https://", "http://")):
            continue
        path, _, anchor = target.partition("#")
        there = page.parent / path if path else page
        assert there.exists(), target
        assert not anchor or anchor in headings(there), target


@each_page
def test_targets_of_make_are_there(page):
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    lanes = {f"lane-{path.stem}" for path in (ROOT / "tests" / "lanes").glob("*.txt")}
    named = set(
        re.findall(r"(?:`|\$ |^    )(?:\w+=\S+ )*make ([a-z][a-z-]*)", page.read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert named <= known | lanes


@each_page
def test_commands_and_their_options_are_there(page):
    text = page.read_text(encoding="utf-8")
    for line in re.findall(r"(?:`|\$ |^    )spanledger ([a-z][^`\n#]*)", text, re.MULTILINE):
        words, command = line.split(), main
        while words and isinstance(command, click.Group):
            command = command.get_command(click.Context(command), words.pop(0))
            assert command is not None, line
        options = {option for parameter in command.params for option in parameter.opts} | {"--help", "-h"}
        if command.name == "exec":  # the rest is another program's
            continue
        assert {word.rstrip(",;.:)") for word in words if re.match(r"--[a-z]", word)} <= options, line


@each_page
def test_variables_are_settings(page):
    known = {f"SPANLEDGER_{field.name.upper()}" for field in fields(Settings)} | {"SPANLEDGER_CONFIG"}
    assert set(re.findall(r"SPANLEDGER_[A-Z_]+\b", page.read_text(encoding="utf-8"))) - {"SPANLEDGER_"} <= known


@each_page
def test_blocks_of_python_are_python_and_those_of_yaml_are_settings(page, tmp_path):
    for block in blocks(page, "python"):
        ast.parse(inspect.cleandoc(block))
    for block in blocks(page, "yaml"):
        if not isinstance(yaml.safe_load(block), dict):
            continue
        (tmp_path / "spanledger.yaml").write_text(block, encoding="utf-8")
        try:
            Settings.load({}, tmp_path / "spanledger.yaml")
        except ConfigurationError as error:
            pytest.fail(f"{error}\n{block}")


# --- the page of settings ----------------------------------------------------------------------------------------------

HEAD = """# Configuration

Generated from the settings. A setting is an argument of `spanledger.configure()`, a variable of the environment (its name
in upper case behind `SPANLEDGER_`, so `SPANLEDGER_FLUSH_SECONDS`), and a key of the file: `spanledger.yaml` in the working
directory, or the one that `SPANLEDGER_CONFIG` names. Arguments win over variables, variables over the file. Where several
values are allowed a variable separates them by commas; mappings and lists of them stand in the file, or are objects in code.

What is no setting, or no value for one, is named with its place and the nearest valid word: by an exception in code;
under the launcher by a warning, and everything else that was set holds. `spanledger doctor` tells of it afterwards, too.

| setting | unless you say so | what |
|---|---|---|
"""
TAIL = """
Content is switched by the standard variable `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`, which is the setting
`content`. OpenTelemetry's own variables (`OTEL_SERVICE_NAME`, `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_TRACES_EXPORTER`,
`OTEL_METRICS_EXPORTER` and the rest) mean what they always do under the launcher. A program that calls `configure()` itself
exports spans to the endpoint that they name, and all else as its own set-up of OpenTelemetry says.

More about [limits](limits.md), [redaction and sizes](redaction.md), [prices](costs.md) and [the journal](journal.md).
"""


def told(name):
    """What stands below a setting in the source."""
    (kind,) = [node for node in ast.parse(inspect.getsource(Settings)).body if isinstance(node, ast.ClassDef)]
    for before, after in zip(kind.body, kind.body[1:], strict=False):
        if isinstance(before, ast.AnnAssign) and before.target.id == name and isinstance(after, ast.Expr):
            return " ".join(after.value.value.replace("``", "`").split()).replace("|", "\\|")
    return None


def shown(field):
    if field.default is MISSING:
        return "built in"
    if field.default is None:
        return "unset"
    if isinstance(field.default, tuple):
        return ", ".join(f"`{value}`" for value in field.default) or "none"
    if isinstance(field.default, bool):
        return f"`{str(field.default).lower()}`"
    return f"`{field.default:_}`" if isinstance(field.default, int) else f"`{field.default}`"


def test_the_page_of_settings_says_what_they_are():
    lines = [f"| `{field.name}` | {shown(field)} | {told(field.name)} |" for field in fields(Settings)]
    assert not [line for line in lines if line.endswith("| None |")]
    page = HEAD + "\n".join(lines) + "\n" + TAIL
    if WRITE:
        SETTINGS.write_text(page, encoding="utf-8")
    assert SETTINGS.read_text(encoding="utf-8") == page, "SPANLEDGER_WRITE_DOCS=1 pytest tests/test_docs.py writes it"
