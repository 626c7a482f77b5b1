"""Numbers and passwords that stand in pieces: over items of a list, over lines, beside a user's name."""

from __future__ import annotations

import pytest

from spanledger.pipeline.redact import Redactor
from spanledger.policy import Policy

REDACTOR = Redactor()
GROUPS = ["4111", "1111", "1111", "1111"]


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ('["4111", "1111", "1111", "1111"]', '["[CARD]", "", "", ""]'),
        ('{"a":{"parts":["3782","822463","10005"]}}', '{"a":{"parts":["[CARD]","",""]}}'),
        ("call +49 30\n123456 now", "call [PHONE] now"),
        ("+44 20 7946\r\n0958.", "[PHONE]."),
        ("415-555-\n0132", "[PHONE]"),
        ("(415)\n555-0132", "[PHONE]"),
        ("+49 30 1234567\n42 items", "[PHONE]\n42 items"),
        ("+49 30 12\n4111 1111 1111 1111", "+49 30 12\n[CARD]"),
        ("again +1 862 438 1522. 1.3.6.1.4.1.250.966", "again [PHONE]. 1.3.6.1.4.1.250.966"),
        ("Login: admin / hunter2x.", "Login: admin / [SECRET]."),
        ("log in as root/toor1234, then", "log in as root/[SECRET], then"),
        ("login j.doe:Xk29fLqpA1", "login j.doe:[SECRET]"),
    ],
)
def test_it_goes(text, new):
    assert REDACTOR.text(text) == new


@pytest.mark.parametrize(
    "text",
    [
        '["4111", "1111", "1111", "1112"]', '["2020", "2021", "2022", "2023"]', "[4111, 1111, 1111, 1111]", '["4111"]', "[]",
        "diff\n+12 3\n45678", "login api/v2024x", "see login/logout2", "login admin/users", "login page/path/index1",
    ],
)  # fmt: skip
def test_what_only_looks_like_it_stays(text):
    assert REDACTOR.text(text) == text


def test_a_list_stays_a_list_of_as_many():
    assert REDACTOR.attributes({"parts": tuple(GROUPS)}) == {"parts": ("[CARD]", "", "", "")}
    assert REDACTOR.value([[*GROUPS], 1]) == [["[CARD]", "", "", ""], 1]


def test_the_policy_decides_over_the_whole_number():
    assert Redactor(Policy(types={"card": "mask"})).value(GROUPS) == ["[CARD ****1111]", "", "", ""]
    assert Redactor(Policy(types={"card": "keep"})).value(GROUPS) == GROUPS
