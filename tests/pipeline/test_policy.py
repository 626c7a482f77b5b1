"""What is done with what was found, as the policy says."""

from __future__ import annotations

import pytest

from spanledger import semconv
from spanledger.config import Settings
from spanledger.errors import ConfigurationError
from spanledger.pipeline import Pipeline, Record, Redactor, default_steps, explained
from spanledger.pipeline.detect import Detector
from spanledger.pipeline.keys import LOOSE, STRICT, Keys
from spanledger.pipeline.tokens import VENDORS
from spanledger.policy import LABELS, Policy, read_policy

TEXT = "card 4111 1111 1111 1111 of jane@leak.com at 203.0.113.9"


@pytest.mark.parametrize(
    ("policy", "wanted"),
    [
        ({}, "card [CARD] of [EMAIL] at [IP]"),
        ({"types": {"card": "mask", "ip": "keep"}}, "card [CARD ****1111] of [EMAIL] at 203.0.113.9"),
        ({"types": {"email": "drop"}}, "card [CARD] of  at [IP]"),
        ({"allow": ["JANE@leak.com"]}, "card [CARD] of jane@leak.com at [IP]"),
        ({"allow": [r"/^203\.0\./"]}, "card [CARD] of [EMAIL] at 203.0.113.9"),
        ({"default": "keep", "types": {"CARD": "redact"}}, "card [CARD] of jane@leak.com at 203.0.113.9"),
    ],
)
def test_by_type_and_allow_list(policy, wanted):
    redactor = Redactor(read_policy(policy))
    assert redactor.text(TEXT) == wanted
    assert redactor.text(wanted) == wanted


def test_hashed_marks_join_and_stay():
    redactor = Redactor(read_policy({"types": {"email": "hash"}}))
    one = redactor.text("to Jane@leak.com")
    assert one == redactor.text("to jane@leak.com")
    assert one.startswith("to [EMAIL:")
    assert redactor.text(one) == one


def test_patterns_and_keys_of_ones_own():
    redactor = Redactor(read_policy({"patterns": {"employee": "EMP-[0-9]{4}"}, "keys": ["customer_ref"]}))
    assert redactor.text("ask EMP-1234") == "ask [EMPLOYEE]"
    assert redactor.value({"customerRef": "x-1", "other": "x-1"}) == {"customerRef": "[SECRET]", "other": "x-1"}


def test_keys_that_are_kept_are_still_looked_at():
    redactor = Redactor(read_policy({"keep_keys": ["token"]}))
    value = {"token": "page-2", "note": "jane@leak.com"}
    assert redactor.value(value) == {"token": "page-2", "note": "[EMAIL]"}


def test_a_callable_decides_and_its_failure_redacts(lenient):
    def decide(label, found):
        if label == "IP":
            raise RuntimeError
        return "<mail>" if label == "EMAIL" else None

    assert Redactor(Policy(decide=decide)).text(TEXT) == "card [CARD] of <mail> at [IP]"


def test_by_attribute():
    redactor = Redactor(read_policy({"attributes": {"db.query.text": "drop", "http.*": "hash", "raw": "keep"}}))
    found = redactor.attributes({"db.query.text": "SELECT 1", "http.url": "x", "raw": "jane@leak.com", "n": 1})
    assert set(found) == {"http.url", "raw", "n"}
    assert found["http.url"].startswith("[ATTRIBUTE:")
    assert found["raw"] == "jane@leak.com"


def test_by_agent(finished):
    settings = Settings.load({}, policy={"agents": {"billing": {"types": {"card": "drop"}}}})
    pipeline = Pipeline(default_steps(settings))
    text = "card 4111 1111 1111 1111"
    assert pipeline(finished(attributes={"t": text})).attributes["t"] == "card [CARD]"
    assert pipeline(finished(attributes={"t": text, semconv.AGENT_NAME: "billing"})).attributes["t"] == "card "


@pytest.mark.parametrize(("how", "wanted"), [("given", "u-1"), ("hash", "hmac-sha256:"), ("drop", None)])
def test_users_and_sessions(finished, how, wanted):
    settings = Settings.load({}, policy={"user_id": how, "session_id": how})
    attributes = {semconv.USER_ID: "u-1", semconv.SESSION_ID: "u-1", semconv.CONVERSATION_ID: "u-1"}
    found = Pipeline(default_steps(settings))(finished(attributes=attributes)).attributes
    for name in attributes:
        assert (found.get(name) or "").startswith(wanted) if wanted else name not in found
    if how == "hash":
        assert found[semconv.SESSION_ID] == found[semconv.CONVERSATION_ID] != found[semconv.USER_ID]


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ({"typs": {}}, "did you mean 'types'"),
        ({"types": {"emial": "hash"}}, "policy.types has 'emial'; did you mean 'email'?"),
        ({"agents": {"b": {"types": {"crd": "drop"}}}}, "policy.agents.b.types has 'crd'; did you mean 'card'?"),
        (Policy(types={"Adress": "mask"}), "policy.types has 'Adress'; did you mean 'address'?"),
        (Policy(agents={"b": Policy(types={"ibn": "drop"})}), "policy.agents.b.types has 'ibn'; did you mean 'iban'?"),
        ({"types": {"email": "hide"}}, "policy.types.email is 'hide'"),
        ({"default": "mak"}, "did you mean 'mask'"),
        ({"patterns": {"x": "("}}, "policy.patterns.x is no regular expression"),
        ({"agents": {"a": {"types": []}}}, "policy.agents.a.types"),
        ({"keys": "token"}, "must be a list of texts"),
        ({"detectors": ["kingfishr"]}, "did you mean 'kingfisher'"),
        ([], "must be a mapping"),
    ],
)
def test_what_means_nothing_is_named(policy, said):
    with pytest.raises(ConfigurationError, match=said.replace("(", r"\(").replace("?", r"\?")):
        Settings.load({}, policy=policy)


@pytest.mark.parametrize(
    "policy",
    [
        {"types": dict.fromkeys((*LABELS, *(name for name, _, _ in VENDORS), "AZURE_SECRET", "Employee"), "hash")},
        {"types": {"emails": "drop"}, "patterns": {"Emails": "[a-z]+@corp"}, "agents": {"b": {"patterns": {"x": "y"}}}},
        {"types": {"us_passport": "drop"}, "detectors": ["presidio"]},
        Policy(types={"phones": "drop"}, patterns={"PHONES": "[0-9]+"}, agents={"b": Policy(types={"phones": "keep"})}),
    ],
)
def test_labels_of_every_detector_and_pattern_are_types(policy):
    assert Settings.load({}, policy=policy).policy == read_policy(policy)


def test_what_is_explained_and_what_keys_mean_are_types():
    assert {*explained._WHY, *STRICT, *LOOSE} == set(LABELS)


def test_a_policy_in_the_file(tmp_path):
    file = tmp_path / "spanledger.yaml"
    file.write_text("policy:\n  types: {email: mask}\n  keys: [ref]\n")
    assert Settings.load({}, file).policy == Policy(types={"email": "mask"}, keys=("ref",))


def test_a_detector_that_is_not_installed_says_what_to_install(monkeypatch):
    from spanledger.pipeline import others

    monkeypatch.setattr(others, "find_spec", lambda _name: None)
    with pytest.raises(ConfigurationError, match=r"spanledger\[secrets\]"):
        default_steps(Settings.load({}, policy={"detectors": ["kingfisher"]}))


def test_a_step_of_ones_own_sees_a_record(finished):
    def shout(record: Record) -> None:
        record.name = record.name.upper()

    assert Pipeline([*default_steps(Settings()), shout])(finished("chat x")).name == "CHAT X"


@pytest.mark.parametrize("re2", [None, False])
def test_a_key_of_ones_own_tells_in_plain_text_as_well(re2):
    policy = Policy(keys=("customer_ref", "Kundennummer"))
    redactor = Redactor(policy, detector=Detector(Keys(policy.keys), re2=re2))
    assert (
        redactor.text("for customer_ref=abcdef, customerRef: 'x y'")
        == "for customer_ref=[SECRET], customerRef: '[SECRET]'"
    )
    assert redactor.text("Kundennummer: 77-123") == "Kundennummer: [SECRET]"
    assert redactor.text("the customer ref is missing") == "the customer ref is missing"
    assert redactor.text("my_customer_reference=abc") == "my_customer_reference=abc"


def test_a_key_that_is_known_anyway_takes_no_more_than_ever():
    text = "token: abcdef, email: none given, the phone is off"
    assert Redactor(Policy(keys=("token", "email", "phone"))).text(text) == Redactor().text(text) == text
