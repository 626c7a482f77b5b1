"""A program whose threads are gevent's: what it starts beside itself is started once, and each fork is one process."""

from __future__ import annotations

import pytest

from processes import LAUNCHER

pytest.importorskip("gevent")

SAFE = """
    from gevent import monkey; monkey.patch_all()
    import os, signal, subprocess, sys
    import gevent, openai

    FIRST = os.getpid()

    def careful():  # a mistake must not fill the machine
        signal.alarm(60)
        if os.getppid() != FIRST:
            os._exit(9)

    os.register_at_fork(after_in_child=careful)

    def ask(text):
        message = {"role": "user", "content": text}
        client.chat.completions.create(model="gpt-4o-mini", messages=[message])
"""
SUBPROCESSES = """
    client = openai.OpenAI()

    def work(number):
        said = subprocess.check_output(["echo", str(number)], text=True).strip()
        ask(said)
        with open("done", "a") as done:
            done.write(f"{os.getpid()}\\n")
        return said

    print([each.get() for each in [gevent.spawn(work, number) for number in range(6)]], os.getpid())
"""
CHILD = """
    client = openai.OpenAI()
    ask("before")
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        ask("after")
    else:
        ask("at once")
        gevent.sleep(0.1)
        ask("later")
"""
IN_CODE = """
    import spanledger
    spanledger.configure()
"""


@pytest.mark.parametrize("command", [LAUNCHER, ()], ids=["launched", "in code"])
def test_what_another_program_is_started_for_is_done_once(ended, runs_of, tmp_path, command):
    out, err = ended(SAFE + ("" if command else IN_CODE) + SUBPROCESSES, *command, OTEL_TRACES_EXPORTER="none")
    said, _, pid = out.strip().rpartition(" ")
    assert said == str([str(number) for number in range(6)])
    assert (tmp_path / "done").read_text().split() == [pid] * 6
    assert [run.status for run in runs_of()] == ["success"] * 6
    assert "carries on without" not in err


@pytest.mark.parametrize("command", [LAUNCHER, ()], ids=["launched", "in code"])
def test_a_forked_child_delivers_what_it_did_itself(ended, runs_of, command):
    ended(SAFE + ("" if command else IN_CODE) + CHILD, *command, OTEL_TRACES_EXPORTER="none")
    assert [run.status for run in runs_of()] == ["success"] * 4
