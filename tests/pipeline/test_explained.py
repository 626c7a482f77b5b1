"""A person can see what would go, where and why."""

from __future__ import annotations

import json

from spanledger.pipeline import Redactor, explain, redacted
from spanledger.policy import Policy


def brief(found):
    return [(each.path, each.label, each.becomes) for each in found]


def test_a_text():
    (card, mail) = explain("card 4111 1111 1111 1111 of jane@leak.com")
    assert (card.label, card.start, card.end, card.becomes) == ("CARD", 5, 24, "[CARD]")
    assert "check digit" in card.why
    assert mail.found == "jane@leak.com"


def test_json_with_paths_and_the_keys_that_decide():
    text = json.dumps({"messages": [{"content": "to jane@leak.com"}], "password": "hunter2", "max_tokens": 5})
    assert brief(explain(text)) == [
        ("messages[0].content", "EMAIL", "[EMAIL]"),
        ("password", "SECRET", "[SECRET]"),
    ]


def test_json_in_json_and_keys():
    found = explain({"a": json.dumps({"jane@leak.com": 1})})
    assert brief(found) == [("a.jane@leak.com (the key)", "EMAIL", "[EMAIL]")]


def test_an_otlp_file():
    line = {"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "x", "attributes": [
        {"key": "http.request.header.authorization", "value": {"stringValue": "Zq9vLeak"}},
        {"key": "note", "value": {"stringValue": "jane@leak.com"}},
    ]}]}]}]}  # fmt: skip
    text = json.dumps(line) + "\n" + json.dumps(line) + "\n"
    found = explain(text)
    assert [each.label for each in found] == ["SECRET", "EMAIL"] * 2
    assert found[0].path.startswith("line 1.resourceSpans[0]")
    new = redacted(text)
    assert "Zq9vLeak" not in new
    assert "jane@leak.com" not in new
    assert [json.loads(each)["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"] for each in new.splitlines()] == [
        "x", "x",
    ]  # fmt: skip


def test_a_policy_is_respected():
    redactor = Redactor(Policy(types={"email": "keep", "card": "mask"}))
    found = explain("4111 1111 1111 1111 jane@leak.com", redactor)
    assert brief(found) == [("", "CARD", "[CARD ****1111]")]


def test_nothing_to_explain():
    assert explain("all is well") == []
    assert redacted("all is well") == "all is well"


def test_an_otlp_file_stays_one():
    values = [
        {"stringValue": "jane@acme.example"},
        {"kvlistValue": {"values": [{"key": "n", "value": {"intValue": "7"}}]}},
    ]
    attributes = [
        {"key": "n", "value": {"intValue": "4111111111111111"}},
        {"key": "d", "value": {"doubleValue": 0.5}},
        {"key": "l", "value": {"arrayValue": {"values": values}}},
    ]
    file = {"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "x", "attributes": attributes}]}]}]}
    new = json.loads(redacted(json.dumps(file)))["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"]
    assert new[0]["value"] == {"stringValue": "[CARD]"}
    assert new[1] == attributes[1]
    assert new[2]["value"]["arrayValue"]["values"] == [{"stringValue": "[EMAIL]"}, values[1]]
