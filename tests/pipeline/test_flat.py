"""JSON that is redacted as it stands, and when it must be walked instead."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spanledger.pipeline import tokens
from spanledger.pipeline.redact import Redactor
from spanledger.policy import Policy

REDACTOR = Redactor()
FLAT = REDACTOR.detector.in_json


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ('{ "a" :1,\n "m": "write to jane@acme.example"}', '{ "a" :1,\n "m": "write to [EMAIL]"}'),
        ('{"email":"n.a.","n":1e3}', '{"email":"[EMAIL]","n":1e3}'),
        ('[{"role":"user","content":"card 4111 1111 1111 1111"}]', '[{"role":"user","content":"card [CARD]"}]'),
        ('{"password" : "x1", "b": [1.50]}', '{"password" : "[SECRET]", "b": [1.50]}'),
        ('{"password": null, "max_tokens": 5, "s": "a"}', '{"password": null, "max_tokens": 5, "s": "a"}'),
        ('  {"token":"abcdef12"}\n', '  {"token":"[SECRET]"}\n'),
        (
            r'{"arguments": "{\"to\" : \"jane@acme.example\", \"n\":1.50}"}',
            r'{"arguments": "{\"to\" : \"[EMAIL]\", \"n\":1.50}"}',
        ),
        (r'{"a": "b@c.example", "s": "[\"x\", \"\"]"}', r'{"a": "[EMAIL]", "s": "[\"x\", \"\"]"}'),
    ],
)
def test_nothing_but_what_goes_is_changed(text, new):
    assert FLAT(text) is not None
    assert REDACTOR.text(text) == new


@pytest.mark.parametrize(
    "text",
    [
        '{"card": 4111111111111111}', '{"password": {"now": "x"}}', '{"password": 1234}', '["--api-key", "x"]',
        '[1, "--password", "x"]', '["Authorization", "x"]', '[ "password", 1]', '{"name": "password", "value": "x"}',
        '{"a": "jane@acme.example\\n"}', '{"jane@acme.example": 1}', '["a", ":password": "x"]', '{"": ""}',
        r'{"a": "say \"password\", \"Ab3dEf9h\""}', r'{"a": "{\"card\": 4111111111111111}"}',
        r'{"a": "{\"jane@acme.example\": 1}"}', r'{"a": "{\"password\": \"x\"}"}', r'{"a": "[\"-p\", \"x\"]", "b": "\u0040"}',
        r'{"credentials": "{\"user\": \"x\"}"}', r'{"a": "{\"b\": \"{\\\"c\\\": 1}\"}"}', '{"a": "{\\"b\\": \\"jane@acme.example"}',
        '{"properties": {"password": {"type": "string", "default": "x"}}}', '{"a": "b%40c"}', '{"token": "x"',
    ],
)  # fmt: skip
def test_what_must_be_walked_is_walked(text):
    assert FLAT(text) is None


def test_in_an_attribute_it_is_changed_and_counted():
    counts = Counter()
    given = {"input": '{"a": "jane@acme.example", "b": [1.50]}', "n": ["x", '{"token":"abcdef12"}']}
    assert REDACTOR.attributes(given, counts) == {
        "input": '{"a": "[EMAIL]", "b": [1.50]}', "n": ["x", '{"token":"[SECRET]"}'],
    }  # fmt: skip
    assert counts == {"EMAIL": 1, "SECRET": 1}
    assert given["n"][1] == '{"token":"abcdef12"}'


def test_what_somebody_elses_code_returns_cannot_break_the_json():
    redactor = Redactor(Policy(decide=lambda _label, _text: 'a "quoted" word'))
    assert redactor.text('{"a": "jane@acme.example"}') == '{"a": "a \\"quoted\\" word"}'


def test_what_no_name_tells_is_not_told_by_the_string_before():
    text = '{"kind":"password","rotation_days2":"abc"}'
    assert REDACTOR.text(text) == text


_WORDS = st.sampled_from((
    "jane@acme.example", "4111 1111 1111 1111", "max_tokens", "a", "", "to", "token", "Ab3dEf9h", "{", "}", "is", ", ", "name",
    "value", "password", "--token", "10.1.2.3", "]", ":", "12", "hi there",
))  # fmt: skip
_LEAVES = st.lists(_WORDS, max_size=3).map(" ".join) | _WORDS | st.integers(0, 10**17) | st.none()
_TREES = st.recursive(_LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=3))
_ROOTS = st.lists(_TREES, max_size=3) | st.dictionaries(_WORDS, _TREES, max_size=3)


def _unpacked(value):
    if isinstance(value, dict):
        return {key: _unpacked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_unpacked(item) for item in value]
    try:
        return _unpacked(json.loads(value)) if isinstance(value, str) and value[:1] in ("{", "[") else value
    except ValueError:
        return value


@settings(max_examples=500, deadline=None)
@given(st.dictionaries(_WORDS, _TREES | _ROOTS.map(json.dumps), max_size=4))
def test_as_it_stands_is_as_walked(tree):
    text = json.dumps(tree)
    if FLAT(text) is None:
        return
    walked = Redactor(Policy(decide=lambda label, _text: f"[{label}]"))
    assert _unpacked(json.loads(REDACTOR.text(text))) == _unpacked(json.loads(walked.text(text)))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_vendors_key_is_found_by_its_first_byte(data):
    _, prefix, body = data.draw(st.sampled_from(tokens.VENDORS))
    whole = re.compile(b"|".join(before + behind for _, before, behind in tokens.VENDORS))
    ends = re.compile(rb"\(\?!\[[^\]]*\]\)")
    text = data.draw(st.from_regex(prefix + ends.sub(b"", body), fullmatch=True))
    match = tokens._BY_START[text[0]].match(text)
    assert match is not None
    assert match.group() == whole.match(text).group()
