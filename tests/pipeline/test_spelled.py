"""One thing in many spellings: split, glued, packed, in other scripts, behind other names; and what only looks like it."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spanledger.pipeline import Redactor
from spanledger.pipeline.detect import Detector
from spanledger.pipeline.vocabulary import CODE_KINDS, KEY_KINDS, PERSONAL, SECRET_WORDS

REDACTOR = Redactor()
CARD, MAIL, SSN, VALUE = "5425233430109903", "maria.lopez@privatemail.org", "219-09-9998", "Kq7PzLeak99Zw"
TOKEN = "ghp_" + "Zx8Kp2LmQ9" * 3 + "Zx8Kp2"


def packed(text):
    return base64.b64encode(text.encode()).decode()


def spelled(form, text):
    return "".join(form.format(ord(char)) for char in text)


@pytest.mark.parametrize(
    "gap", ["\n", " \n", "\r\n", "\t", "  ", " - ", "-\n", "\n  ", " / ", "_", "/", ".", "+", '"+"', "\u2028"]
)
def test_a_card_in_groups(gap):
    assert "2334" not in REDACTOR.text(f"card: {gap.join((CARD[:4], CARD[4:8], CARD[8:12], CARD[12:]))}")


@pytest.mark.parametrize(
    "frame", ["x{}", "{}x", "id {}", "_{}_", "[{}]", "No{}.", "**{}**", "`{}`", "\u4ed8{}", "\\n{}"]
)
def test_a_card_glued_and_framed(frame):
    assert CARD not in REDACTOR.text(frame.format(CARD))


@pytest.mark.parametrize("joint", ['" + "', '"+"', '" +\n    "', "' + '", "`+`"])
def test_strings_that_code_puts_together_are_one(joint):
    around = joint[0]
    code = f"key = {around}{TOKEN[:4]}{joint}{TOKEN[4:]}{around}\npassword = {around}Kq7Pz{joint}Leak99Zw{around}"
    for new in (
        REDACTOR.text(code),
        REDACTOR.text(json.dumps({"code": code})),
        REDACTOR.text(f"wrote {json.dumps(code)}"),
    ):
        assert TOKEN[10:] not in new
        assert "Leak99Zw" not in new


@pytest.mark.parametrize(
    "text",
    ["'Hello ' + 'world'", '"a" + b + "c"', '{"op": "+", "to": "x"}', '["+", "-", "+"]', "print('sum: ' + '12345678')"],
)
def test_strings_that_say_nothing_together_stay(text):
    assert REDACTOR.text(text) == text


@pytest.mark.parametrize(
    ("text", "needle"),
    [
        (f"GET /users/{SSN}/profile HTTP/1.1", SSN), (f"https://x.io/users/{SSN}?a=1", SSN), (f"ssn_{SSN}.pdf", SSN),
        (f"user_ssn_{SSN}", SSN), (f"card_{CARD}", CARD), (f"credit_card_number_{CARD}_old", CARD), (f"card-{CARD}", CARD),
        (f"?ssn={SSN.replace('-', '+')}&a=1", "9998"), ("?iban=DE89+3704+0044+0532+0130+00", "0532"),
        ("/pay/DE89370400440532013000/x", "0532"), ("NIE: X-1234567-L", "1234567"),
    ],
)  # fmt: skip
def test_a_number_in_a_path_behind_its_name_and_with_plus_signs(text, needle):
    assert needle not in REDACTOR.text(text)


@pytest.mark.parametrize(
    "text",
    [f"order_{CARD}", f"trace-{CARD}", f"12/{SSN}", f"1.{SSN}", f"discard_{CARD}", f"build/{SSN}-rc1", f"part-{SSN}"],
)
def test_a_number_in_another_name_stays(text):
    assert REDACTOR.text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "to maria.lopez @ privatemail.org",
        "to maria.lopez @privatemail.org",
        "to maria.lopez@\nprivatemail.org",
        "maria.lopez AT privatemail DOT org",
        "maria.lopez(at)privatemail(dot)org",
        "maria.lopez@privatemail\u3002org",
        '"maria.lopez"@privatemail.org',
        "\u0627\u062d\u0645\u062f@privatemail.org",
        "ma\u0301ria@privatemail.org",
        f"see {spelled('%{:02X}', MAIL)}",
        f"see {quote(quote(quote(MAIL, safe=''), safe=''), safe='')}",
        f"see {spelled(chr(92) + 'u{:04x}', MAIL)}",
        f"see {spelled(chr(92) + 'u{{{:x}}}', MAIL)}",
        f"see {spelled(chr(92) + '{:03o}', MAIL)}",
        f"see {spelled('&#{};', MAIL)}",
        f"see {spelled('&amp;#{};', MAIL)}",
        f"see {spelled('={:02X}', MAIL)}",
        f"payload={packed('please write to ' + MAIL)}",
        f"email: =?utf-8?B?{packed(MAIL)}?=",
    ],
)
def test_an_address_in_other_spellings(text):
    new = REDACTOR.text(text)
    assert "privatemail" not in new
    assert packed("privatemail")[4:10] not in new
    assert new != text


@pytest.mark.parametrize("unseen", "\u200b\u200c\u2060\u00ad\u061c\u115f\u3164\u17b4\u034f\u20e3\U000e0020")
def test_what_nobody_sees_does_not_help(unseen):
    for text in (CARD, MAIL, SSN, TOKEN):
        assert unseen.join(text[-6:]) not in REDACTOR.text(unseen.join(text))


@pytest.mark.parametrize("dash", "\u2010\u2012\u2013\u2014\u2043\uff0d\u2212\u207b\u30fc")
def test_dashes(dash):
    assert "9998" not in REDACTOR.text(f"ssn {SSN.replace('-', dash)}")


@pytest.mark.parametrize(
    "name",
    [
        *[
            "id_token",
            "ssh_key",
            "hmac_key",
            "license_key",
            "security_code",
            "backup_codes",
            "seed_phrase",
            "mnemonic",
            "ibm_cloud_iam-key",
        ],
        *["contraseña", "mot_de_passe", "wachtwoord", "hasło", "lösenord", "пароль"],
        *["密码", "パスワード", "비밀번호", "jelszó", "şifre", "OPENAI_KEY"],
    ],
)
def test_names_in_json_and_before_a_sign(name):
    value = f"{VALUE}1"
    assert value not in REDACTOR.text(json.dumps({name: value}, ensure_ascii=False))
    assert value not in REDACTOR.text(f"{name}={value}")


@pytest.mark.parametrize(
    "form",
    [
        "curl -u admin:{}", "docker login -u bob -p {} reg.io", "sshpass -p '{}' ssh h", "redis-cli -a {} ping",
        "aws configure set aws_secret_access_key {}", "- name: DB_PASSWORD\n  value: {}", 'password = """{}"""',
        '<add key="ApiKey" value="{}"/>', '<input name="password" value="{}">', '<property name="password">{}</property>',
        "<soap:Password>{}</soap:Password>", 'conn.setPassword("{}");', 'let token: string = "{}"',
        'string password = @"{}";', 'password ||= "{}"', '{{"passwords":["{}","b"]}}', "machine h login bob password {}",
        "jdbc:oracle:thin:scott/{}@host:1521:orcl", "use password {} to log in", "Passwort lautet {}", "\u5bc6\u7801\u662f{}",
        "\u30d1\u30b9\u30ef\u30fc\u30c9\u306f{}\u3067\u3059", "creds: admin / {}", "https://x/?code={}&state=1",
        "https://api.telegram.org/bot123456789:AAF-{0}{0}abcdef/send", "&quot;password&quot;:&quot;{}&quot;",
    ],
)  # fmt: skip
def test_where_a_secret_stands(form):
    assert VALUE not in REDACTOR.text(form.format(VALUE))


@pytest.mark.parametrize(
    "text",
    [
        "items[::2] and std::vector<int> a::b::c", "id 4111-2222-3333-4445", "1.3.6.1.4.1.393.771.867.399", "5.15.17.72-beta",
        "password must be at least 12 characters", "token = get_token()", "secretKeyRef: {name: db, key: url}",
        "docker run -p 8080:80 nginx", "the key is under the mat", "cache_key=user:42:profile", "error code 1045",
        'see run="@gifb.yreze" please', "look at example for a dot", "UPPERCASEIDENTIFIERWITHMANYLETTERS",
        "aGVsbG8gd29ybGQgaG93IGFyZSB5b3U=", '{"address": "localhost:8080"}', "session_id: 5f2c", "127.0.0.1 and ::1",
    ],
)  # fmt: skip
def test_what_only_looks_like_it_stays(text):
    assert REDACTOR.text(text) == text


TRICKY = st.sampled_from([
    "password", "token", "=", ": ", '"', "'", "@", "x.org", " ", "4111 1111", "1111 1111", "::", "10.0.0.1", ":", "-", "_",
    "+49 30 123456", "call ", "eyJhbGciOiJI", "sk-ant-", "github_pat_", "AKIA", "QQ1234567890ABCD", "ZGF0YQ", "\n", ") VALUES (",
    "key", "signing_key", "security code ", "born ", "account number", "dadzwon ", "\u5bc6\u7801", "\u041f\u0430\u0440\u043e\u043b\u044c",
    "GB29NWBK60161331926819", "at", "dot", "[at]", "://", "0x", "7f", "rufen ", " unter ", " al ", "0171 234567", "mon numero ", "geb.", "ne le ", "steuer-id ", "\u0663", " -u ", "a1B2c3D4",
])  # fmt: skip


@settings(max_examples=400, deadline=None)
@example("dotpassword://")
@example("docker login -u svc -p Zq9vLeak7 x.io")
@given(st.lists(TRICKY, max_size=14).map("".join))
def test_both_engines_find_the_same(text):
    pytest.importorskip("re2")
    assert WITH_RE2.find(text) == WITHOUT.find(text)


NAMES = sorted(
    {word.decode("latin-1") for word in SECRET_WORDS if word.isascii()}
    | {f"{kind.decode()}_key" for kind in KEY_KINDS}
    | {f"{kind.decode()}_code" for kind in CODE_KINDS}
    | {name for names in PERSONAL.values() for name in names.split()}
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(NAMES), st.sampled_from(["{}", "x_{}", "{}Value", "My{}"]))
def test_both_engines_stop_at_the_same_names(name, form):
    pytest.importorskip("re2")
    text = f"{form.format(name)}=Kq7PzLeak99Zw1 {form.format(name.upper())}: 219099998"
    assert WITH_RE2.find(text) == WITHOUT.find(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | TRICKY | st.lists(TRICKY, max_size=3).map(" ".join),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            TRICKY | st.sampled_from(["email", "name", "value", "role", "content", "address"]), inner, max_size=4
        )
    ),
    max_leaves=10,
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(JSON, max_size=3) | st.dictionaries(st.sampled_from(["a", "email", "note"]), JSON, max_size=3),
    st.booleans(),
)
@example({"a": "card 411111111111111"}, False)
def test_json_that_is_not_walked_leaves_as_it_would_have(tree, spaced):
    text = json.dumps(tree, ensure_ascii=False, separators=None if spaced else (",", ":"))
    if REDACTOR.detector.in_json(text) is not None:
        assert json.loads(REDACTOR.text(text)) == json.loads(WALKING.text(text))


class Walking(Detector):
    def in_json(self, text):
        return None


WALKING = Redactor(detector=Walking(REDACTOR.keys))
WITH_RE2, WITHOUT = Detector(), Detector(re2=False)
