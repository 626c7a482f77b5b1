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
        ("card 4111.1111.1111.1111.", "card [CARD]."),
        ("3782 - 822463 - 10005", "[CARD]"),
        ("_4111 1111 1111 1111_", "_[CARD]_"),
        ("_46.195.32.133_", "_[IP]_"),
        ("_DE89370400440532013000_", "_[IBAN]_"),
        ("_+33 6 44 08 74 55_", "_[PHONE]_"),
        ("ruf 0049 30 901820 an", "ruf [PHONE] an"),
        ("0012.3456.789a", "[MAC]"),
        ("api_key->Bxb5lqe18", "api_key->[SECRET]"),
        ("<pwd>BbTJTMKw8!</pwd>", "<pwd>[SECRET]</pwd>"),
        ("senha DhlTAbjH3", "senha [SECRET]"),
        ("refresh_token|E9hV8E5nq", "refresh_token|[SECRET]"),
    ],
)
def test_it_goes(text, new):
    assert REDACTOR.text(text) == new


@pytest.mark.parametrize(
    "text",
    [
        '["4111", "1111", "1111", "1112"]', '["2020", "2021", "2022", "2023"]', "[4111, 1111, 1111, 1111]", '["4111"]', "[]",
        "_private_4111111111111111_name", "a_46.195.32.133_b", "score 0012 34 12 345", "access token Auth0Provider",
        "def login(user, password): ...", "if not password: raise ValueError", "client_secret SecretStr2 type", "auth_token OAuth2Session",
        "private_key Ed25519PrivateKey", "diff\n+12 3\n45678", "login api/v2024x", "see login/logout2", "login admin/users", "login page/path/index1",
    ],
)  # fmt: skip
def test_what_only_looks_like_it_stays(text):
    assert REDACTOR.text(text) == text


def test_a_list_stays_a_list_of_as_many():
    assert REDACTOR.attributes({"parts": tuple(GROUPS)}) == {"parts": ("[CARD]", "", "", "")}
    assert REDACTOR.value([[*GROUPS], 1]) == [["[CARD]", "", "", ""], 1]


def test_a_vendors_key_of_letters_only_is_no_plain_name():
    assert REDACTOR.attributes({"user.sk_live_sBewcYWvHjNPJDDKMenIEPqv.name": "v"}) == {"user.[STRIPE_KEY].name": "v"}


def test_the_policy_decides_over_the_whole_number():
    assert Redactor(Policy(types={"card": "mask"})).value(GROUPS) == ["[CARD ****1111]", "", "", ""]
    assert Redactor(Policy(types={"card": "keep"})).value(GROUPS) == GROUPS
