"""Text generation of watsonx, chunk by chunk, as IBM's service sends it."""

from __future__ import annotations

import pytest

from spanledger.model import Draft
from spanledger.providers.watsonx import GENERATE


def chunk(text, out, into=0, stop="not_finished"):
    result = {"generated_text": text, "generated_token_count": out, "input_token_count": into, "stop_reason": stop}
    return {"model_id": "ibm/granite-13b", "created_at": "2026-01-01T00:00:00Z", "results": [result]}


@pytest.mark.parametrize("last", [0, 68])
def test_what_was_put_in_stands_on_the_first_chunk(last):
    draft = Draft()
    for each in ({}, chunk("", 0, 68), chunk("Hello", 2), chunk(" there", 5), chunk(".", 6, last, "eos_token")):
        GENERATE.fold(draft, each)
    response = draft.build()
    assert (response.usage.input, response.usage.output) == (68, 6)
    assert response.finish_reasons == ["eos_token"]
    assert response.model == "ibm/granite-13b"
