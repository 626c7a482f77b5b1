"""Nothing that must not leave is in a run's row; what is joinable on spans is joinable there."""

from __future__ import annotations

from dataclasses import replace

from recorded import SUPPORT
from spanledger import semconv
from spanledger.config import Settings
from spanledger.hashing import hasher
from spanledger.journal import Archive, Journal, LiveRuns, protection
from spanledger.ledger import Ledger, Run
from spanledger.pipeline.steps import identity_of, redactor_of
from spanledger.policy import Policy

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
    on_span = {semconv.USER_ID: MAIL}
    identity_of(settings).attributes(on_span)
    on_span = redactor_of(settings).attributes(on_span)
    row = protection(settings)(replace(SUPPORT, user_id=MAIL))
    assert row.user_id == on_span[semconv.USER_ID] == hasher().hash(MAIL, "user").text


def test_users_are_hashed_where_nothing_is_redacted():
    settings = Settings(redact=False, policy=Policy(user_id="hash"))
    row = protection(settings)(replace(SUPPORT, user_id="u-1"))
    assert row.user_id == hasher().hash("u-1", "user").text
    assert row.session_id == SUPPORT.session_id
    assert protection(Settings(redact=False)) is None


def decided(**words):
    said = {"outcome": "stop", "limit": "usd", "scope": "user", "subject": MAIL, "step": 3, "time": 1, "value": "5"}
    return [{**said, "reason": "$5 of this user is used", **words}]


def test_decisions_name_nobody_that_the_row_does_not_name():
    for settings in (Settings(), Settings(policy=Policy(user_id="hash")), Settings(policy=Policy(user_id="drop"))):
        row = protection(settings)(
            replace(SUPPORT, user_id=MAIL, decisions=decided(why=f"ask {MAIL}", by=MAIL, reason=f"mail {MAIL}"))
        )
        assert MAIL not in str(row)
        assert row.decisions[0]["subject"] == row.user_id
        assert (row.decisions[0]["value"], row.decisions[0]["step"]) == ("5", 3)


def test_a_row_that_can_not_be_described_keeps_the_numbers_of_its_decisions():
    row = replace(SUPPORT, decisions=decided(by=MAIL)).anonymous()
    assert row.decisions == [
        {"outcome": "stop", "limit": "usd", "scope": "user", "step": 3, "value": "5", "time": 1}
    ]  # fmt: skip


def test_what_is_harmless_stays_as_it_is():
    assert protection(Settings())(SUPPORT) == SUPPORT


def test_without_redaction_rows_stay_as_they_are():
    assert protection(Settings(redact=False)) is None


def test_a_user_is_found_and_forgotten_by_the_id_that_was_given(tmp_path):
    journal = Journal(tmp_path / "j.db", days=100_000)
    journal.write_runs([protection(Settings())(replace(SUPPORT, user_id=MAIL))])
    journal.close()
    with Archive(tmp_path / "j.db") as archive:
        (row,) = archive.runs(user=MAIL)
        assert row.user_id != MAIL
        assert archive.runs(user=row.user_id) == [row]
        assert archive.runs(user="somebody@else.example") == []
        assert archive.delete_user(MAIL)[0] == 1
        assert archive.runs() == []
