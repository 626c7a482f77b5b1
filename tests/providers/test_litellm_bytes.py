"""LiteLLM hands on the bytes of a provider's stream as they came off the wire, cut anywhere."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanledger.model import Draft
from spanledger.providers.litellm import ADAPTER

EVENTS = [
    {"type": "message_start", "message": {"id": "m1", "model": "claude-haiku-4-5", "usage": {"input_tokens": 7, "output_tokens": 1}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "data: é\n}"}},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}},
    {"type": "message_stop"},
]  # fmt: skip


def wire(end="\n"):
    lines = [f"event: {event['type']}{end}data: {json.dumps(event, ensure_ascii=False)}{end}{end}" for event in EVENTS]
    return f": OPENROUTER PROCESSING{end}{end}{''.join(lines)}data: [DONE]{end}{end}"


@pytest.fixture(scope="module")
def endpoint():
    (seam,) = (seam for seam in ADAPTER.seams if "create" in (seam.sync, seam.asyncio))
    return seam.recognize(None, (), {"model": "anthropic/claude-haiku-4-5", "messages": []}).endpoint


def read(endpoint, chunks):
    draft = Draft()
    for chunk in chunks:
        endpoint.fold(draft, chunk)
    answer = draft.build()
    parts = [part for message in answer.messages for part in message["parts"]]
    return answer.id, answer.usage.input, answer.usage.output, answer.finish_reasons, parts


def whole(endpoint):
    found = read(endpoint, EVENTS)
    assert found[1:3] == (7, 5)
    assert found[4] == [{"type": "text", "content": "data: é\n}"}]
    return found


@given(st.sampled_from(["\n", "\r\n"]), st.lists(st.integers(0, len(wire("\r\n").encode())), max_size=12))
def test_where_a_stream_is_cut_changes_nothing(endpoint, end, cuts):
    data = wire(end).encode()
    edges = [0, *sorted(cuts), len(data)]
    assert read(endpoint, [data[a:b] for a, b in itertools.pairwise(edges)]) == whole(endpoint)


def test_a_line_for_each_chunk_needs_no_line_end(endpoint):
    assert read(endpoint, [line for line in wire().splitlines() if line]) == whole(endpoint)
