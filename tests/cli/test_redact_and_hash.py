"""`spanledger redact` and `spanledger hash`."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

import spanledger
from spanledger.cli import main

TEXT = "mail dana@example.com, card 4111 1111 1111 1111\n"


@pytest.fixture
def ran():
    def ran(*words, given=None):
        done = CliRunner().invoke(main, words, input=given)
        assert done.exit_code == 0, done.output
        return done.output

    return ran


def test_a_text_is_printed_as_it_would_leave(ran):
    assert ran("redact", given=TEXT) == "mail [EMAIL], card [CARD]\n"


def test_a_file_is_read(ran, tmp_path):
    file = tmp_path / "a.json"
    file.write_text(json.dumps({"content": TEXT}))
    assert json.loads(ran("redact", str(file)))["content"] == "mail [EMAIL], card [CARD]\n"


def test_it_says_what_would_go_and_why(ran):
    said = ran("redact", "--explain", given=json.dumps({"a": [TEXT]}))
    assert "EMAIL" in said
    assert "check digit" in said
    found = json.loads(ran("redact", "--json", given=json.dumps({"a": [TEXT]})))["found"]
    assert [(one["label"], one["path"]) for one in found] == [("EMAIL", "a[0]"), ("CARD", "a[0]")]
    assert ran("redact", "--explain", given="all is well") == "nothing would go\n"


def test_the_hash_is_the_one_on_the_span(ran, spans):
    with spanledger.tool("send", arguments={"to": "dana@example.com", "n": 1}):
        pass
    on_span = spans()[0].attributes["agent.tool.call.arguments.hash"]
    assert ran("hash", "--tool", "send", '{"n": 1.0, "to": "dana@example.com"}').strip() == on_span
    told = json.loads(ran("hash", "--json", '{"n": 1, "to": "dana@example.com"}'))
    assert (told["hash"], told["canonicalization"]) == (on_span, "jcs/1")
