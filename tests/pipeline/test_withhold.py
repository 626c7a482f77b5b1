"""Arguments and results: stored by time, by sample and by outcome, else only as hashes."""

from __future__ import annotations

import base64

import pytest

from spanledger import hashing, semconv
from spanledger.config import Settings
from spanledger.errors import ConfigurationError
from spanledger.pipeline import Record, default_pipeline
from spanledger.pipeline.withhold import CAPTURE_UNTIL, Withhold
from spanledger.policy import read_moment

UNTIL = "2026-11-20T18:00:00Z"


def at(finished, moment, **settings):
    record = Record.of(finished(attributes={semconv.TOOL_ARGUMENTS: '{"to": "jane@leak.com"}'}))
    Withhold(Settings(capture_until=UNTIL, **settings), clock=lambda: read_moment(moment))(record)
    return record.attributes


def test_an_incident_window_opens_and_closes(finished):
    during = at(finished, "2026-11-20T17:59:59Z")
    assert during[semconv.TOOL_ARGUMENTS]
    assert during[CAPTURE_UNTIL] == UNTIL
    after = at(finished, "2026-11-20T18:00:00Z")
    assert semconv.TOOL_ARGUMENTS not in after
    assert CAPTURE_UNTIL not in after


def test_what_the_window_stores_is_redacted(finished):
    settings = Settings(capture_until="2999-01-01T00:00Z")
    found = default_pipeline(settings)(finished(attributes={semconv.TOOL_ARGUMENTS: '{"to": "jane@leak.com"}'}))
    assert found.attributes[semconv.TOOL_ARGUMENTS] == '{"to": "[EMAIL]"}'


def test_a_moment_that_is_none_is_an_error():
    with pytest.raises(ConfigurationError, match="2026-11-20T18:00Z"):
        Settings(capture_until="tomorrow")
    assert read_moment("2026-11-20T18:00+01:00") == read_moment("2026-11-20T17:00")


def sampled(finished, rate, **attributes):
    span = finished(attributes={semconv.TOOL_RESULT: "sent", **attributes})
    settings = Settings(store_results="sampled", store_results_rate=rate)
    return default_pipeline(settings)(span).attributes


def test_results_are_sampled_by_run(finished):
    kept = [semconv.TOOL_RESULT in sampled(finished, 0.5, **{semconv.RUN_ID: f"run-{i}"}) for i in range(200)]
    assert 60 < sum(kept) < 140
    again = [semconv.TOOL_RESULT in sampled(finished, 0.5, **{semconv.RUN_ID: f"run-{i}"}) for i in range(200)]
    assert kept == again


@pytest.mark.parametrize(
    "attributes",
    [{semconv.TOOL_STATUS: "error"}, {semconv.ERROR_TYPE: "500"}, {semconv.RUN_STOP_REASON: "loop_detected"},
     {semconv.RUN_STOP_REASON: "killed"}],
)  # fmt: skip
def test_results_of_failures_loops_and_stops_are_always_kept(finished, attributes):
    assert semconv.TOOL_RESULT in sampled(finished, 0.0, **attributes)
    assert semconv.TOOL_RESULT not in sampled(finished, 0.0)


def test_while_keys_overlap_old_and_new_spans_join(finished, monkeypatch):
    old, new = (base64.b64encode(byte * 32).decode() for byte in (b"o", b"n"))
    span = finished(attributes={semconv.TOOL_ARGUMENTS: "{}"})
    monkeypatch.setattr(hashing, "_hasher", hashing.Hasher(Settings(hash_key=old)))
    before = default_pipeline(Settings())(span).attributes[semconv.TOOL_ARGS_HASH]
    monkeypatch.setattr(hashing, "_hasher", hashing.Hasher(Settings(hash_key=new, hash_key_previous=old)))
    after = default_pipeline(Settings())(span).attributes
    assert after[semconv.TOOL_ARGS_HASH] != before
    assert after[f"{semconv.TOOL_ARGS_HASH}.previous"] == before
