"""The command as a whole: help, version, exec, and what the docs say of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from spanledger.cli import COMMANDS, main
from spanledger.cli.launch import environment

WRITE = bool(os.environ.get("SPANLEDGER_WRITE_DOCS"))
ROOT = Path(__file__).parents[2]
MAIN = [sys.executable, "-c", "from spanledger.cli import main; main(prog_name='spanledger')"]


def test_the_version(call):
    result = call("--version")
    assert result.exit_code == 0
    assert result.output.startswith("spanledger ")


@pytest.mark.parametrize("asked", ["doctor", "runs", "--help"])
def test_a_propagator_that_is_not_there_is_told_and_left_out(asked, path, tmp_path):
    """OpenTelemetry can't be imported with it."""
    environ = {**os.environ, "OTEL_PROPAGATORS": "tracecontext,bagage", "SPANLEDGER_JOURNAL": str(tmp_path / "j.db")}
    done = subprocess.run([*MAIN, asked], capture_output=True, text=True, env=environ, check=False)
    said = "OTEL_PROPAGATORS names 'bagage', which nothing installed here provides; did you mean 'baggage'?"
    assert done.stderr == f"spanledger: {said}; carrying on without it\n"
    assert done.returncode == (1 if asked == "doctor" else 0)
    assert (f"PROBLEM {said}" in done.stdout) is (asked == "doctor")


@pytest.mark.parametrize(("named", "left"), [("tracecontext,bagage", "tracecontext"), ("bagage", "none")])
def test_a_program_runs_without_a_propagator_that_is_not_there(named, left):
    program = [sys.executable, "-c", "import opentelemetry.propagate, os; print(os.environ['OTEL_PROPAGATORS'])"]
    done = subprocess.run(
        [*MAIN, "exec", *program], capture_output=True, text=True, env={**os.environ, "OTEL_PROPAGATORS": named},
        check=False,
    )  # fmt: skip
    assert done.stdout == f"{left}\n", done.stderr
    assert "OTEL_PROPAGATORS names 'bagage'" in done.stderr


def test_options_of_the_program_are_its_own():
    """The launcher would take what looks like the beginning of one of its own."""
    options = ["--b", "--context", "x", "-h", "--version", "--"]
    program = [sys.executable, "-c", "import sys; print(sys.argv[1:])", *options]
    done = subprocess.run([*MAIN, "exec", *program], capture_output=True, text=True, check=False)
    assert done.stdout == f"{options}\n", done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize(
    "asked", [("runs",), ("runs", "--json"), ("costs",), ("show", "latest"), ("--version",), ("--help",)]
)
def test_a_full_disk_is_told_in_one_line(asked, recorded_path):
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        done = subprocess.run([*MAIN, *asked], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "spanledger: can't write the output: No space left on device\n")


def test_an_unknown_command_is_refused(call):
    result = call("rums")
    assert result.exit_code == 2
    assert "No such command 'rums'" in result.stderr


def commands(parent=main, above=None, path=""):
    """Every command and command of a group, with its path and context."""
    above = above or click.Context(main, info_name="spanledger", terminal_width=100, **main.context_settings)
    for name in parent.list_commands(above):
        command = parent.get_command(above, name)
        context = click.Context(command, info_name=name, parent=above, terminal_width=100)
        yield f"{path}{name}", command, context
        if isinstance(command, click.Group):
            yield from commands(command, context, f"{path}{name} ")


def test_every_command_has_help_and_those_that_tell_have_json():
    assert {name.split()[0] for name, _, _ in commands()} == COMMANDS.keys()
    for name, command, _ in commands():
        assert command.help
        if isinstance(command, click.Group):
            continue
        options = {option for parameter in command.params for option in parameter.opts}
        assert "--json" in options or name == "exec"


def test_the_docs_are_the_help():
    """Run with SPANLEDGER_WRITE_DOCS=1 to write the page anew."""
    page = ROOT / "docs" / "cli.md"
    text = documented()
    if WRITE:
        page.write_text(text, encoding="utf-8")
    assert page.read_text(encoding="utf-8") == text


def documented():
    parts = ["# The `spanledger` command\n\nGenerated from the commands' own help.\n"]
    whole = click.Context(main, info_name="spanledger", terminal_width=100, **main.context_settings)
    for name, command, context in (("", main, whole), *commands()):
        lines = [line.rstrip() for line in command.get_help(context).splitlines()]
        parts.append(f"## spanledger {name}".rstrip() + "\n\n```text\n" + "\n".join(lines) + "\n```\n")
    return "\n".join(parts)


def test_a_name_that_the_terminal_cannot_spell(recorded_path):
    from dataclasses import replace

    from recorded import SUPPORT, record_support

    record_support(recorded_path, row=replace(SUPPORT, name="caf\u00e9 \u6c34"))
    env = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    result = subprocess.run([*MAIN, "show", "latest"], env=env, cwd=ROOT, capture_output=True, check=True)
    assert b"caf\\xe9 \\u6c34" in result.stdout
    assert result.stderr == b""


def test_a_reader_that_goes_away_is_no_error(recorded_path):
    with subprocess.Popen(
        [*MAIN, "show", "latest"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        said = process.stderr.read()
        process.wait()
    assert b"Traceback" not in said


@pytest.mark.skipif(os.name == "nt", reason="a shell closes it")
@pytest.mark.parametrize("asked", ["show latest", "runs --json"])
def test_who_closes_standard_output_gets_the_exit_code(recorded_path, asked):
    done = subprocess.run(
        ["/bin/sh", "-c", f'"$@" {asked} >&-', "sh", *MAIN], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_our_configurator_wins_and_our_python_is_found(monkeypatch):
    env = environment({"PATH": "/bin", "OTEL_PYTHON_DISTRO": "acme", "OTEL_PYTHON_CONFIGURATOR": "acme", "X": "y"})
    assert env["OTEL_PYTHON_CONFIGURATOR"] == env["OTEL_PYTHON_DISTRO"] == "spanledger"
    assert env["X"] == "y"
    assert env["PATH"].endswith(os.pathsep + "/bin")
    assert environment(env) == env


def test_exec_hands_over_arguments_and_exit_code(path):
    code = "import os, sys; print(sys.argv[1:], os.environ['OTEL_PYTHON_CONFIGURATOR']); sys.exit(7)"
    result = subprocess.run(
        [*MAIN, "exec", "--", sys.executable, "-c", code, "--json", "-h"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.stdout == "['--json', '-h'] spanledger\n"
    assert result.returncode == 7


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_exec_is_the_program_itself(path):
    code = "import os, sys; print(os.getpid(), flush=True); sys.stdin.read()"
    process = subprocess.Popen(
        [*MAIN, "exec", sys.executable, "-c", code],
        cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        assert int(process.stdout.readline()) == process.pid
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert process.returncode == -signal.SIGKILL


def test_a_program_that_is_not_there(call):
    result = call("exec", "no-such-program")
    assert (result.exit_code, result.stderr) == (2, "spanledger: there is no program 'no-such-program' to run\n")


def test_a_launcher_that_is_not_there(call, monkeypatch, tmp_path):
    monkeypatch.setattr("spanledger.cli.launch.sysconfig.get_path", lambda name: str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    result = call("exec", "python")
    assert result.exit_code == 2
    assert "pip install opentelemetry-instrumentation" in result.stderr
