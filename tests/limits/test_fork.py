"""A forked child goes on with what is its own, whatever its parent was doing."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback

import pytest

from spanledger.limits import Budget, Limits

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")


def in_child(work):
    """Whether *work* went well in a forked child."""
    child = os.fork()
    if child == 0:
        code = 1
        signal.alarm(30)
        try:
            work()
            code = 0
        except BaseException:  # noqa: BLE001
            traceback.print_exc(file=sys.__stderr__)
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_of_a_parent_in_the_middle_of_a_decision(store, run, ask, answered):
    limits = Limits([Budget(scope="user", tokens=4000, action="stop")], store=store)
    ask(limits, run)
    limits.settle_model(run, ask(limits, run), answered())
    taken, over = threading.Event(), threading.Event()

    def hold_everything():
        with getattr(store, "lock", None) or store._lock, limits.outage._lock, limits._states._lock:
            taken.set()
            over.wait(60)

    def work():
        limits.settle_model(run, ask(limits, run), answered(tokens=10, output=1))

    other = threading.Thread(target=hold_everything)
    other.start()
    taken.wait(60)
    try:
        assert in_child(work)
    finally:
        over.set()
        other.join()
    (standing,) = limits.standing(run)
    assert (standing.spent, standing.held) == ((1111, 1100) if store.shared else (1100, 1100))
