"""
The fixture `spanledger_spans`.  Loaded into every pytest run of an environment that has spanledger, so it does nothing
until a test asks for it, but for one thing: it keeps pytest from rewriting spanledger.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .testing import Spans

__all__ = ["pytest_addoption", "spanledger_spans"]


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """
    Have our modules imported as they are.

    pytest parses every module of a plugin's package, to tell more of assertions that fail; ours has none to tell of.
    Some are imported by threads of ours, and before 3.11.8 two threads that parse at once may raise `SystemError`
    (https://github.com/python/cpython/issues/106905).
    """
    marked = getattr(pluginmanager.rewrite_hook, "_must_rewrite", None)
    if isinstance(marked, set):
        marked.discard("spanledger")


@pytest.fixture
def spanledger_spans() -> Iterator[Spans]:
    """The spans that end during the test; clients and tools are watched for as long, if nobody watches them yet."""
    from . import setup  # noqa: PLC0415 - only for who asks
    from .instrument import instrument  # noqa: PLC0415
    from .testing import capture_spans  # noqa: PLC0415

    with ExitStack() as stack:
        spans = stack.enter_context(capture_spans())
        made = setup.current()
        if made is None or made.instrumentation is None:
            stack.enter_context(instrument())
        yield spans
