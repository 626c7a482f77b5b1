from __future__ import annotations

import pytest

from spanledger import shield


@pytest.fixture(autouse=True)
def _strict():
    shield.strict()
    yield
    shield.strict(False)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "journal.db"
