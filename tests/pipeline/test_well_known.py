"""What people write where they need a value that looks real: it has the form, and goes like a real one."""

from __future__ import annotations

import pytest

from spanledger.pipeline import redacted


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("key AKIAIOSFODNN7EXAMPLE is live", "key [AWS_KEY] is live"),
        ("key AKIA1234567890ABCDEF is live", "key [AWS_KEY] is live"),
        ("ASIAI44QH8DHBEXAMPLE", "[AWS_KEY]"),
        ("use sk-proj-example1234567890abcdefghij", "use [OPENAI_KEY]"),
        ("reach me on (555) 123-4567", "reach me on [PHONE]"),
        ("he said 555-123-4567, I think", "he said [PHONE], I think"),
    ],
)
def test_the_values_of_examples_go(text, left):
    assert redacted(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "AKIAXXXXXXXXXXXXXXXX", "sk-your-api-key-goes-here-000", "hf_EXAMPLEabcdefghijklmnopqrstuvwxyz", "AKIA12345",
        "312-155-0142", "f(123) 123-4567", "sk-proj-xxxxxxxxxxxxxxxx12345678",
    ],
)  # fmt: skip
def test_gaps_to_fill_in_and_other_numbers_stay(text):
    assert redacted(text) == text
