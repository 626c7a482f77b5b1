"""Nothing that must not leave is in a run's row; what is joinable on spans is joinable there."""

from __future__ import annotations

from dataclasses import replace

from recorded import SUPPORT
from spanledger import semconv
from spanledger.config import Settings
from spanledger.journal import Archive, Journal, LiveRuns, protection
from spanledger.ledger import Ledger, Run
from spanledger.pipeline.steps import redactor_of

MAIL, CARD = "anna.schmidt@example.com", "4111 1111 1111 1111"


def test_secrets_in_every_field_that_somebody_writes_do_not_reach_the_file(path):
    journal, ledger = Journal(path), Ledger()
    live = LiveRuns(journal, ledger, describe=protection(Settings()))
    run = Run(
        id="r1", name=f"for {MAIL}", session_id=f"s {CARD}", user_id=MAIL, request_id=f"{MAIL}/1",
        labels={"card": CARD, MAIL: "key"}, agent_version=MAIL, prompt_version=MAIL,
    )  # fmt: skip
    run.last_tool, run.models = f"mail {MAIL}", {f"ft:{MAIL}": 1}
    ledger.open(run)
    assert live.close()
    everything = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert MAIL.encode() not in everything
    assert CARD.encode() not in everything
    with Archive(path) as archive:
        assert archive.run("r1").status == "running"


def test_a_user_is_spelled_as_on_the_spans():
    settings = Settings()
    on_span = redactor_of(settings).attributes({semconv.USER_ID: MAIL})[semconv.USER_ID]
    assert protection(settings)(replace(SUPPORT, user_id=MAIL)).user_id == on_span


def test_what_is_harmless_stays_as_it_is():
    assert protection(Settings())(SUPPORT) == SUPPORT


def test_without_redaction_rows_stay_as_they_are():
    assert protection(Settings(redact=False)) is None
