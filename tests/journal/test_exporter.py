"""Spans of runs are kept, as JSON can hold them; others are not ours."""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.sdk.trace.export import SpanExportResult

from recorded import RUN, SUPPORT, Recorder, record_support
from spanledger import semconv
from spanledger.journal import Archive, Journal, JournalSpanExporter
from spanledger.journal.program import version_of
from spanledger.journal.rows import plain


def test_spans_outside_any_run_are_not_kept(path):
    journal = Journal(path, days=100_000)
    with Recorder(journal).provider.get_tracer("web").start_as_current_span("GET /"):
        pass
    assert not path.exists()


def test_a_run_that_only_spans_tell_of_gets_its_row_from_its_own_span(path):
    make = Recorder(Journal(path, days=100_000))
    facts = {
        semconv.RUN_STATUS: "success", semconv.RUN_STOP_REASON: "completed", semconv.RUN_STEPS: 2,
        semconv.RUN_COST: 0.25, semconv.LABEL + "team": "a", semconv.USER_ID: "u", semconv.AGENT_NAME: "solo",
    }  # fmt: skip
    with make.span("invoke_agent solo", 0, 5, facts=facts), make.span("inner", 1, 2):
        pass
    with Archive(path) as archive:
        run = archive.run("latest")
    assert (run.name, run.status, run.stop_reason) == ("solo", "success", "completed")
    assert (run.steps, str(run.cost)) == (2, "0.25")
    assert (run.labels, run.user_id, run.service_name) == ({"team": "a"}, "u", "shop")


def test_the_ledgers_row_is_believed_over_the_spans(path):
    record_support(path)
    make = Recorder(Journal(path, days=100_000))
    with make.span("invoke_agent other", 0, 5, facts={semconv.RUN_STATUS: "success"}):
        pass
    with Archive(path) as archive:
        assert archive.run(RUN) == SUPPORT


def test_events_links_and_status_are_kept(path):
    journal = Journal(path, days=100_000)
    make = Recorder(journal)
    with make.span("failed", 0, 1, status="it broke") as span:
        span.add_event("exception", {"exception.type": "ValueError"}, timestamp=7)
        span.add_link(trace.SpanContext(1, 2, is_remote=False), {"why": "because"})
    with Archive(path) as archive:
        [row] = archive.spans(RUN)
    assert (row.status, row.description) == ("ERROR", "it broke")
    assert row.events == [{"name": "exception", "time": 7, "attributes": {"exception.type": "ValueError"}}]
    assert row.links == [{"trace_id": "0" * 31 + "1", "span_id": "0" * 15 + "2", "attributes": {"why": "because"}}]


def test_what_json_has_no_word_for_is_named_by_its_kind():
    value = {"b": b"\xff\x00", "n": float("nan"), "o": object(), "t": (1, None, {"x": 2.5})}
    assert plain(value) == {"b": "<2 bytes>", "n": "nan", "o": "<object>", "t": [1, None, {"x": 2.5}]}


def test_a_journal_that_cannot_be_written_is_a_failed_export(tmp_path):
    (tmp_path / "file").write_text("in the way")
    journal = Journal(tmp_path / "file" / "journal.db")
    kept = []
    make = Recorder(journal)
    with make.span("x", 0, 1) as span:
        kept.append(span)
    exporter = JournalSpanExporter(journal)
    assert exporter.export(kept) is SpanExportResult.FAILURE
    assert exporter.export([]) is SpanExportResult.SUCCESS
    assert exporter.force_flush()
    exporter.shutdown()
    assert journal.lost == {"spans": 2}


def test_a_name_that_is_half_a_surrogate_pair_does_not_lose_the_batch(path):
    make = Recorder(Journal(path, days=100_000))
    with make.span("half \ud800 a pair", 0, 1):
        pass
    with Archive(path) as archive:
        assert archive.spans(RUN)[0].name == "half ? a pair"


def test_the_program_is_named_as_its_resource_says(monkeypatch):
    for name in ("GIT_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA", "SOURCE_VERSION"):
        monkeypatch.delenv(name, raising=False)
    assert version_of({"service.name": "unknown_service:python"}).service_name is None
    assert version_of({"service.name": "shop", "vcs.ref.head.revision": "abc"}).commit_id == "abc"
    monkeypatch.setenv("GIT_COMMIT", "def")
    assert version_of({}).commit_id == "def"
