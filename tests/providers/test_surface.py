"""
What each client can be asked that costs money, as of the version that was looked at last.

A line is ``seen NAME``, ``unseen NAME`` (it costs money and is not watched) or ``other NAME`` (it costs nothing, or only
by the hour).  With SPANLEDGER_WRITE_SURFACE=1 new names are added, as ``seen`` or ``other``; then look at the others.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import pytest

from spanledger.providers import ADAPTERS
from surface import surface

WRITE = bool(os.environ.get("SPANLEDGER_WRITE_SURFACE"))
FOLDER = Path(__file__).parent / "surface"


def known(path):
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {name: mark for mark, _, name in (line.partition(" ") for line in lines)}


@pytest.mark.parametrize("package", [adapter.package for adapter in ADAPTERS])
def test_nothing_new_goes_by_unnoticed(package):
    path = FOLDER / f"{package}.txt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = surface(package)
        except ImportError:
            pytest.skip(f"{package} is not installed")
    written = known(path)
    if WRITE:
        for name, seen in found.items():
            if seen or written.get(name) in (None, "seen"):
                written[name] = "seen" if seen else "other"
        path.write_text("".join(f"{mark} {name}\n" for name, mark in sorted(written.items())), encoding="utf-8")
    assert not sorted(set(found) - set(written)), "new: look at them, then run with SPANLEDGER_WRITE_SURFACE=1"
    wrong = {name: written[name] for name, seen in found.items() if seen != (written[name] == "seen")}
    assert not wrong
