"""What stands below a name that tells: all of it below ``password``, the thing itself below ``email``."""

from __future__ import annotations

import json

import pytest

from spanledger.config import Settings
from spanledger.pipeline import Redactor
from spanledger.pipeline.steps import redactor_of
from spanledger.policy import Policy

REDACTOR = Redactor()


@pytest.mark.parametrize(
    "tree",
    [
        {"session": {"status": "active", "count": 3, "started": "2026-11-20T10:00:00Z"}},
        {"session": {"history": ["Hello there", "Hi"], "user": {"name": "Bob", "role": "admin"}}},
        {"email": {"subject": "Hello", "body": "See you on Monday", "attachments": ["plan.pdf"], "size": 1024}},
        {"emails": [{"type": "work", "verified": True}]},
        {"phone": {"type": "mobile", "model": "Pixel 8", "verified_at": "2026-11-20"}},
    ],
)
def test_an_object_is_not_the_thing_it_is_about(tree):
    assert REDACTOR.value(tree) == tree
    assert REDACTOR.text(json.dumps(tree)) == json.dumps(tree)


@pytest.mark.parametrize(
    ("tree", "needle"),
    [
        ({"session": {"id": "abcdef", "status": "active"}}, "abcdef"),
        ({"session": {"status": "active", "ticket": "kR9xAbcdEf12"}}, "kR9xAbcdEf12"),
        ({"session": {"user": {"password": "summer"}}}, "summer"),
        ({"session": ["abcdef"]}, "abcdef"),
        ({"session": "abcdef"}, "abcdef"),
        ({"email": {"local": "maria", "domain": "privatemail.org"}}, "maria"),
        ({"email": {"to": ["maria at work"]}}, "maria"),
        ({"email": {"note": "ask maria.lopez@privatemail.org"}}, "maria.lopez"),
        ({"emails": [{"address": "maria at work"}]}, "maria"),
        ({"phone": {"number": "0501234567"}}, "0501234567"),
        ({"phone": {"number": 501234567}}, "501234567"),
        ({"phone": {"anything": "050 123 45 67"}}, "123 45"),
        ({"phone": {"home": {"country": "FI", "national": "050 123 45 67"}}}, "123 45"),
        ({"phone": ["0501234567"]}, "0501234567"),
        ({"password": {"old": "summer", "session": {"status": "winter"}}}, "winter"),
        ({"token": {"type": "x", "status": "winter"}}, "winter"),
        ({"authorization": {"status": ["winter"]}}, "winter"),
        ({"cookie": {"theme": "winter"}}, "winter"),
        ({"birthday": {"year": 1980, "month": 2}}, "1980"),
    ],
)
def test_the_thing_itself_goes_wherever_it_stands(tree, needle):
    assert needle not in json.dumps(REDACTOR.value(tree))
    assert needle not in REDACTOR.text(json.dumps(tree))


@pytest.mark.parametrize("key", ["session", "email"])
def test_of_a_key_of_the_users_own_all_goes(key):
    redactor = Redactor(Policy(keys=(key,)))
    assert "active" not in str(redactor.value({key: {"status": "active"}}))


@pytest.mark.parametrize("given", [{}, {"redact_keys": (*Settings.load({}).redact_keys, "badge")}])
def test_keys_that_are_redacted_by_default_are_not_the_users_own(given):
    redactor = redactor_of(Settings.load({}, **given))
    tree = {"email": {"subject": "Hello", "address": "maria at work"}, "phone": {"model": "Pixel 8"}}
    assert redactor.value(tree) == {"email": {"subject": "Hello", "address": "[EMAIL]"}, "phone": {"model": "Pixel 8"}}
    assert redactor.value({"badge": {"model": "E-77"}}) == {"badge": {"model": "[SECRET]" if given else "E-77"}}


def test_one_that_is_given_in_their_place_is():
    redactor = redactor_of(Settings.load({}, redact_keys=("email",)))
    assert redactor.value({"email": {"subject": "Hello"}, "token": "winter"}) == {
        "email": {"subject": "[EMAIL]"}, "token": "[SECRET]",
    }  # fmt: skip
