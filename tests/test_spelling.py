"""What somebody may have meant."""

from __future__ import annotations

import pytest

from spanledger.spelling import hint, nearest


@pytest.mark.parametrize(
    ("word", "valid", "said"),
    [
        ("stepps", ["usd", "steps"], "did you mean 'steps'?"),
        ("STEPS", ["usd", "steps"], "did you mean 'steps'?"),
        ("spanledger_redakt", ["SPANLEDGER_REDACT"], "did you mean 'SPANLEDGER_REDACT'?"),
        ("qqq", ["b", "a"], "valid: b, a"),
        (None, ["a"], "valid: a"),
        ("x", iter(["a", "b"]), "valid: a, b"),
    ],
)
def test_the_nearest_is_named_or_all_that_there_are(word, valid, said):
    assert hint(word, valid) == said


def test_nothing_is_near_to_nothing():
    assert nearest("steps", []) is None
